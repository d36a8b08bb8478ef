"""What differs among nets that should be of one kind."""

from __future__ import annotations

import pandas as pd
import pytest

from boundkit.errors import UsageError
from boundkit.regression.mixing import Mixture, mixture, require_one_kind


def test_nothing_differs_where_nothing_is_known():
    assert mixture(pd.DataFrame({"a": [1, 2]})) is None
    assert mixture(pd.DataFrame({"arch": ["r", None], "n": [5, 5]})) is None


def test_the_first_values_are_shown():
    frame = pd.DataFrame({"architecture": list("abcdef")})

    assert mixture(frame) == Mixture("architectures", "architecture", "a, b, c, d, ...")


def test_groups_may_differ_but_not_within():
    frame = pd.DataFrame({"n": [5, 5, 9, 9], "g": [1, 1, 2, 2], "h": [1, 2, 1, 2]})
    require_one_kind(frame, "g")

    with pytest.raises(UsageError, match=r"training-set sizes \('n': 5, 9\)"):
        require_one_kind(frame, "h")
