"""P2, figure 2: the square loss in three parts over the epochs.

Han, Papyan, Donoho (2022), section 3: L = L_LS + L_perp and L_LS = L_NC1 + L_NC2/3.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.han2022_courses import NEEDS, panels
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    NETS,
    first_perfect,
    recipe_of,
    square_only,
)
from boundkit.lab.measuring import collapse_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["P2_FIG2"]

_PARTS = {"L_NC1": "mse.l_nc1", "L_NC2/3": "mse.l_nc23", "L_perp": "mse.l_perp"}
_COLORS = {"L_NC1": BLUE, "L_NC2/3": GREEN, "L_perp": ORANGE}
_PARTS_HOLD = (
    "the parts are of half the squares, summed over outputs and averaged over samples,"
    " with the weight decay of the last layer alone"
)
#: "Negligible" is less than this share of the loss.
_SMALL = 0.1


def _measure(bench: Bench) -> Outcome:
    series, rows, shares, perfect, errors = {}, [], {}, {}, {}
    for net in NETS:
        recipe = recipe_of(bench.scale, net, "square")
        run = bench.runs[recipe]
        decay = recipe.decay
        found = [collapse_of(bench, recipe, e, weight_decay=decay) for e in run.epochs]
        lines: dict[str, list[Any]] = {"epoch": list(run.epochs)}
        lines |= {part: [one[name] for one in found] for part, name in _PARTS.items()}
        series[net] = lines
        perfect[net] = first_perfect(run)
        errors[net] = run.last["train_error"]
        shares[net] = found[-1]["mse.perp_share"]
        rows += [
            {
                "net": net,
                "epoch": epoch,
                "train_error": run.rows[place]["train_error"],
                **{part: lines[part][place] for part in _PARTS},
                "total": one["mse.total"],
            }
            for place, (epoch, one) in enumerate(zip(run.epochs, found, strict=True))
        ]
    return Outcome(
        claims=(
            _negligible(shares),
            _falls(series),
            *(_later(net, series[net], perfect[net], errors[net]) for net in NETS),
        ),
        tables={"main": tuple(rows)},
        series=series,
        notes=(
            *DEPARTURES[bench.scale],
            _PARTS_HOLD,
        ),
    )


def _negligible(shares: Mapping[str, float | None]) -> Claimed:
    told = [share for share in shares.values() if share is not None]
    return Claimed(
        "at the end L_perp is negligible beside L_LS: the classifier stays near the"
        " least-squares one (the central path)",
        "share of L_perp at the end: "
        + ", ".join(f"{net} {shown(share)}" for net, share in shares.items()),
        all(share < _SMALL for share in told) if told else None,
        "" if told else "the decomposition is not defined",
    )


def _falls(series: Mapping[str, Mapping[str, list[Any]]]) -> Claimed:
    ends = {
        net: [(lines[part][0], lines[part][-1]) for part in _PARTS]
        for net, lines in series.items()
    }
    known = [pair for pairs in ends.values() for pair in pairs if None not in pair]
    return Claimed(
        "all parts fall during training",
        "; ".join(
            f"{net} "
            + ", ".join(
                f"{part} {shown(first)} -> {shown(last)}"
                for part, (first, last) in zip(_PARTS, pairs, strict=True)
            )
            for net, pairs in ends.items()
        ),
        all(last < first for first, last in known) if known else None,
    )


def _later(
    net: str,
    lines: Mapping[str, list[Any]],
    perfect: int | None,
    error: float | None,
) -> Claimed:
    claim = (
        f"{net}: after the training error has vanished L_NC1 falls by a larger factor"
        " than L_NC2/3"
    )
    if perfect is None or perfect == lines["epoch"][-1]:
        reason = "no recorded epoch lies behind the first without a training error"
        share = "an unknown share" if error is None else f"{100 * error:.1f} %"
        measured = f"at the end {share} of the training samples are misclassified"
        return Claimed(claim, measured, None, reason)
    at = lines["epoch"].index(perfect)
    one, two = (lines[part][at] / lines[part][-1] for part in ("L_NC1", "L_NC2/3"))
    return Claimed(
        claim,
        f"from epoch {perfect} on: L_NC1 {one:.3g} times smaller, L_NC2/3 {two:.3g}",
        one > two,
        "" if one > two else "L_NC1 did not fall faster here",
    )


def _panel(axis: Axes, lines: Mapping[str, list[Any]]) -> None:
    for part, color in _COLORS.items():
        axis.plot(lines["epoch"], lines[part], color=color, label=part)
    axis.set_yscale("log")


P2_FIG2 = PaperFigure(
    name="p2-fig2",
    paper="P2",
    title="parts of the square loss over epochs",
    claims=("L_perp becomes negligible: nets approach the central path",),
    needs=NEEDS,
    minutes=3.4,
    recipes=square_only,
    measure=_measure,
    draw=partial(
        panels,
        title="Parts of the square loss over epochs",
        about="P2, figure 2",
        label="part of the loss, with weight decay",
        draw=_panel,
    ),
)
