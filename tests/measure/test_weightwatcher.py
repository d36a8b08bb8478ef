"""Against the numbers that WeightWatcher itself gives.

The reference was written by weightwatcher 0.7.7 with torch 2.13.0+cpu, numpy 2.4 and
scipy 1.17 on a Xeon with AVX-512, for an ``nn.ModuleDict`` of ``nn.Linear`` and
``nn.Conv2d`` with the weights below::

    WeightWatcher(model=net).analyze(
        randomize=False, vectors=False, plot=False, detX=False, mp_fit=False
    )
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import boundkit
from boundkit.errors import NotApplicable
from boundkit.measure.weightwatcher import weightwatcher, weightwatcher_measurements
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor

REFERENCE = json.loads(
    Path(__file__).with_name("weightwatcher_0_7_7.json").read_text("utf-8")
)


def numbers(shape, seed):
    """The same on any machine: residues, no generator."""
    k = np.arange(int(np.prod(shape)), dtype=np.int64) + 1000 * seed
    u = (k * k * 7919 + k * 104_729 + seed) % 1_000_003
    return (u / 1_000_003 - 0.5).reshape(shape)


def weight(shape, seed):
    column = (shape[0],) + (1,) * (len(shape) - 1)
    w = numbers(shape, seed) * 0.2 * np.exp(2 * numbers(column, seed + 1))
    for i in range(3):
        left = numbers(column, seed + 10 + i)
        right = numbers((1, *shape[1:]), seed + 20 + i)
        w = w + left * right * (0.5 / (i + 1))
    return w.astype(np.float32)


def weights():
    deficient = weight((64, 50), 6)
    deficient[::2] = 0
    return {
        "dense": weight((60, 100), 1),
        "tall": weight((90, 40), 5),
        "deficient": deficient,
        "small": weight((12, 30), 2),
        "tiny": weight((8, 9), 3),
        "conv": weight((24, 16, 3, 3), 4),
        "even": weight((8, 24, 2, 2), 7),
        "odd": weight((8, 24, 3, 3), 8),
        "scaled": weight((60, 100), 1) * np.float32(0.01),
    }


def layer(values, kind=None):
    kind = kind or ("linear" if values.ndim == 2 else "conv2d")
    return Layer("w", kind, StoredTensor(values.shape, "float32", ArrayStorage(values)))


@pytest.mark.parametrize("name", REFERENCE)
def test_numbers_are_weightwatchers(name):
    found = weightwatcher(layer(weights()[name]))

    assert found.keys() == REFERENCE[name].keys()
    for column, value in REFERENCE[name].items():
        # Its float32 weights and our other order of additions.
        np.testing.assert_allclose(found[column], value, rtol=1e-6, err_msg=column)


def test_small_weights_have_no_fit_there():
    found = weightwatcher(layer(weight((60, 100), 1) * np.float32(1e-4)))

    assert found["alpha"] is None
    assert found["log_alpha_norm"] is None
    assert found["stable_rank"] > 1


def test_double_precision_is_rounded_as_there():
    values = weight((30, 20), 1).astype(np.float64) + 1e-9
    double = Layer(
        "w", "linear", StoredTensor((30, 20), "float64", ArrayStorage(values))
    )

    assert weightwatcher(double) == weightwatcher(layer(values.astype(np.float32)))


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        (np.ones((4, 3, 2), np.float32), "conv1d", "reports no conv1d layers"),
        (np.ones((1, 1, 3, 3), np.float32), "conv2d", "takes the kernel for"),
        (np.zeros((9, 9), np.float32), "linear", "zero, or not finite"),
    ],
)
def test_what_it_does_not_report_is_said(values, kind, why):
    with pytest.raises(NotApplicable, match=why):
        weightwatcher(layer(values, kind))


def test_numbers_of_all_layers_and_the_means_over_those_it_takes():
    named = {name: layer(values) for name, values in weights().items()}
    layers = [replace(one, name=name) for name, one in named.items()]
    few = replace(layer(weight((5, 9), 1)), name="few")
    line = layer(np.ones((4, 3, 2), np.float32), "conv1d")
    nothing = replace(layer(np.zeros((9, 9), np.float32)), name="nothing")
    found, told = weightwatcher_measurements([*layers, few, line, nothing])
    values = {(m.name, m.layer): m.value for m in found}

    for name, reference in REFERENCE.items():
        for column, value in reference.items():
            np.testing.assert_allclose(
                values[f"weightwatcher.{column}", name], value, rtol=1e-6
            )
    for column in ("alpha", "alpha_weighted", "log_alpha_norm"):
        each = [reference[column] for reference in REFERENCE.values()]
        mean = values[f"weightwatcher.{column}.mean", None]
        np.testing.assert_allclose(mean, np.mean(each), rtol=1e-6)
    assert values["weightwatcher.alpha", "few"] is not None
    assert [(n.code, n.tensor) for n in told] == [
        ("weightwatcher", name) for name in ("few", "w", "nothing")
    ]
    assert "leaves out layers of this size; not in the means" in told[0].message
    assert "reports no conv1d layers" in told[1].message


def test_a_notice_names_three_layers_and_counts_the_rest():
    same = [
        replace(layer(np.ones((4, 3, 2), np.float32), "conv1d"), name=f"c{i}")
        for i in range(5)
    ]
    seen = []
    found, (notice,) = weightwatcher_measurements(same, lambda *a: seen.append(a))

    assert found == ()
    assert notice.message.startswith("weightwatcher.* of c0, c1, c2 and 2 more: ")
    assert notice.tensor is None
    assert seen[-1] == (5, 5, "weightwatcher")


def test_a_report_has_them_where_they_are_asked_for():
    net = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 9))
    with_them = boundkit.analyze(net, convention="weightwatcher", only=["spectra"])
    without = boundkit.analyze(net, only=["spectra"])
    names = {m.name for m in with_them.measurements} - {
        m.name for m in without.measurements
    }

    assert {name.partition(".")[0] for name in names} == {"weightwatcher"}
    assert with_them.conventions["convention"] == "weightwatcher"
    assert without.conventions["convention"] == "boundkit"


def test_one_position_is_the_matrix_times_its_factor():
    values = weight((60, 100), 1)
    dense, single = (
        weightwatcher(layer(w)) for w in (values, values.reshape(60, 100, 1, 1))
    )

    for name in ("sv_max", "sv_min"):
        np.testing.assert_allclose(single[name], dense[name] * np.sqrt(0.5), rtol=1e-12)
    assert single["matrix_rank"] == dense["matrix_rank"]


def test_kernels_are_taken_apart_in_any_portions(monkeypatch):
    values = weight((24, 16, 3, 3), 4)
    whole = weightwatcher(layer(values))
    monkeypatch.setattr("boundkit.measure.weightwatcher._APART", 16 * 9 * 7)

    assert weightwatcher(layer(values)) == whole
