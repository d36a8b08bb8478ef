"""The operator norm in the layer table."""

import math

import numpy as np
import torch
from torch import nn

from boundkit.measure.layer_columns import layer_columns
from boundkit.measure.norms import norms
from tests.certify.examples import cnn, stored, wired


def table(network):
    return layer_columns(network, norms(network), None)


def test_convolutions_on_known_maps_have_an_operator_norm():
    module = cnn(padding=1)
    found, notices = table(wired(module, (1, 6)))
    basis = torch.eye(6, dtype=torch.float64).reshape(6, 1, 6)
    unrolled = module[0](basis).detach().flatten(1).T.numpy()

    assert not notices
    np.testing.assert_allclose(
        found["0.weight"]["operator_norm"], np.linalg.norm(unrolled, 2), rtol=1e-8
    )
    assert found["3.weight"]["operator_norm"] == found["3.weight"]["spectral_norm"]


def test_on_unknown_maps_they_have_none():
    found, _ = table(stored(cnn()))

    assert found["0.weight"]["operator_norm"] is None
    assert found["0.weight"]["spectral_norm"] > 0


def test_large_maps_are_not_waited_for():
    module = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False))
    found, _ = table(wired(module, (64, 128, 128)))

    assert found["0.weight"]["operator_norm"] is None


def test_what_has_no_spectrum_is_named():
    module = cnn()
    network = stored(module)
    steps = []
    sizes = norms(network)
    found, notices = layer_columns(network, sizes, lambda *step: steps.append(step))

    assert (len(found), len(notices)) == (2, 0)
    assert steps == [(1, 2, "spectra"), (2, 2, "spectra")]
    assert all(math.isfinite(row["stable_rank"]) for row in found.values())
