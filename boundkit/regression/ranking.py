"""Which measure orders the errors of the nets of a sweep: the story on one page."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError, UsageError
from boundkit.regression.agreement import (
    conditional_information,
    granulated_kendall,
    sign_errors,
    signs_of,
)
from boundkit.regression.candidates import hyperparameters_of, measures_of
from boundkit.regression.gathering import reasons_in_words
from boundkit.regression.mixing import require_one_kind
from boundkit.regression.pairs import Pairs, environments_of, pairs_of
from boundkit.regression.points import by_name, numbers, require_columns, usable
from boundkit.regression.ranking_model import Measure, Ranking
from boundkit.regression.ranking_words import (
    environment_words,
    mixture_words,
    trust_words,
)
from boundkit.regression.regressing import error_column
from boundkit.regression.table import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from boundkit.regression.pairs import Environment
    from boundkit.regression.points import LeftOut

__all__ = ["MOST_NETS", "rank_measures"]

#: Nets beyond which some are drawn: pairs grow with the square.
MOST_NETS = 1000
#: Effective pairs of an environment in Dziugaite et al. (2020), who had 25 each.
_PAPERS = 12.0
_NAN = float("nan")


def rank_measures(
    table: Any,
    y: str | None = None,
    *,
    measures: str | Sequence[str] | None = None,
    hyperparameters: str | Sequence[str] | None = None,
    test_size: int | None = None,
    least_effective: float | None = None,
    mix: bool = False,
    seed: int = 0,
) -> Ranking:
    """Rank the measures of a sweep by how well they order the errors of its nets.

    By Kendall's and Spearman's coefficients over all pairs; by the granulated
    coefficient and the conditional mutual information of Jiang et al. (2020); and by the
    robust sign error of Dziugaite et al. (2020), the worst over pairs of settings that
    differ in one hyperparameter.

    Args:
        table: A frame, rows, a table file, or the folder of a sweep.
        y: Column of errors; None for ``test_error``, or else the error that a sweep
            measured on its test data.
        measures: Columns to rank; None for all that are measures.
        hyperparameters: Columns that were varied; None for those whose values repeat.
        test_size: Samples that each error was measured on, so that pairs whose order is
            noise count less; None to trust all.
        least_effective: Effective pairs that an environment needs; None for 12, or for
            half of the pairs of the largest environment where that is less.
        mix: Rank nets of several architectures or training-set sizes together.
        seed: Of the draw where there are more than 1,000 nets.

    Returns:
        The ranking; it shows itself as text.

    Raises:
        DataError: The table cannot be read, a column is missing or holds no numbers, or
            there are fewer than 3 nets or no measures.
        UsageError: An argument makes no sense, or the nets are not of one kind.
    """
    wanted = by_name(measures, "measures")
    varied = by_name(hyperparameters, "hyperparameters")
    _require_sense(test_size, least_effective)
    frame, source = table_of(table)
    error, notes = error_column(frame, y)
    require_columns(frame, [error, *wanted, *varied], source)
    used, left_out = usable(frame, [error], source)
    _require_nets(used[error], len(frame), left_out, source)
    if not mix:
        require_one_kind(used, None)
    guessed = hyperparameters is None
    chosen = hyperparameters_of(used, error) if guessed else varied
    used, drawn = _drawn(used, seed)
    names, left = (wanted, ()) if wanted else measures_of(used, error, chosen)
    _require_measures(names, error, source)
    errors = used[error].to_numpy(np.float64)
    pairs = pairs_of(errors, _codes(used, chosen), test_size)
    every, environments, least = _counted(pairs, least_effective)
    values = {name: numbers(used, name, source) for name in names}
    found = _ranked(values, errors, pairs, environments, chosen)
    from boundkit import __version__

    return Ranking(
        boundkit=__version__,
        source=source,
        y=error,
        hyperparameters=tuple(chosen),
        test_size=test_size,
        least_effective=least,
        rows=len(frame),
        nets=len(used),
        left_out=left_out,
        measures=found,
        left_measures=left,
        remarks=(
            *notes,
            *drawn,
            *mixture_words(used, mix),
            *environment_words(chosen, guessed, len(every), len(environments)),
            *trust_words(chosen, test_size, len(found)),
        ),
    )


def _ranked(
    values: dict[str, NDArray[np.float64]],
    errors: NDArray[np.float64],
    pairs: Pairs,
    environments: Sequence[Environment],
    hyperparameters: Sequence[str],
) -> tuple[Measure, ...]:
    found = [
        _measure(name, same, values[name], errors, pairs, environments, hyperparameters)
        for name, same in _merged(values).items()
    ]
    return tuple(sorted(found, key=_order))


def _require_sense(test_size: int | None, least_effective: float | None) -> None:
    if test_size is not None and test_size < 1:
        raise UsageError(f"test_size must be at least 1, but got {test_size}")
    if least_effective is not None and not least_effective > 0:
        raise UsageError(f"least_effective must be above 0, but got {least_effective}")


def _require_nets(
    errors: pd.Series, rows: int, left_out: Sequence[LeftOut], source: str
) -> None:
    if len(errors) < 3 or errors.nunique() < 2:
        raise DataError(
            f"{source + ': ' if source else ''}{len(errors)} nets with "
            f"{errors.nunique()} different values of {errors.name!r} cannot be ranked "
            f"by; give at least 3 (of {rows} rows, left out: "
            f"{reasons_in_words(left_out)})"
        )


def _require_measures(names: Sequence[str], error: str, source: str) -> None:
    if not names:
        raise DataError(
            f"{source + ': ' if source else ''}there is no column of a measure beside "
            f"{error!r}; name some with --measures (measures=)"
        )


def _drawn(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if len(frame) <= MOST_NETS:
        return frame, ()
    some = frame.sample(MOST_NETS, random_state=seed).sort_index()
    return some, (
        (
            f"{MOST_NETS:,} of {len(frame):,} nets were drawn by seed {seed}: all pairs of "
            "all nets would be too many"
        ),
    )


def _codes(frame: pd.DataFrame, names: Sequence[str]) -> NDArray[np.intp]:
    import pandas as pd

    codes = [pd.factorize(frame[name], use_na_sentinel=False)[0] for name in names]
    empty = np.zeros((len(frame), 0), dtype=np.intp)
    return np.column_stack([empty, *codes]).astype(np.intp)


def _counted(
    pairs: Pairs, asked: float | None
) -> tuple[tuple[Environment, ...], list[Environment], float]:
    """Return all environments, those that count, and what they need for it."""
    every = environments_of(pairs)
    largest = max((len(one.pairs) for one in every), default=0)
    least = min(_PAPERS, largest / 2) if largest else _PAPERS
    least = least if asked is None else asked
    return every, [one for one in every if one.effective >= least], least


def _merged(values: dict[str, NDArray[np.float64]]) -> dict[str, tuple[str, ...]]:
    """Return each measure with those that order the nets alike, or the other way."""
    from scipy.stats import rankdata

    found: dict[bytes, list[str]] = {}
    for name, column in values.items():
        ranks = np.where(np.isnan(column), 0.0, rankdata(column, nan_policy="omit"))
        known = ranks[~np.isnan(column)]
        # Whichever way round the first of the ranks stands below the middle.
        turned = np.where(np.isnan(column), 0.0, len(known) + 1 - ranks)
        key = min(ranks.tobytes(), turned.tobytes())
        found.setdefault(key, []).append(name)
    return {same[0]: tuple(same[1:]) for same in found.values()}


def _measure(
    name: str,
    same: tuple[str, ...],
    column: NDArray[np.float64],
    errors: NDArray[np.float64],
    pairs: Pairs,
    environments: Sequence[Environment],
    hyperparameters: Sequence[str],
) -> Measure:
    from scipy.stats import kendalltau, spearmanr

    known = np.isfinite(column) | np.isinf(column)
    with warnings.catch_warnings():
        # What is constant has no correlation: NaN, shown as such.
        warnings.simplefilter("ignore")
        kendall = kendalltau(column[known], errors[known])
        spearman = spearmanr(column[known], errors[known])
    direction = -1 if kendall.statistic < 0 else 1
    signs = signs_of(column, pairs)
    if known.all():
        psi, granulated = granulated_kendall(signs, pairs)
        information = conditional_information(signs, pairs)
        wrong = sign_errors(direction * signs, pairs, environments)
    else:
        psi, granulated = np.full(len(hyperparameters), np.nan), _NAN
        information, wrong = _NAN, np.array([])
    return Measure(
        name=name,
        same=same,
        direction=direction,
        nets=int(known.sum()),
        kendall=float(kendall.statistic),
        kendall_p=float(kendall.pvalue),
        spearman=float(spearman.statistic),
        granulated=granulated,
        by_hyperparameter=dict(zip(hyperparameters, map(float, psi), strict=True)),
        information=information,
        environments=len(wrong),
        sign_error=float(wrong.mean()) if len(wrong) else _NAN,
        sign_error_90=float(np.quantile(wrong, 0.9)) if len(wrong) else _NAN,
        sign_error_worst=float(wrong.max()) if len(wrong) else _NAN,
    )


def _order(of: Measure) -> tuple[bool, float, float, float, float, str]:
    none = not of.environments
    return (
        none,
        0.0 if none else of.sign_error_worst,
        0.0 if none else of.sign_error_90,
        0.0 if none else of.sign_error,
        -abs(of.kendall) if np.isfinite(of.kendall) else 1.0,
        of.name,
    )
