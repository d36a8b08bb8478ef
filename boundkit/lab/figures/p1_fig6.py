"""P1, figures 6 and 7: rho, errors and bounds against the number of training images.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 4.3: six layers whose patches overlap
(6), three whose patches do not (7). Their bound is a constant times rho / sqrt(N); the
toolkit's own certificate for convolutions is measured beside it, because it holds.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.analysis import analyze
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import mean_and_error, rho_of
from boundkit.lab.figures.xu2023_sizes import COUNTS, NOTES, SIX, THREE, recipes_of
from boundkit.plot.sheet import BLUE, GRAY, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

__all__ = ["P1_SIZES"]

_BOUNDS = {
    "sparse_cnn": "certificate for convolutions",
    "dense": "certificate, dense layers",
    "toeplitz": "certificate, convolutions as dense layers",
    "neyshabur2015": "certificate, Neyshabur et al. (2015)",
}
_MEASURES = {"rho_over_sqrt_n": "rho / sqrt(N)", "parameters": "sqrt(parameters / N)"}
#: "An order of magnitude", and "orders of magnitude".
_ORDER, _ORDERS = 10.0, 100.0

_MORE = (
    "one output and targets -1/+1; the paper's nets have two outputs",
    "errors are those at the end, not means over the last 100 epochs",
    (
        "certificates hold with probability 0.95 and from the measured margins; where labels"
        " are not fitted they count that, too"
    ),
)


def _measure(net: str, bench: Bench) -> Outcome:
    runs = tuple(_run(bench, recipe) for recipe in recipes_of(net, bench.scale))
    rows = tuple(
        _mean(n, [run for run in runs if run["N"] == n]) for n in COUNTS[bench.scale]
    )
    near = _by_an_order(rows) if net == SIX else _almost(rows)
    return Outcome(
        claims=(
            near,
            _looser(rows),
            _sparse(rows),
            _falls(rows, "gap", "generalization gap"),
            _falls(rows, "sparse_cnn", "bound"),
        ),
        tables={"main": rows, "runs": runs},
        series={name: [row[name] for row in rows] for name in rows[0]},
        notes=(*NOTES[bench.scale], *_MORE),
    )


def _run(bench: Bench, recipe: Recipe) -> dict[str, Any]:
    run = bench.runs[recipe]
    last = run.last
    known = last["test_error"] is not None and last["train_error"] is not None
    return {
        "N": recipe.n,
        "seed": recipe.seed,
        "rho": rho_of(run),
        "train_error": last["train_error"],
        "test_error": last["test_error"],
        "gap": last["test_error"] - last["train_error"] if known else None,
        **(_bounds(run, bench.device) if run.diverged is None else {}),
    }


def _bounds(run: Run, device: str) -> dict[str, float | None]:
    report = analyze(
        run.checkpoint(),
        model=run.net(),
        data=run.data_spec,
        only=("norms", "margins", "bounds"),
        device=device,
    )
    values = {name: report.certificates[name].value for name in _BOUNDS}
    n = run.recipe.n
    values["rho_over_sqrt_n"] = rho_of(run) / math.sqrt(n)
    values["parameters"] = math.sqrt(report.checkpoint.parameters / n)
    return values


def _mean(n: int, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"N": n}
    names = ("rho", "train_error", "test_error", "gap", *_BOUNDS, *_MEASURES)
    for name in names:
        values = [run[name] for run in runs if run.get(name) is not None]
        row[name], row[f"{name}_stderr"] = mean_and_error(values)
    return row


def _each(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    return ", ".join(f"{row[name]:.3g} (N = {row['N']})" for row in rows)


def _defined(rows: Sequence[Mapping[str, Any]], *names: str) -> bool:
    return all(math.isfinite(row[name]) for row in rows for name in names)


def _unknown(claim: str) -> Claimed:
    return Claimed(claim, "not defined", None, "a bound or an error is not finite")


def _by_an_order(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "the bounds are vacuous, but only by an order of magnitude"
    if not _defined(rows, "sparse_cnn"):
        return _unknown(claim)
    values = [row["sparse_cnn"] for row in rows]
    measured = (
        f"the toolkit's certificate for convolutions: {_each(rows, 'sparse_cnn')};"
        f" rho / sqrt(N) alone: {_each(rows, 'rho_over_sqrt_n')}"
    )
    if max(values) > _ORDER:
        return Claimed(claim, measured, False, "it is more than ten times too large")
    reason = "at some N it is not even vacuous" if min(values) < 1 else ""
    return Claimed(claim, measured, True, reason)


def _almost(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "the bounds are almost not vacuous, depending on the constant"
    if not _defined(rows, "sparse_cnn"):
        return _unknown(claim)
    last = rows[-1]
    measured = (
        f"at N = {last['N']} rho / sqrt(N) is {last['rho_over_sqrt_n']:.3g}, with constant"
        f" 1; the toolkit's certificate for convolutions is {last['sparse_cnn']:.3g}"
    )
    if last["rho_over_sqrt_n"] >= 1:
        return Claimed(claim, measured, False, "it is vacuous even with constant 1")
    reason = (
        "not vacuous with constant 1, which is not proved; a constant that is proved"
        f" makes it {last['sparse_cnn'] / last['rho_over_sqrt_n']:.0f} times larger"
    )
    return Claimed(claim, measured, True, reason if last["sparse_cnn"] >= 1 else "")


def _looser(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "bounds from the number of parameters are typically much looser"
    if not _defined(rows, "sparse_cnn", "rho_over_sqrt_n"):
        return _unknown(claim)
    ratios = [row["parameters"] / row["rho_over_sqrt_n"] for row in rows]
    proved = [row["parameters"] / row["sparse_cnn"] for row in rows]
    measured = (
        f"both without constants, sqrt(parameters / N) is {min(ratios):.3g} to"
        f" {max(ratios):.3g} times rho / sqrt(N); it is {min(proved):.2g} to"
        f" {max(proved):.2g} times the certificate, which has its constants"
    )
    holds = min(ratios) >= _ORDER
    if not holds:
        return Claimed(claim, measured, False, "nets this narrow have few parameters")
    reason = "for nets this narrow not if constants count" if min(proved) < 1 else ""
    return Claimed(claim, measured, True, reason)


def _sparse(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "bounds that use the norms of kernels are orders of magnitude smaller than those"
        " that take convolutions as dense layers"
    )
    if not _defined(rows, "sparse_cnn", "toeplitz"):
        return _unknown(claim)
    ratios = [row["toeplitz"] / row["sparse_cnn"] for row in rows]
    measured = (
        f"as dense layers {_each(rows, 'toeplitz')}, that is {min(ratios):.3g} to"
        f" {max(ratios):.3g} times the certificate for convolutions"
    )
    if min(ratios) >= _ORDERS:
        return Claimed(claim, measured, True)
    if min(ratios) <= 1:
        return Claimed(claim, measured, False, "they are not smaller")
    return Claimed(
        claim, measured, False, "smaller, but not by two orders of magnitude"
    )


def _falls(rows: Sequence[Mapping[str, Any]], name: str, what: str) -> Claimed:
    claim = f"the {what} falls as N grows (the paper's bars; its text gives no numbers)"
    first, last = rows[0], rows[-1]
    if not _defined((first, last), name):
        return _unknown(claim)
    change = last[name] - first[name]
    errors = [row[f"{name}_stderr"] for row in (first, last)]
    error = math.hypot(*(e if math.isfinite(e) else 0.0 for e in errors))
    measured = f"{what} {_each(rows, name)}"
    if abs(change) <= 2 * error:
        reason = (
            f"a change of {change:.2g} is within two standard errors of {error:.1g}"
        )
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, change < 0, "" if change < 0 else "it grows")


def _draw(name: str, outcome: Outcome) -> Figure:
    figure, axes = sheet(
        11, 3.6, "rho, errors and bounds against N", f"P1, figure {name}", 1, 3
    )
    lines = outcome.series
    n = lines["N"]
    axes[0].plot(n, lines["rho"], color=BLUE, marker="o")
    axes[0].set_ylabel("rho")
    axes[0].set_ylim(bottom=0)
    for error, color in (("test_error", ORANGE), ("train_error", GREEN), ("gap", GRAY)):
        label = {"gap": "gap"}.get(error, error.replace("_", " "))
        axes[1].plot(n, lines[error], color=color, marker="o", label=label)
    axes[1].set_ylabel("share of errors")
    colors = (BLUE, ORANGE, GREEN, GRAY)
    for (bound, label), color in zip(
        (("sparse_cnn", _BOUNDS["sparse_cnn"]), *_shown()), colors, strict=True
    ):
        axes[2].plot(n, lines[bound], color=color, marker="o", label=label)
    axes[2].axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes[2].set_yscale("log")
    axes[2].set_ylabel("bound on the error (dotted: vacuous)")
    # Room for the legend.
    axes[2].set_ylim(top=100 * axes[2].get_ylim()[1])
    for axis in axes:
        axis.set_xscale("log")
        axis.set_xticks(n, [f"{each:,}" for each in n])
        axis.minorticks_off()
        axis.set_xlabel("training images N")
    for axis in axes[1:]:
        axis.legend(fontsize=7, frameon=False)
    return figure


def _shown() -> tuple[tuple[str, str], ...]:
    return (("toeplitz", _BOUNDS["toeplitz"]), *_MEASURES.items())


def _figure(name: str, net: str, about: str, claim: str, minutes: float) -> PaperFigure:
    return PaperFigure(
        name=f"p1-fig{name}",
        paper="P1",
        title=f"rho, errors and bounds against N, {about}",
        claims=(claim, "they are much smaller than those for dense layers"),
        needs="Fashion-MNIST or other images",
        minutes=minutes,
        recipes=partial(recipes_of, net),
        measure=partial(_measure, net),
        draw=partial(_draw, name),
    )


P1_SIZES = (
    _figure(
        "6",
        SIX,
        "overlapping patches",
        "bounds are vacuous by an order of magnitude only",
        2.3,
    ),
    _figure("7", THREE, "patches apart", "bounds are almost not vacuous", 1.4),
)
