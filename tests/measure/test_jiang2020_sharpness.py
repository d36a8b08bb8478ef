"""The formulas by a direct evaluation, and the analysis that reports them."""

import copy
import math

import numpy as np
import torch
from torch import nn

import boundkit
from boundkit.measure.jiang2020_sharpness import changes, sharpness_measures
from boundkit.types import Sharpness
from tests.certify.examples import mlp, stored

N = 100
RANDOM = np.random.default_rng(0)
W = [RANDOM.normal(size=6), RANDOM.normal(size=3)]
MOVED = [0.5 * RANDOM.normal(size=6), 0.5 * RANDOM.normal(size=3)]
SQUARE = sum(float(w @ w) for w in W)


def values(*inputs):
    return {
        m.name.removeprefix("jiang2020."): m for m in sharpness_measures(*inputs, N)
    }


def test_every_measure_by_direct_evaluation():
    s, t, e = 0.3, 0.7, 1e-3
    d = np.concatenate(MOVED)
    found = values(Sharpness(s), Sharpness(t), SQUARE, MOVED)

    def magnitude(square):
        ratio = (e**2 + (t**2 + 1) * square / 9) / (e**2 + t**2 * d**2)
        return np.log(ratio).sum() / 4 + math.log(N / t) + 10

    expected = {
        "pacbayes_orig": SQUARE / (4 * s**2) + math.log(N / s) + 10,
        "pacbayes_init": d @ d / (4 * s**2) + math.log(N / s) + 10,
        "pacbayes_flatness": 1 / s**2,
        "pacbayes_mag_orig": magnitude(SQUARE),
        "pacbayes_mag_init": magnitude(d @ d),
        "pacbayes_mag_flatness": 1 / t**2,
    }

    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].value, math.sqrt(value / N), rtol=1e-12)
        assert found[name].stderr is None


def test_what_is_not_known_is_left_out():
    one = Sharpness(0.5)

    assert values(None, None, SQUARE, MOVED) == {}
    assert set(values(one, one, SQUARE, None)) == {
        "pacbayes_orig",
        "pacbayes_flatness",
        "pacbayes_mag_flatness",
    }


def test_a_negative_measure_has_no_root():
    far = [np.full(1000, 1e3)]
    (orig,) = (
        m for k, m in values(None, Sharpness(1.0), 1e-9, far).items() if "orig" in k
    )

    assert orig.value is None
    assert orig.stderr is None


def test_the_error_of_flatness_is_that_of_sigma():
    found = values(Sharpness(0.5, 0.01), None, SQUARE, None)["pacbayes_flatness"]

    np.testing.assert_allclose(found.stderr, 0.01 * found.value, rtol=1e-3)


def test_changes_are_entry_by_entry():
    module = mlp(3, 2, 1)
    before = copy.deepcopy(module)
    with torch.no_grad():
        module[2].weight += 2
    start = {x.name: x.weight for x in stored(before).layers}
    first, last = changes(stored(module), start)

    assert not first.any()
    np.testing.assert_allclose(last, [2.0, 2.0], rtol=1e-12)


def names(module, **inputs):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)).astype(np.float32)
    with torch.no_grad():
        outputs = module(torch.from_numpy(x).double())[:, 0].numpy()
    y = np.where(outputs > np.median(outputs), 1, 0)
    report = boundkit.analyze(module, data=(x, y), device="cpu", **inputs)
    return {m.name for m in report.measurements if "pacbayes" in m.name}


def net(*between):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 8), *between, nn.Linear(8, 1)).double().eval()


def test_the_analysis_reports_all_with_a_start():
    start = net(nn.ReLU())
    module = copy.deepcopy(start)
    with torch.no_grad():
        module[0].weight += 0.1

    assert len(names(module, init=start)) == 6
    assert len(names(module)) == 3


def test_folded_weights_are_compared_with_a_folded_start():
    start = net(nn.BatchNorm1d(8).double(), nn.ReLU())
    module = copy.deepcopy(start)
    with torch.no_grad():
        module[0].weight += 0.1
        module[1].running_var *= 2

    assert len(names(module, init=start)) == 6


def test_without_bounds_no_noise_is_tried():
    assert names(net(nn.ReLU()), only=["margins"]) == set()
