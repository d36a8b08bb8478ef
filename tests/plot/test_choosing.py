from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from boundkit.errors import UsageError
from boundkit.plot import chosen


def never(subject):
    return None


def always(subject):
    figure = Figure()
    figure.suptitle(str(subject))
    return figure


def test_the_first_that_can_be_drawn_is_drawn():
    assert chosen((never, always), "x", None).get_suptitle() == "x"
    assert chosen((never, always), "x", "always").get_suptitle() == "x"


@pytest.mark.parametrize(
    ("catalog", "name", "message"),
    [
        (
            (never, always),
            "both",
            "no figure is called 'both'; there are never, always",
        ),
        ((never, always), "never", "never cannot be drawn: the numbers that it shows"),
        ((never,), None, "no figure can be drawn: the numbers that it shows"),
    ],
)
def test_what_cannot_be_drawn_is_said(catalog, name, message):
    with pytest.raises(UsageError, match=message):
        chosen(catalog, None, name)
