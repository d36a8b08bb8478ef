from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from boundkit.lab.dynamics.flow_net import (
    Sample,
    fixed_norm_slopes,
    free_slopes,
    margins_of,
    random_directions,
)
from boundkit.lab.dynamics.flow_paths import free_path, norms_fixed_path
from boundkit.lab.dynamics.flow_times import regular_times

DECAY = 0.01
FINE = {"solver": "RK45", "rtol": 1e-8, "atol": 1e-11, "progress": None}


@cache
def sample():
    generator = np.random.default_rng(3)
    signs = np.where(np.arange(12) % 2, 1.0, -1.0)
    inputs = generator.standard_normal((12, 4)) + signs[:, None]
    inputs /= np.linalg.norm(inputs, axis=1)[:, None]
    return Sample("made", inputs, signs, 0.2)


@cache
def start():
    return random_directions((5,), sample(), 0)[0]


@cache
def fixed(end=20.0):
    return norms_fixed_path(
        0.5, start(), sample(), DECAY, regular_times(end, 25), **FINE
    )


@cache
def free(end=20.0):
    return free_path(0.5, start(), sample(), DECAY, regular_times(end, 25), **FINE)


def test_tiny_steps_of_euler_go_the_same_way():
    rho, layers, step = 0.5, [layer.copy() for layer in start()], 2e-3
    for _ in range(2_000):
        slopes = fixed_norm_slopes(rho, layers, sample(), DECAY)
        rho += step * slopes.rho
        layers = [v + step * d for v, d in zip(layers, slopes.layers, strict=True)]

    # Euler's error is of the size of its step.
    assert fixed(4.0).rho == pytest.approx(rho, rel=2e-3)
    for one, other in zip(fixed(4.0).layers, layers, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-3)


def test_tiny_steps_of_torchs_sgd_go_the_way_of_free_norms():
    data = sample()
    share = 0.5**0.5
    weights = [torch.tensor(share * layer, requires_grad=True) for layer in start()]
    descent = torch.optim.SGD(weights, lr=4e-3)
    x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.signs)
    for _ in range(1_000):
        z = x @ weights[0].T
        q = data.rounding * x.norm(dim=1, keepdim=True) * weights[0].norm()
        f = (((z + (z**2 + q**2).sqrt()) / 2) @ weights[1].T)[:, 0]
        rho = weights[0].norm() * weights[1].norm()
        loss = ((1 - y * f) ** 2).mean() + DECAY * rho**2
        descent.zero_grad()
        loss.backward()
        descent.step()

    # Descent's error is of the size of its rate.
    for one, other in zip(free(4.0).layers, weights, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=0, atol=6e-3)


@pytest.mark.parametrize("path", [fixed, free])
def test_the_loss_falls_by_what_is_dissipated(path):
    column = path().table.column
    loss = column("loss")

    np.testing.assert_allclose(loss + column("dissipated"), loss[0], rtol=1e-6)
    assert (np.diff(loss) <= 0).all()


def test_norms_are_kept():
    assert fixed().table.column("norm_error").max() < 1e-6
    assert free().table.column("norm_error").max() < 1e-6


def test_rho_moves_as_eq_6_says():
    column = fixed().table.column
    found = column("rho_dot_found")

    assert np.isnan(found[[0, -1]]).all()
    # Differences over a hundredth of the spacing.
    np.testing.assert_allclose(found[1:-1], column("rho_dot")[1:-1], rtol=0, atol=3e-5)
    np.testing.assert_allclose(
        column("lemma_4")[1:-1], column("loss")[1:-1], rtol=3e-5, atol=0
    )


def test_free_norms_move_as_p0_12_and_13_say():
    column = free().table.column
    found = column("rho_dot_found")[1:-1]

    np.testing.assert_allclose(found, column("rho_dot")[1:-1], rtol=0, atol=3e-5)
    # Balanced norms drift by the solver's tolerance.
    assert column("direction_error").max() < 1e-6


def test_the_sign_of_eq_13_as_printed_is_wrong():
    layers = [0.5**0.5 * layer for layer in start()]
    moved = free_slopes(layers, sample(), 0.0)[0]
    mended = fixed_norm_slopes(0.5, start(), sample(), 0.0).layers[0]

    assert np.vdot(moved, mended) > 0


def test_quantities_are_those_of_the_margins():
    column = fixed().table.column
    fb = margins_of(start(), sample())
    square = np.mean(fb**2) + DECAY

    for name, expected in {
        "mean_margin": fb.mean(),
        "margin_deviation": fb.std(),
        "least_margin": fb.min(),
        "train_error": np.mean(fb <= 0),
        "rho_eq": fb.mean() / square,
        "epsilon": 1 - fb.mean() ** 2 / square,
        "gap": 1 - 0.5 * fb.mean(),
        "rho_dot": 2 * (fb.mean() - 0.5 * square),
        "loss": np.mean((1 - 0.5 * fb) ** 2) + DECAY * 0.25,
    }.items():
        assert column(name)[0] == pytest.approx(expected, rel=1e-10), name


def test_one_sample_and_a_linear_net_keep_their_first_integral():
    """Angle a, margin cos a, lam = 0: rho^2/2 + log sin a is constant along the flow."""
    one = Sample("one", np.array([[1.0, 0.0]]), np.array([1.0]))
    angles = []
    begin = (np.array([[np.cos(1.2), np.sin(1.2)]]),)
    for end in (0.1, 0.5, 1.5):
        path = norms_fixed_path(0.4, begin, one, 0.0, regular_times(end, 5), **FINE)
        angle = np.arccos(path.layers[0][0, 0])
        angles.append(path.rho**2 / 2 + np.log(np.sin(angle)))

    np.testing.assert_allclose(angles, 0.08 + np.log(np.sin(1.2)), rtol=0, atol=1e-7)


def test_a_linear_net_without_unit_norms_goes_straight():
    """One unit input: w(t) = w + (1 - exp(-2 t)) (1 - w x) x."""
    one = Sample("one", np.array([[1.0, 0.0]]), np.array([1.0]))
    begin = (np.array([[0.6, 0.8]]),)
    path = free_path(0.5, begin, one, 0.0, regular_times(1.0, 5), **FINE)
    expected = [[0.3 + (1 - np.exp(-2.0)) * 0.7, 0.4]]

    np.testing.assert_allclose(path.layers[0], expected, rtol=1e-7)


def test_at_rest_it_is_at_equilibrium():
    path = norms_fixed_path(
        0.5,
        start(),
        sample(),
        0.05,
        regular_times(400.0, 12),
        solver="BDF",
        rtol=1e-6,
        atol=1e-9,
        progress=None,
    )
    last = {each.name: each.numbers[-1] for each in path.table.columns}

    assert path.stopped is None
    assert last["rho"] == pytest.approx(last["rho_eq"], rel=1e-4)
    assert last["loss"] == pytest.approx(last["epsilon"], rel=1e-6)
    assert last["gap"] == pytest.approx(last["epsilon"], rel=1e-4)
    assert last["rest_residual"] < 1e-2


def test_rho_through_zero_is_followed_and_the_flow_still_eq_6():
    """All samples on the wrong side: rho falls through 0, where its logarithm ends."""
    data = sample()
    against = tuple(-v if at == 1 else v for at, v in enumerate(start()))
    assert margins_of(against, data).mean() < 0
    path = norms_fixed_path(1e-3, against, data, DECAY, regular_times(0.5, 8), **FINE)
    column = path.table.column

    assert column("rho")[-1] < 0
    np.testing.assert_allclose(
        column("rho_dot_found")[1:-1], column("rho_dot")[1:-1], rtol=1e-3
    )


def test_a_path_that_cannot_be_followed_keeps_what_was_seen():
    path = norms_fixed_path(
        1e200, start(), sample(), DECAY, regular_times(20.0, 25), **FINE
    )

    assert path.stopped is not None
    assert path.stopped.startswith("normalized flow, at time")
    assert path.table.column("rho")[0] == 1e200
