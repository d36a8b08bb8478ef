"""A network as matrices on whole maps."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify import BOUNDS
from boundkit.certify.chain import chain
from boundkit.certify.unrolled import lipschitz_of_max, log_sums, unroll
from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from tests.certify.examples import certificate, cnn, mlp, seen, stored, wired


def unrolled(module, shape=(1, 6)):
    network = wired(module, shape)
    return unroll(chain(network), network, completed(network, norms(network)), ())


def test_products_of_sums():
    found = np.exp(log_sums([2.0, 3.0], [1.0, 6.0]))

    # P_1 = 2 + 1, P_2 = 3 (3 + 6 / 3).
    np.testing.assert_allclose(found, [1, 3, 15], rtol=1e-12)


def test_widths_inputs_and_nonlinear_blocks_are_counted():
    found = unrolled(cnn(1, nn.ReLU(), nn.MaxPool1d(2)))

    assert (found.width, found.inputs, found.nonlinear) == (12, 6, 1)
    assert (found.windows, found.biased) == (2, False)


def test_a_bias_counts_whatever_its_value():
    module = cnn(bias=True)
    for name, part in module.named_parameters():
        if "bias" in name:
            part.data.zero_()

    assert unrolled(module).biased


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3)])
def test_max_pooling_is_lipschitz_with_the_root_of_the_overlap(kernel, stride):
    pool = nn.MaxPool1d(kernel, stride)
    network = wired(cnn(1, nn.ReLU(), pool), (1, 6))
    stage = next(s for s in chain(network).stages if s.maximum)
    constant = lipschitz_of_max(stage)
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(500, 1, 4, generator=rng) for _ in range(2))
    # Close pairs, where the maximum moves most.
    b = a + 0.01 * b
    ratio = (pool(a) - pool(b)).flatten(1).norm(dim=1) / (a - b).flatten(1).norm(dim=1)

    assert constant == math.sqrt(max(1, min(-(-kernel // stride), len(pool(a)[0, 0]))))
    # Differences of float32 numbers near 1.
    assert float(ratio.max()) <= constant * (1 + 1e-4)


def test_slopes_above_one_and_pooling_stand_before_the_next_layer():
    found = unrolled(cnn(1, nn.LeakyReLU(-3.0), nn.AvgPool1d(2)))

    np.testing.assert_allclose(
        [m.before for m in found.matrices], [1, 3 * math.sqrt(0.5)], rtol=1e-12
    )


def test_dense_layers_alone_need_no_architecture():
    network = stored(mlp(6, 5, 2))
    found = unroll(None, network, completed(network, norms(network)), ())

    assert (found.width, found.inputs, found.nonlinear) == (6, 6, 1)
    np.testing.assert_allclose(
        found.matrices[-1].frobenius, found.matrices[-1].sizes.operator, rtol=1e-8
    )


UNTRACED = [b.id for b in BOUNDS if b.id not in {"holdout", "toeplitz"}]


@pytest.mark.parametrize("bound", UNTRACED)
def test_stored_layers_must_end_in_the_outputs_that_were_seen(bound):
    network = stored(mlp(6, 5, 2))
    found = certificate(bound, network, seen(100, outputs=3))

    assert found.status == "invalid"
    assert any("has 2 outputs" in a.detail for a in found.assumptions)
