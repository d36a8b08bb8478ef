"""P1, section 6.1: the bias of SGD with weight decay towards weights of low rank.

Xu, Rangamani, Liao, Galanti, Poggio (2023): Lemma 8, and (53), by which the norm of SGD's
updates of a layer reflects its rank. Dense layers, because the lemma is about those.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit.analysis import analyze
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import CLASSES, FIT, mean_and_error
from boundkit.lab.recipe import Recipe
from boundkit.plot.sheet import COLORS, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.runs import Run

__all__ = ["P1_LOW_RANK"]

_DECAYS = (0.0, 0.001, 0.01)
_BATCHES = {"small": (5, 20, 100), "paper": (32, 128, 512), "test": (5, 20)}
_SEEDS = {"small": 2, "paper": 3, "test": 1}
_N = {"small": 100, "paper": 10_000, "test": 20}
_STEPS = {"small": 1500, "paper": 78_125, "test": 8}
#: Of the hidden layers; the last one has rank 1 with one output.
_HIDDEN = ("dense1.weight", "dense2.weight", "dense3.weight")
#: Of the toolkit's report.
_COLUMNS = (
    "stable_rank",
    "numerical_rank",
    "s3_over_s1",
    "update_norm",
    "lemma8_residual",
    "distance_to_rank_2p",
)
#: A correlation is told from zero below this.
_LEVEL = 0.05

_NOTES = {
    "small": (
        (
            "two classes of Fashion-MNIST (T-shirt, dress) as means over 2 x 2 pixels, 100"
            " training images; three dense layers of 64 units and one output,"
            " Lagrange-normalized, init 1; 1,500 steps at every batch size, cosine from 0.02;"
            " two runs a setting"
        ),
        (
            "the paper shows no figure of this; it refers to Galanti et al. (2022), where batch"
            " size and weight decay are varied as here"
        ),
    ),
    "paper": (
        "the paper shows no figure of this: three dense layers of 512 units; 10,000 images",
    ),
    "test": ("a few steps, to see that all of it runs; nothing can be concluded",),
}
_STABLE = (
    "rank is the stable rank ||V||_F^2 / ||V||_2^2, which moves before the numerical rank"
    " does; mean of the hidden layers"
)


def _recipe(scale: str, batch: int, decay: float, seed: int) -> Recipe:
    return Recipe(
        net="mlp",
        epochs=_STEPS[scale] * batch // _N[scale],
        width={"small": 0.125, "paper": 1.0, "test": 0.03125}[scale],
        parametrization="lagrange",
        rate=0.02,
        schedule="cosine",
        decay=decay,
        decay_on="rho",
        init_kind="norm",
        classes=CLASSES[scale],
        n=_N[scale],
        n_test={"small": 1000, "paper": 2000, "test": 40}[scale],
        preprocessing="standard",
        pooling=1 if scale == "paper" else 2,
        batch=batch,
        seed=seed,
    )


def _cases(scale: str) -> tuple[tuple[int, float, int], ...]:
    return tuple(
        (batch, decay, seed)
        for batch in _BATCHES[scale]
        for decay in _DECAYS
        for seed in range(_SEEDS[scale])
    )


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(_recipe(scale, *case) for case in _cases(scale))


def _measure(bench: Bench) -> Outcome:
    layers = [row for case in _cases(bench.scale) for row in _layers(bench, *case)]
    rows = tuple(_means(layers))
    batches = _BATCHES[bench.scale]
    fitting = [row for row in rows if row["fits"]]
    return Outcome(
        claims=(
            _no_equilibrium([row for row in layers if row["decay"] and row["fits"]]),
            _lower(
                "SGD with weight decay makes the weights' rank lower than without",
                fitting,
                "decay",
                (_DECAYS[-1], _DECAYS[0]),
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
            **{f"weight decay {decay:g}": _line(rows, decay) for decay in _DECAYS},
            "updates": _pairs(layers),
        },
        notes=(*_NOTES[bench.scale], _STABLE),
    )


def _layers(bench: Bench, batch: int, decay: float, seed: int) -> list[dict[str, Any]]:
    """Return ranks and the noise of SGD of every hidden layer of a run."""
    run = bench.runs[_recipe(bench.scale, batch, decay, seed)]
    error = run.last["train_error"]
    about = {"batch": batch, "decay": decay, "seed": seed}
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
        row = {name: own[0][name] for name in ("batch", "decay", "seed", "fits")}
        for column in _COLUMNS:
            known = [one[column] for one in own if one.get(column) is not None]
            row[column] = sum(known) / len(known) if len(known) == len(own) else None
        rows.append(row)
    return rows


def _no_equilibrium(layers: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "with weight decay SGD finds no weights that are an equilibrium of all"
        " minibatches: all layers would have rank 2 at most (Lemma 8)"
    )
    known = [row for row in layers if row.get("lemma8_residual") is not None]
    if not known:
        return Claimed(claim, "no net to look at", None, "no run fits its labels")
    residuals = [row["lemma8_residual"] for row in known]
    shares = [row["s3_over_s1"] for row in known]
    full = [row["numerical_rank"] for row in known]
    measured = (
        f"in {len(known)} hidden layers the numerical rank is {min(full):.0f} or more and"
        f" s_3 / s_1 is {min(shares):.2g} or more; what would vanish at an equilibrium"
        f" (49) is {min(residuals):.2g} or more"
    )
    holds = min(full) > 2 and min(residuals) > 0
    return Claimed(claim, measured, holds, "" if holds else "a layer has rank 2")


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
    others = [name for name in ("batch", "decay", "seed") if name != setting]
    return {
        tuple(row[name] for name in others): row["stable_rank"]
        for row in rows
        if row[setting] == value and row["stable_rank"] is not None
    }


def _reflects(layers: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "the norm of SGD's updates of a layer reflects its rank (53)"
    pairs = _pairs(layers)
    if len(pairs) < 2 * len(_HIDDEN):
        measured = f"{len(pairs)} hidden layers of runs that fit their labels"
        return Claimed(claim, measured, None, "six layers are needed")
    from scipy.stats import spearmanr

    found = spearmanr([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    value, p = float(found.statistic), float(found.pvalue)
    measured = (
        f"Spearman's correlation of update norm and stable rank over {len(pairs)} hidden"
        f" layers of all runs {value:+.2f}, p = {p:.1g}"
    )
    if not p < _LEVEL:
        return Claimed(claim, measured, None, "it is not told from zero")
    return Claimed(
        claim, measured, value > 0, "" if value > 0 else "it is the other way"
    )


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
    minutes=None,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
