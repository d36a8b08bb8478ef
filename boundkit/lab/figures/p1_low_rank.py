"""P1, section 6.1: the bias of SGD with weight decay towards weights of low rank.

Xu, Rangamani, Liao, Galanti, Poggio (2023): Lemma 8, and (53), by which the norm of SGD's
updates of a layer reflects its rank. Dense layers, because the lemma is about those.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit.analysis import analyze
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_dense import (
    BATCHES,
    DECAYS,
    NOTES,
    RANK,
    cases,
    every,
    recipe_of,
)
from boundkit.lab.figures.xu2023_few import FIT, mean_and_error
from boundkit.plot.sheet import COLORS, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.runs import Run

__all__ = ["P1_LOW_RANK"]

#: Of the hidden layers; the last one has rank 1 with one output.
_HIDDEN = ("dense1.weight", "dense2.weight")
_SETTINGS = ("batch", "decay", "seed")
#: Of the toolkit's report.
_COLUMNS = (
    "stable_rank",
    "numerical_rank",
    "s3_over_s1",
    "update_norm",
    "lemma8_residual",
    "lemma8_norm",
    "distance_to_rank_2p",
)
#: A correlation is told from zero below this, where there are so many layers.
_LEVEL, _PAIRS = 0.05, 6
#: "Vanishes": below this share of the largest update of a sample.
_VANISHES = 0.01


def _measure(bench: Bench) -> Outcome:
    layers = [row for case in cases(bench.scale) for row in _layers(bench, *case)]
    rows = tuple(_means(layers))
    batches = BATCHES[bench.scale]
    fitting = [row for row in rows if row["fits"]]
    decaying = [row for row in layers if row["decay"] and row["fits"]]
    return Outcome(
        claims=(
            _no_equilibrium(decaying),
            _not_all_small(decaying),
            _lower(
                "SGD with weight decay makes the weights' rank lower than without",
                fitting,
                "decay",
                (DECAYS[-1], DECAYS[0]),
            ),
            _lower(
                "smaller minibatches make the weights' rank lower (weight decay > 0)",
                [row for row in fitting if row["decay"]],
                "batch",
                (batches[0], batches[-1]),
            ),
            _reflects([row for row in layers if row["fits"]]),
        ),
        tables={"main": rows, "layers": tuple(layers)},
        series={
            **{f"weight decay {decay:g}": _line(rows, decay) for decay in DECAYS},
            "updates": _pairs(layers),
        },
        notes=(*NOTES[bench.scale], RANK),
    )


def _layers(bench: Bench, batch: int, decay: float, seed: int) -> list[dict[str, Any]]:
    """Return ranks and the noise of SGD of every hidden layer of a run."""
    run = bench.runs[recipe_of(bench.scale, batch, decay, seed)]
    error = run.last["train_error"]
    about = {"batch": batch, "decay": decay, "seed": seed, "loss": run.last["loss"]}
    if error is None or run.diverged is not None:
        return [about | {"layer": name, "fits": False} for name in _HIDDEN]
    found = _columns(run, bench.device)
    return [
        about
        | {"layer": name, "fits": error <= FIT}
        | {column: found[name].get(column) for column in _COLUMNS}
        for name in _HIDDEN
    ]


def _columns(run: Run, device: str) -> dict[str, dict[str, Any]]:
    """Return what the toolkit says of layers, by name."""
    report = analyze(
        run.checkpoint(),
        model=run.net(),
        data=run.data_spec,
        only=("spectra", "noise"),
        loss="square",
        sgd_batch=run.recipe.batch,
        device=device,
    )
    noisy = (report.noise or {}).get("layers", {})
    return {
        layer.name: {**layer.columns, **noisy.get(layer.name, {})}
        for layer in report.layers
    }


def _means(layers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row a run: means over its hidden layers."""
    rows = []
    for at in range(0, len(layers), len(_HIDDEN)):
        own = layers[at : at + len(_HIDDEN)]
        row = {name: own[0][name] for name in (*_SETTINGS, "fits", "loss")}
        for column in _COLUMNS:
            known = [one[column] for one in own if one.get(column) is not None]
            row[column] = sum(known) / len(known) if len(known) == len(own) else None
        rows.append(row)
    return rows


def _no_equilibrium(layers: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "with weight decay SGD finds no weights that are an equilibrium of all"
        " minibatches (Lemma 8)"
    )
    known = [row for row in layers if row.get("lemma8_residual") is not None]
    if not known:
        return Claimed(claim, "no net to look at", None, "no run fits its labels")
    shares = [row["lemma8_residual"] / row["lemma8_norm"] for row in known]
    measured = (
        f"the largest difference of two samples' updates (49), which would vanish, is"
        f" {min(shares):.2g} to {max(shares):.2g} of the largest update in {len(known)}"
        " hidden layers"
    )
    holds = min(shares) > _VANISHES
    reason = "" if holds else f"in a layer it is below {_VANISHES:g}"
    return Claimed(claim, measured, holds, reason)


def _not_all_small(layers: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "nets that fit their labels do not have rank 2 in all layers"
    runs: dict[tuple[Any, ...], list[float]] = {}
    for row in layers:
        runs.setdefault(tuple(row[name] for name in _SETTINGS), []).append(
            row["numerical_rank"]
        )
    if not runs:
        return Claimed(claim, "no net to look at", None, "no run fits its labels")
    small = sum(max(own) <= 2 for own in runs.values())
    single = [rank for own in runs.values() for rank in own]
    measured = (
        f"{small} of {len(runs)} nets have numerical rank 2 or less in both hidden layers;"
        f" of single hidden layers {sum(rank <= 2 for rank in single)} of {len(single)},"
        f" the others up to {max(single):.0f}"
    )
    reason = "" if small == 0 else "these images do not need more"
    return Claimed(claim, measured, small == 0, reason)


def _lower(
    claim: str,
    rows: Sequence[Mapping[str, Any]],
    setting: str,
    values: tuple[float, float],
) -> Claimed:
    """Judge stable ranks of runs that agree in all but a setting."""
    one, other = (_by_others(rows, setting, value) for value in values)
    shared = sorted(set(one) & set(other))
    if len(shared) < 3:
        return Claimed(
            claim,
            f"{len(shared)} pairs of runs that fit their labels",
            None,
            "three pairs are needed",
        )
    differences = [one[key] - other[key] for key in shared]
    mean, error = mean_and_error(differences)
    what = "weight decay" if setting == "decay" else "batch"
    measured = (
        f"mean stable rank {sum(one[key] for key in shared) / len(shared):.3g} at {what}"
        f" {values[0]:g} and {sum(other[key] for key in shared) / len(shared):.3g} at"
        f" {values[1]:g}; difference {mean:+.2g} +- {error:.1g} over {len(shared)} pairs"
    )
    if abs(mean) <= 2 * error:
        reason = "the difference is within two standard errors"
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, mean < 0, "" if mean < 0 else "it is higher")


def _by_others(
    rows: Sequence[Mapping[str, Any]], setting: str, value: float
) -> dict[tuple[float, ...], float]:
    others = [name for name in _SETTINGS if name != setting]
    return {
        tuple(row[name] for name in others): row["stable_rank"]
        for row in rows
        if row[setting] == value and row["stable_rank"] is not None
    }


def _reflects(layers: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "the norm of SGD's updates of a layer reflects its rank (53)"
    pairs = _pairs(layers)
    if len(pairs) < _PAIRS:
        measured = f"{len(pairs)} hidden layers of runs that fit their labels"
        return Claimed(claim, measured, None, f"{_PAIRS} layers are needed")
    from scipy.stats import spearmanr

    found = spearmanr([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    value, p = float(found.statistic), float(found.pvalue)
    measured = (
        f"Spearman's correlation of update norm and stable rank over {len(pairs)} hidden"
        f" layers of all runs {value:+.2f}, p = {p:.1g}"
    )
    if not p < _LEVEL:
        return Claimed(claim, measured, None, "it is not told from zero")
    reason = "" if value > 0 else "it is the other way"
    return Claimed(claim, measured, value > 0, reason)


def _pairs(layers: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    return [
        [row["update_norm"], row["stable_rank"]]
        for row in layers
        if row["fits"] and None not in {row["update_norm"], row["stable_rank"]}
    ]


def _line(rows: Sequence[Mapping[str, Any]], decay: float) -> dict[str, Any]:
    """Return mean stable ranks by batch, fitting runs only."""
    batches = sorted({row["batch"] for row in rows})
    found = [
        mean_and_error([
            row["stable_rank"]
            for row in rows
            if row["fits"] and row["decay"] == decay and row["batch"] == batch
        ])
        for batch in batches
    ]
    return {
        "batch": batches,
        "mean": [mean for mean, _ in found],
        "stderr": [error for _, error in found],
    }


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(9, 3.8, "Rank of weights after SGD", "P1, section 6", 1, 2)
    lines = {name: one for name, one in outcome.series.items() if name != "updates"}
    for (name, line), color in zip(lines.items(), COLORS, strict=False):
        mean, error = (
            [math.nan if value is None else value for value in line[part]]
            for part in ("mean", "stderr")
        )
        axes[0].errorbar(
            line["batch"], mean, error, color=color, marker="o", capsize=3, label=name
        )
    axes[0].set_xscale("log")
    axes[0].set_xlabel("batch size; runs that fit their labels")
    axes[0].set_ylabel("stable rank, mean of hidden layers")
    axes[0].legend(fontsize=7, frameon=False)
    pairs = outcome.series["updates"]
    axes[1].plot(
        [pair[0] for pair in pairs], [pair[1] for pair in pairs], ".", color=COLORS[0]
    )
    if pairs:
        axes[1].set_xscale("log")
    axes[1].set_xlabel("norm of SGD's update (53); a dot a layer")
    axes[1].set_ylabel("stable rank")
    return figure


P1_LOW_RANK = PaperFigure(
    name="p1-low-rank",
    paper="P1",
    title="rank of weights after SGD, by batch size and weight decay",
    claims=(
        "SGD with weight decay has a bias towards low rank, set by the batch size",
        "no weights are an equilibrium of all minibatches (Lemma 8)",
    ),
    needs="Fashion-MNIST or other images",
    minutes=1.1,
    recipes=every,
    measure=_measure,
    draw=_draw,
)
