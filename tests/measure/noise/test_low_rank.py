"""Low rank: closed forms, the printed example, and SGD itself."""

import numpy as np
import pytest
import torch

from boundkit.errors import NotApplicable, UsageError
from boundkit.measure.noise.low_rank import (
    distance_to_rank,
    rank_bound,
    spectrum,
)
from tests.measure.noise.nets import mlp


def test_the_rank_bound_of_the_example():
    found = rank_bound(0.1, 0.01, 1, 1, epsilon=0.01)

    assert (found.steps, found.rank, found.printed_steps) == (2301, 2301, 2650)


def test_the_rank_bound_counts_batch_and_patches():
    assert rank_bound(0.1, 0.01, 4, 9).rank == 2301 * 36


def test_a_larger_start_takes_more_steps():
    found = rank_bound(0.1, 0.01, 1, 1, ratio=2.0)

    assert found.steps == 2647
    assert found.steps <= found.printed_steps


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ((1.0, 0.5, 1, 1), r"must lie in \(0, 1\), but is 1"),
        ((1.0, 0.0, 1, 1), r"must lie in \(0, 1\), but is 0"),
        ((0.1, 0.1, 1, 1, 1.0), r"epsilon must lie in \(0, 1\), but got 1"),
        ((0.1, 0.1, 1, 1, 0.1, 0.0), "ratio must be positive and finite, but got 0"),
    ],
)
def test_senseless_settings_are_refused(settings, match):
    with pytest.raises(UsageError, match=match):
        rank_bound(*settings)


def test_sgd_forgets_all_but_the_last_steps():
    # The recursion that the bound rests on, run: one sample a step, dense layers.
    torch.manual_seed(0)
    net = mlp(12, 9, 1)
    weight, mu, lam, steps = net[0].weight, 0.2, 0.3, 3
    optimizer = torch.optim.SGD(net.parameters(), lr=mu, weight_decay=2 * lam)
    x = torch.randn(steps, 12, dtype=torch.float64)
    before = weight.detach().clone()
    for sample in x:
        optimizer.zero_grad()
        (net(sample[None]) - 1).square().sum().backward()
        optimizer.step()
    after, decay = weight.detach().numpy(), (1 - 2 * mu * lam) ** steps
    update = after - decay * before.numpy()
    ratio = float(before.norm()) / np.linalg.norm(after)

    assert np.linalg.matrix_rank(update, tol=1e-12) <= steps
    assert distance_to_rank(spectrum(after), steps) <= decay * ratio


def test_distances_are_those_of_the_truncated_svd():
    values = np.random.default_rng(0).standard_normal((5, 8))
    u, s, v = np.linalg.svd(values, full_matrices=False)
    for rank in range(6):
        best = (u[:, :rank] * s[:rank]) @ v[:rank]
        expected = np.linalg.norm(values - best) / np.linalg.norm(values)

        np.testing.assert_allclose(
            distance_to_rank(spectrum(values), rank), expected, rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("shape", [(450, 460), (460, 450), (3, 500)])
def test_the_spectrum_is_that_of_the_svd_at_any_scale(shape, scale):
    values = np.random.default_rng(0).standard_normal(shape)

    np.testing.assert_allclose(
        spectrum(values * scale) / scale,
        np.linalg.svd(values, compute_uv=False),
        rtol=1e-9,
    )


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((2, 2)), "the weight is zero"),
        (np.array([[np.nan, 1.0]]), "the weight is not finite"),
        (np.broadcast_to(1.0, (9000, 9000)), "takes too long"),
        (np.zeros((0, 2)), "the weight is zero"),
    ],
)
def test_what_has_no_spectrum_says_why(values, match):
    with pytest.raises(NotApplicable, match=match):
        spectrum(values)
