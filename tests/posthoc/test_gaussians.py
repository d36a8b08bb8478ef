"""Diagonal Gaussians: divergences and ratios in closed form, and the grid of priors."""

import math

import pytest
import torch

from boundkit.posthoc.gaussians import (
    GRID,
    Posterior,
    Prior,
    best_scales,
    divergence,
    grid_counts,
    grid_scales,
    log_ratio,
    nearest_scales,
    union_nats,
)


def normal(mean, scale, size=1):
    return Posterior(
        torch.full((size,), mean, dtype=torch.float64),
        torch.full((size,), math.log(scale), dtype=torch.float64),
    )


def prior(center, scale, size=1):
    return Prior(
        torch.full((size,), center, dtype=torch.float64),
        torch.tensor([scale], dtype=torch.float64),
        torch.zeros(size, dtype=torch.int64),
    )


def test_divergence_of_two_normals():
    assert float(divergence(normal(1.0, 0.5), prior(0.0, 2.0))) == pytest.approx(
        1.04254436, abs=1e-8
    )


def test_the_ratio_is_zero_where_both_are_the_same():
    h = torch.randn(5, dtype=torch.float64)

    assert float(
        log_ratio(h, normal(0.3, 0.7, 5), prior(0.3, 0.7, 5))
    ) == pytest.approx(0, abs=1e-14)


def test_the_ratio_averages_to_the_divergence():
    q, p = normal(1.0, 0.5, 10), prior(0.0, 2.0, 10)
    source = torch.Generator().manual_seed(0)
    noise = torch.randn(2_000, 10, generator=source, dtype=torch.float64)
    ratios = torch.stack([log_ratio(1.0 + 0.5 * z, q, p) for z in noise])
    error = float(ratios.std()) / math.sqrt(len(ratios))

    assert float(ratios.mean()) == pytest.approx(float(divergence(q, p)), abs=4 * error)


def test_the_best_scale_makes_the_divergence_smallest():
    q = Posterior(
        torch.randn(50, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    )
    groups = torch.zeros(50, dtype=torch.int64)
    center = torch.zeros(50, dtype=torch.float64)
    best = best_scales(q, center, groups, 1)
    least = divergence(q, Prior(center, best, groups))

    for factor in (0.99, 1.01):
        assert divergence(q, Prior(center, best * factor, groups)) > least


def test_large_tensors_have_finer_grids():
    counts = grid_counts([1, 10, 1000, 100_000])

    assert counts == sorted(counts)
    assert union_nats(counts, 1) == pytest.approx(sum(math.log(c) for c in counts))
    assert union_nats(counts, 129) - union_nats(counts, 1) == pytest.approx(
        math.log(129)
    )


def test_the_grid_reaches_its_ends_and_rounding_costs_little():
    low, high = GRID
    counts = grid_counts([1000, 1000, 1000, 1000])
    indices = nearest_scales([low, high, 1e-9, 1e9], counts)

    assert grid_scales(indices, counts) == pytest.approx(
        [low, high, low, high], rel=1e-12
    )
    # N e^2 / 4 at worst, for a grid step e = sqrt(6 / N).
    scale = 0.0317
    (near,) = grid_scales(nearest_scales([scale], [counts[0]]), [counts[0]])
    lost = float(divergence(normal(0.0, scale, 1000), prior(0.0, near, 1000)))
    assert lost < 1.5
