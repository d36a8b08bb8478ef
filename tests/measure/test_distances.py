"""How far training went."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.errors import UsageError
from boundkit.layers import from_tensors
from boundkit.measure.distances import distances, rewritten_like
from boundkit.normalize import normalized
from tests.certify.examples import cnn, mlp, stored
from tests.normalize.nets import trained, wired


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


def _normalized_net():
    torch.manual_seed(0)
    return trained(
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    )


def _both(module):
    checkpoint = readers.read(module)
    before = wired(module, (3,))
    return checkpoint, before, normalized(before)


def test_the_start_is_folded_as_the_trained_network_is():
    start, trained_net = _normalized_net(), _normalized_net()
    with torch.no_grad():
        trained_net[0].weight += 1
        trained_net[1].running_var *= 4
    checkpoint, _, _ = _both(start)
    _, before, after = _both(trained_net)
    bare, _ = from_tensors(checkpoint)
    found = rewritten_like(bare, checkpoint.tensors, before, after)

    def folded(net):
        scale = net[1].weight / (net[1].running_var + net[1].eps).sqrt()
        return (scale[:, None] * net[0].weight).detach().double().numpy()

    change = folded(trained_net) - folded(start)
    np.testing.assert_allclose(
        distances(after, found)["0.weight"].frobenius,
        np.linalg.norm(change),
        rtol=1e-5,  # the reference folds in float32
    )


def test_a_start_without_the_statistics_is_refused():
    start, module = _normalized_net(), _normalized_net()
    start[1].running_mean.fill_(float("nan"))
    checkpoint, _, _ = _both(start)
    _, before, after = _both(module)
    bare, _ = from_tensors(checkpoint)

    with pytest.raises(UsageError, match=r"init must hold .* folded into '0\.weight'"):
        rewritten_like(bare, checkpoint.tensors, before, after)


def test_without_an_architecture_nothing_is_folded():
    network = stored(cnn())

    assert rewritten_like(network, {}, network, network) is network
