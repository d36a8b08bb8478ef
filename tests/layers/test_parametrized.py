"""Weights stored in pieces, against the weight that torch's own module applies."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.nn.utils import spectral_norm as old_spectral_norm

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.layers.parametrized import rebuild
from boundkit.numerics.blocks import array

MODULES = {
    "linear": lambda: nn.Linear(5, 4),
    "square": lambda: nn.Linear(4, 4),
    "one row": lambda: nn.Linear(5, 1),
    "one column": lambda: nn.Linear(1, 5),
    "conv": lambda: nn.Conv2d(3, 4, 3),
    "square conv": lambda: nn.Conv2d(4, 4, 1),
    "conv1d": lambda: nn.Conv1d(2, 6, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(3, 5, 2),
    "square transposed": lambda: nn.ConvTranspose1d(4, 4, 3),
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}


def old_weight_norm(module, dim):
    # torch deprecates it, but checkpoints in the wild have it.
    with pytest.warns(FutureWarning, match="weight_norm"):
        return nn.utils.weight_norm(module, dim=dim)


def applied(module):
    """The weight that the module applies in eval mode."""
    module.eval()
    with torch.no_grad():
        for hook in module._forward_pre_hooks.values():
            hook(module, None)
        return module.weight.double().numpy()


def rebuilt(module):
    tensors = readers.read(nn.Sequential(module)).tensors
    (found,) = rebuild(tensors)

    assert found.name == "0.weight"
    return found


def compare(module, dtype):
    expected = applied(module)
    found = rebuilt(module)
    values = array(found.tensor)

    assert values.dtype == np.float64
    np.testing.assert_allclose(
        values, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] / 100
    )
    return found


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_old_weight_norm(name, dim, dtype):
    torch.manual_seed(0)
    module = old_weight_norm(MODULES[name]().to(dtype), dim)
    module.weight_g.data *= 3
    found = compare(module, dtype)

    assert set(found.parts) == {"0.weight_g", "0.weight_v"}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dim", [0, 1, None])
def test_new_weight_norm(name, dim, dtype):
    torch.manual_seed(0)
    module = parametrizations.weight_norm(MODULES[name]().to(dtype), dim=dim)
    module.parametrizations.weight.original0.data *= 3
    found = compare(module, dtype)

    assert found.how.startswith("weight_norm")


def warmed(module):
    """Run a few power iterations, so that u and v are no longer random."""
    module.train()
    shape = {
        "Linear": (2, getattr(module, "in_features", 0)),
        "Conv1d": (2, getattr(module, "in_channels", 0), 7),
        "ConvTranspose1d": (2, getattr(module, "in_channels", 0), 7),
        "Conv2d": (2, getattr(module, "in_channels", 0), 7, 7),
        "ConvTranspose2d": (2, getattr(module, "in_channels", 0), 7, 7),
    }[type(module).__name__.removeprefix("Parametrized")]
    for _ in range(40):
        module(torch.zeros(shape, dtype=next(module.parameters()).dtype))
    return module


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", MODULES)
def test_old_spectral_norm(name, dtype):
    torch.manual_seed(0)
    module = warmed(old_spectral_norm(MODULES[name]().to(dtype)))
    found = compare(module, dtype)

    assert found.auxiliary == {"0.weight_u", "0.weight_v"}
    matrix = array(found.tensor)
    axis = 1 if "transposed" in name else 0
    flat = np.moveaxis(matrix, axis, 0).reshape(matrix.shape[axis], -1)
    # Forty power iterations.
    np.testing.assert_allclose(np.linalg.norm(flat, 2), 1, rtol=1e-2)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", MODULES)
def test_new_spectral_norm(name, dtype):
    torch.manual_seed(0)
    module = parametrizations.spectral_norm(MODULES[name]().to(dtype))
    found = compare(module, dtype)

    assert len(found.auxiliary) == 2


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_pruning(dtype):
    torch.manual_seed(0)
    module = nn.Linear(6, 5).to(dtype)
    prune.random_unstructured(module, "weight", amount=0.4)
    found = compare(module, dtype)

    assert found.auxiliary == {"0.weight_mask"}
    assert np.count_nonzero(array(found.tensor)) == 18


def test_a_direction_of_any_scale():
    module = parametrizations.weight_norm(nn.Linear(3, 2).double())
    module.parametrizations.weight.original1.data *= 1e-200
    values = array(rebuilt(module).tensor)
    lengths = module.parametrizations.weight.original0.detach().numpy().ravel()

    np.testing.assert_allclose(np.linalg.norm(values, axis=1), lengths, rtol=1e-12)


def test_a_zero_direction_is_undefined():
    module = parametrizations.weight_norm(nn.Linear(3, 2).double())
    module.parametrizations.weight.original1.data[0] = 0
    values = array(rebuilt(module).tensor)

    assert np.isnan(values[0]).all()
    assert np.isfinite(values[1]).all()


def test_nothing_is_computed_until_it_is_read():
    module = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2)))
    network, ledger = from_tensors(readers.read(module))

    assert network.layers[0].name == "0.weight"
    assert network.layers[0].weight.storage.nbytes == 8 * 6
    assert {r.status for r in ledger if "original" in r.tensor} == {"counted"}
    assert network.rewrites == ("weight_norm: g v / ||v||",)


@pytest.mark.parametrize(
    "state",
    [
        {"a_g": torch.ones(2), "a_v": torch.ones(3, 4)},
        {"a_g": torch.ones(3, 1), "a": torch.ones(3, 4)},
        {"weight_orig": torch.ones(3, 4), "weight_u": torch.ones(7)},
        {"weight_orig": torch.ones(3, 4), "weight_mask": torch.ones(4, 3)},
        {"parametrizations.weight.original": torch.ones(3, 3)},
        {"weight_g": torch.ones(3, dtype=torch.int64), "weight_v": torch.ones(3, 4)},
    ],
)
def test_look_alikes_are_left_alone(state):
    assert rebuild(readers.read(state).tensors) == ()


def test_a_weight_beside_its_pieces_is_not_rebuilt():
    state = {
        "weight": torch.ones(3, 4),
        "weight_g": torch.ones(3, 1),
        "weight_v": torch.ones(3, 4),
    }

    assert rebuild(readers.read(state).tensors) == ()
