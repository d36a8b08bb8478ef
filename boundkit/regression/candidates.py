"""Which columns of a table are measures of nets, and which say how they were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.regression.ranking_model import LeftMeasure
from boundkit.sweeping.columns import FIRST, GROUPS, META

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["hyperparameters_of", "is_measured", "measures_of"]

#: Products of norms, the columns of every sweep that are measures.
_PRODUCTS = ("rho", "log10_rho", "log10_rho_folded", "inverse_rho")
#: Computed from data that training has not seen, so no prediction.
_SEEN = ("margins.test.", "collapse.test.", "bound.holdout")
#: Columns of a bound that are no value.
_NO_VALUE = (".status", ".n_needed")
#: What people call repeats, steps and results.
_RESULTS = ("error", "accuracy", "acc", "loss", "gap")
_OTHERS = frozenset({"seed", "repeat", "run", "epoch", "step", "index", "id", "time"})


def is_measured(name: str) -> bool:
    """Say whether a sweep computed a column, so that nobody chose it.

    Args:
        name: Of the column.
    """
    return name in FIRST or name.startswith((*GROUPS, META))


def _is_result(name: str) -> bool:
    words = name.lower().replace(".", "_").split("_")
    return words[-1] in _RESULTS or not _OTHERS.isdisjoint({name.lower(), words[-1]})


def hyperparameters_of(frame: pd.DataFrame, y: str) -> tuple[str, ...]:
    """Return the columns that look like choices: their values repeat.

    Args:
        frame: The rows that are ranked by.
        y: What is ordered.
    """
    return tuple(
        name
        for name in frame.columns
        if name != y
        and not is_measured(name)
        and not _is_result(name)
        and 2 <= frame[name].nunique() <= len(frame) / 2
    )


def measures_of(
    frame: pd.DataFrame, y: str, hyperparameters: Sequence[str]
) -> tuple[tuple[str, ...], tuple[LeftMeasure, ...]]:
    """Return the columns that are measures, and those that could be but are not.

    Args:
        frame: The rows that are ranked by.
        y: What is ordered.
        hyperparameters: Columns that are none.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    found, left = [], []
    for name in frame.columns:
        column = frame[name]
        if not _is_candidate(name, y, hyperparameters):
            continue
        if not is_numeric_dtype(column) or is_bool_dtype(column):
            continue
        reason = _reason(name, column)
        if reason is None:
            found.append(name)
        elif reason:
            left.append(LeftMeasure(name, reason))
    return tuple(found), tuple(left)


def _is_candidate(name: str, y: str, hyperparameters: Sequence[str]) -> bool:
    if name == y or name in hyperparameters or name.endswith(_NO_VALUE):
        return False
    if name in _PRODUCTS:
        return True
    if name in FIRST or name.startswith(META):
        return False
    return name.startswith(GROUPS) or not _is_result(name)


def _reason(name: str, column: pd.Series) -> str | None:
    """Return why a column is not ranked; None if it is, "" if it holds nothing."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    if not len(known):
        return ""
    if name.startswith(_SEEN):
        return "computed from test data, so it predicts nothing"
    if len(known) < 3:
        return f"only {len(known)} nets have it"
    return "the same for all nets" if known.min() == known.max() else None
