from __future__ import annotations

from dataclasses import replace

import pytest

from boundkit.errors import UsageError
from boundkit.resemblance import (
    Outline,
    outline_of_report,
    require_one_architecture,
    require_one_convention,
)
from tests.report.reports import REPORTS, report, row

FIRST = Outline("a.pt", {"w": "linear 2x3", "v": "linear 1x2"}, {"b": "tensor 2"})


def other(**changes):
    return replace(FIRST, source="b.pt", **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": {**FIRST.layers, "w": "linear 2x4"}}, "'w' is linear 2x4, not"),
        ({"layers": {**FIRST.layers, "w": "conv1d 2x3"}}, "'w' is conv1d 2x3, not"),
        ({"layers": {"w": "linear 2x3"}}, "it lacks 'v'; compare checkpoints of one"),
        ({"layers": {**FIRST.layers, "u": "linear 2x2"}}, "it has 'u' besides"),
        ({"others": {}}, "it lacks 'b'"),
        ({"others": {"b": "tensor 3"}}, "'b' is tensor 3, not tensor 2"),
    ],
)
def test_another_architecture_is_refused_by_the_layers_that_differ(changes, said):
    with pytest.raises(UsageError, match=f"'b.pt' is not .* of 'a.pt': .*{said}"):
        require_one_architecture([FIRST, FIRST, other(**changes)])


def test_the_first_differences_are_named_and_the_rest_counted():
    one = replace(FIRST, layers={f"w{i}": "linear 2x3" for i in range(9)})
    two = replace(FIRST, layers={f"w{i}": "linear 3x3" for i in range(9)})

    with pytest.raises(
        UsageError, match="'w2' is linear 3x3, not linear 2x3 and 6 more"
    ):
        require_one_architecture([one, two])


def test_names_that_attack_a_terminal_are_escaped():
    with pytest.raises(UsageError, match=r"it has '\\x1b\[31m' besides"):
        require_one_architecture([
            FIRST,
            other(layers={**FIRST.layers, "\x1b[31m": "linear 1x1"}),
        ])


def test_the_order_of_the_tensors_does_not_matter():
    turned = dict(reversed(FIRST.layers.items()))

    require_one_architecture([FIRST, other(layers=turned)])


def test_a_learned_tensor_outside_rho_belongs_to_the_outline():
    made = report(ledger=(row("fc.bias", (4,)), row("count", (), parameter=False)))

    assert outline_of_report(made).others == {"fc.bias": "tensor 4"}


@pytest.mark.parametrize(
    ("name", "value"), [("delta", 0.01), ("n", 7), ("head", "its row"), ("loss", "x")]
)
def test_other_conventions_are_refused_by_name(name, value):
    base = REPORTS["proved"]()
    changed = replace(base, conventions={**base.conventions, name: value})

    with pytest.raises(UsageError, match=f"different conventions: {name} is .* alike"):
        require_one_convention([base, changed])


@pytest.mark.parametrize("name", ["device", "rewrites", "spectra", "weight_decay"])
def test_what_changes_no_compared_number_may_differ(name):
    base = REPORTS["proved"]()

    require_one_convention([
        base,
        replace(base, conventions={**base.conventions, name: "another"}),
    ])
