"""Fit one column of a table of nets against another: the story on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from boundkit.errors import DataError, UsageError
from boundkit.regression.fitting import bare_fit, fit_of, part_of
from boundkit.regression.gathering import (
    gathered,
    reasons_in_words,
    require_line,
    with_logarithms,
)
from boundkit.regression.joint import joint_of
from boundkit.regression.mixing import mixture, require_one_kind
from boundkit.regression.model import Regression
from boundkit.regression.points import LeftOut, by_name, require_columns, usable
from boundkit.regression.table import table_of
from boundkit.regression.words import joint_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from boundkit.regression.gathering import Gathered
    from boundkit.regression.model import Fit, Joint

__all__ = ["LOGARITHMS", "SAMPLED", "TEST_ERROR", "error_column", "regress"]

#: What a manifest calls the error, and where the report of an analysis has it.
TEST_ERROR, SAMPLED = "test_error", "margins.test.train_error"
#: Of which axes logarithms may be taken.
LOGARITHMS = ("none", "x", "y", "xy")
_ASK = "--mix fits them all the same"


def regress(
    table: Any,
    x: str = "inverse_rho",
    y: str | None = None,
    *,
    group: str | None = None,
    by: str | Sequence[str] | None = None,
    log: Literal["none", "x", "y", "xy"] = "none",
    mix: bool = False,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Regression:
    """Fit one column of a table of nets against another, and say what it is worth.

    A correlation over these nets, not a bound: see docs/regress.md.

    Args:
        table: A frame, rows, a table file, or the folder of a sweep.
        x: Column of numbers.
        y: Column of numbers; None for ``test_error``, or else the error that a sweep
            measured on its test data.
        group: Column; each of its values is fitted apart, and all jointly.
        by: Columns; rows that agree in them are one point, their mean, with standard
            deviations as error bars. None: every row is a point.
        log: Axes of which the logarithm to base 10 is taken.
        mix: Fit nets of several architectures or training-set sizes on one line.
        level: Of the intervals.
        resamples: Of the bootstrap.
        seed: Of bootstrap and permutations; the same gives the same numbers.

    Returns:
        The lines, their statistics and remarks; it shows itself as text.

    Raises:
        DataError: The table cannot be read, a column is missing or holds no numbers, or
            no line can be fitted.
        UsageError: An argument makes no sense, or the nets are not of one kind.
    """
    keys = by_name(by, "by")
    _require_sense(log, level, resamples)
    frame, source = table_of(table)
    error, notes = error_column(frame, y)
    _require_roles(frame, x, error, [*keys, *([group] if group else [])], source)
    used, left_out = _used(frame, x, error, keys, group, log, source)
    if not mix:
        require_one_kind(used, group)
    of = gathered(used, x, error, keys, group)
    unlike = None if mix else mixture(used)
    names = _axis(x, "x", log), _axis(error, "y", log)
    options = (*names, level, resamples, seed)
    joint = None
    if unlike is None:
        _require_fit(of, names, len(frame), left_out, source)
        whole = fit_of(of, None, *options)
        joint = joint_of(of.x, of.y, of.groups, level) if group else None
    else:
        whole = bare_fit(of, None, f"all groups together mix {unlike.what}; {_ASK}")
    labels = dict.fromkeys(of.groups.tolist())
    fits = tuple(fit_of(part_of(of, label), label, *options) for label in labels)
    from boundkit import __version__

    return Regression(
        boundkit=__version__,
        source=source,
        x=names[0],
        y=names[1],
        by=keys,
        group=group,
        level=level,
        resamples=resamples,
        seed=seed,
        rows=len(frame),
        left_out=left_out,
        fit=whole,
        groups=fits,
        joint=joint,
        remarks=(*notes, *_remarks(used, keys, group, mix, joint, whole)),
    )


def _require_sense(log: str, level: float, resamples: int) -> None:
    if log not in LOGARITHMS:
        raise UsageError(f"log must be one of {', '.join(LOGARITHMS)}, but got {log!r}")
    if not 0 < level < 1:
        raise UsageError(f"level must lie in (0, 1), but got {level}")
    if not 100 <= resamples <= 10_000_000:
        raise UsageError(
            f"resamples must lie between 100 and 10,000,000, but got {resamples}"
        )


def _require_roles(
    frame: pd.DataFrame, x: str, y: str, others: Sequence[str], source: str
) -> None:
    if x == y:
        raise UsageError(f"x and y are both {x!r}; give two columns")
    for name in others:
        if name in {x, y}:
            raise UsageError(
                f"{name!r} is an axis already; group and by need columns of their own"
            )
    require_columns(frame, [x, y, *others], source)


def error_column(frame: pd.DataFrame, y: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the column that holds the error, and a remark where it was chosen.

    Args:
        frame: The table.
        y: What the caller named, or None.
    """
    if y is not None:
        return y, ()
    known = TEST_ERROR in frame.columns and frame[TEST_ERROR].notna().any()
    if not known and SAMPLED in frame.columns:
        return SAMPLED, (
            (
                f"there is no column {TEST_ERROR!r}, so {SAMPLED!r} is taken: the error on "
                "the sweep's test data"
            ),
        )
    return TEST_ERROR, ()


def _axis(name: str, axis: str, log: str) -> str:
    return f"log10({name})" if log != "none" and axis in log else name


def _used(
    frame: pd.DataFrame,
    x: str,
    y: str,
    keys: Sequence[str],
    group: str | None,
    log: str,
    source: str,
) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    used, left_out = usable(frame, [x, y], source)
    for name in dict.fromkeys([*keys, *([group] if group else [])]):
        unknown = used[name].isna().to_numpy()
        if unknown.any():
            rows = tuple(map(int, used.index[unknown]))
            left_out = (*left_out, LeftOut(f"{name!r} is missing", rows))
            used = used[~unknown]
    columns = [
        name for name, axis in ((x, "x"), (y, "y")) if _axis(name, axis, log) != name
    ]
    used, without = with_logarithms(used, columns)
    return used, (*left_out, *without)


def _require_fit(
    of: Gathered,
    names: tuple[str, str],
    rows: int,
    left_out: Sequence[LeftOut],
    source: str,
) -> None:
    try:
        require_line(of.x, of.y, *names)
    except DataError as error:
        where = f"{source}: " if source else ""
        raise DataError(
            f"{where}{error} (of {rows} rows, left out: {reasons_in_words(left_out)})"
        ) from None


def _remarks(
    used: pd.DataFrame,
    keys: Sequence[str],
    group: str | None,
    mix: bool,
    joint: Joint | None,
    whole: Fit,
) -> tuple[str, ...]:
    found = []
    unlike = mixture(used) if mix else None
    if unlike is not None:
        found.append(
            f"the points mix {unlike.what} ({unlike.column}: {unlike.shown}), as asked: "
            "norms are not comparable among them, and the line may say nothing"
        )
    if not keys and "seed" in used.columns and len(used["seed"].unique()) > 1:
        others = [c for c in ("label_noise", "weight_decay") if c in used.columns]
        hint = f" (--by {','.join(others)})" if others else ""
        found.append(
            "each seed is a point of its own, though repeats of one setting are no "
            f"independent evidence; --by averages them{hint}"
        )
    if "sha256" in used.columns:
        twice = used["sha256"].dropna()
        if twice.duplicated().any():
            count = int(twice.duplicated(keep=False).sum())
            found.append(
                f"{count} rows have the content of another row but other numbers; "
                "all are points"
            )
    if group is not None and joint is not None:
        found += joint_words(group, joint, whole)
    return tuple(found)
