"""How far training went."""

import copy

import numpy as np
import pytest
import torch

from boundkit.errors import UsageError
from boundkit.measure.distances import distances
from tests.certify.examples import cnn, mlp, stored


def test_frobenius_and_spectral_norm_of_the_change():
    start = cnn()
    trained = copy.deepcopy(start)
    torch.manual_seed(1)
    with torch.no_grad():
        for part in trained.parameters():
            part.add_(torch.randn_like(part))
    found = distances(stored(trained), stored(start))
    change = (trained[0].weight - start[0].weight).detach().numpy().reshape(3, -1)

    assert list(found) == ["0.weight", "3.weight"]
    np.testing.assert_allclose(
        found["0.weight"].frobenius, np.linalg.norm(change), rtol=1e-12
    )
    np.testing.assert_allclose(
        found["0.weight"].spectral, np.linalg.norm(change, 2), rtol=1e-12
    )


def test_no_training_no_distance():
    network = stored(cnn())

    assert {d.frobenius for d in distances(network, network).values()} == {0}


def test_another_network_is_refused():
    with pytest.raises(UsageError, match=r"init must hold '0\.weight' of shape"):
        distances(stored(mlp(6, 5, 1)), stored(mlp(6, 4, 1)))
    with pytest.raises(UsageError, match=r"'4\.weight' .* has nothing there"):
        distances(stored(mlp(6, 5, 5, 1)), stored(mlp(6, 5, 5)))
