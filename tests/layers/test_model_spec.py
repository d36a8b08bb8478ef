"""A checkpoint is loaded into a model strictly, exactly, and into a copy."""

import re
import warnings
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from boundkit.errors import ModelError
from boundkit.layers.model_spec import fit, load_model
from boundkit.types import Checkpoint, StoredTensor


class _Bytes:
    """A storage in memory."""

    def __init__(self, key, data):
        self.key = key
        self.data = data
        self.nbytes = len(data)

    def read(self, start, stop):
        return memoryview(self.data)[start:stop]


def _stored(name, tensor):
    tensor = tensor.detach().contiguous()
    data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    dtype = str(tensor.dtype).removeprefix("torch.")
    return StoredTensor(tuple(tensor.shape), dtype, _Bytes(name, data))


def _checkpoint(state, aliases=()):
    tensors = {name: _stored(name, tensor) for name, tensor in state.items()}
    return Checkpoint(
        source="c.pt",
        format="torch zip",
        wrapping=(),
        files=(),
        nbytes=0,
        tensors=MappingProxyType(tensors),
        aliases=dict(aliases),
    )


def _net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3)
    )


def _same(module, state):
    return all(
        torch.equal(module.state_dict()[k], v.to(module.state_dict()[k].dtype))
        for k, v in state.items()
    )


@pytest.mark.parametrize(
    ("stored", "loaded"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float8_e4m3fn, torch.float32),
    ],
)
def test_numbers_arrive_exactly(stored, loaded):
    state = {
        k: v.to(stored) if v.is_floating_point() else v
        for k, v in _net().state_dict().items()
    }

    fitted = fit(_net(), _checkpoint(state))

    assert fitted[0].weight.dtype == loaded
    assert _same(fitted, state)


def test_the_module_given_is_left_as_it_was():
    module = _net()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    state = {k: v + 1 for k, v in before.items()}

    fitted = fit(module, _checkpoint(state))

    assert module.training
    assert not fitted.training
    assert _same(module, before)
    assert _same(fitted, state)


def _old_weight_norm(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch deprecates it
        return nn.utils.weight_norm(module)


@pytest.mark.parametrize("norm", [_old_weight_norm, parametrizations.weight_norm])
def test_weight_norm_pairs_are_loaded_as_they_are(norm):
    trained, fresh = norm(nn.Linear(3, 2)), norm(nn.Linear(3, 2))

    fitted = fit(fresh, _checkpoint(trained.state_dict()))

    x = torch.randn(5, 3)
    assert torch.equal(fitted(x), trained(x))


def test_tied_weights_may_be_stored_once_or_as_aliases():
    def tied():
        net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
        net[1].weight = net[0].weight
        return net

    weight = torch.randn(3, 3)
    once = fit(tied(), _checkpoint({"0.weight": weight}))
    untied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    alias = _checkpoint({"0.weight": weight}, {"1.weight": "0.weight"})

    assert torch.equal(once[1].weight, weight)
    assert torch.equal(fit(untied, alias)[1].weight, weight)


@pytest.mark.parametrize(("outer", "inner"), [("model.net.", ""), ("", "model.net.")])
def test_one_prefix_of_all_names_may_differ(outer, inner):
    def wrapped(prefix):
        net = _net()
        for name in reversed(prefix.split(".")[:-1]):
            net = nn.ModuleDict({name: net})
        return net

    state = wrapped(outer).state_dict()

    fitted = fit(wrapped(inner), _checkpoint(state))

    assert torch.equal(next(fitted.parameters()), next(iter(state.values())))


def test_batch_counters_may_be_missing():
    state = {k: v for k, v in _net().state_dict().items() if "num_batches" not in k}

    assert _same(fit(_net(), _checkpoint(state)), state)


def _without(state, name):
    return {k: v for k, v in state.items() if k != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: _without(s, "3.bias"),
            "c.pt: does not fit Sequential; not in the file: '3.bias'; give the model",
        ),
        (lambda s: s | {"4\x1b[31m": torch.zeros(1)}, r"not in the model: '4\x1b[31m'"),
        (
            lambda s: s | {"3.weight": torch.zeros(3, 9)},
            "shapes differ: '3.weight' (3, 9) in the file, (3, 8) in the model",
        ),
        (
            lambda s: _without(s, "3.bias") | {"head": torch.zeros(3)},
            "not in the file: '3.bias'; not in the model: 'head'",
        ),
        (
            lambda s: s | {f"more.{i}": torch.zeros(1) for i in range(6)},
            "'more.0', 'more.1', 'more.2', 'more.3' and 2 more",
        ),
        (lambda s: {"other": torch.zeros(1)}, "not in the model: 'other'"),
    ],
)
def test_every_mismatch_is_named(change, message):
    with pytest.raises(ModelError, match=re.escape(message)):
        fit(_net(), _checkpoint(change(_net().state_dict())))


def test_weight_norm_names_must_match():
    trained = parametrizations.weight_norm(nn.Linear(3, 2)).state_dict()

    with pytest.raises(ModelError, match="not in the file: 'weight'; not in the model"):
        fit(nn.Linear(3, 2), _checkpoint(trained))


def test_a_tensor_without_numbers_is_named():
    checkpoint = _checkpoint({"weight": torch.zeros(2, 3)})
    unread = StoredTensor((2,), "float32", None, unread="quantized")
    tensors = dict(checkpoint.tensors) | {"bias": unread}

    with pytest.raises(ModelError, match=r"'bias' cannot be loaded .* \(quantized\)"):
        fit(
            nn.Linear(3, 2),
            Checkpoint("c.pt", "torch zip", (), (), 0, MappingProxyType(tensors)),
        )


def test_lazy_layers_must_be_run_first():
    with pytest.raises(ModelError, match="lazy layers without sizes"):
        fit(nn.LazyLinear(2), _checkpoint({}))


MODELS = """
from torch import nn

class Net(nn.Linear):
    def __init__(self):
        super().__init__(3, 2)

ready = Net()

def nothing():
    return 7
"""


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path / "models.py"


@pytest.mark.parametrize("name", ["Net", "ready"])
def test_models_are_made_by_name(models, name):
    assert type(load_model(f"{models}:{name}")).__name__ == "Net"


def test_installed_modules_are_found():
    assert isinstance(load_model("torch.nn:ReLU"), nn.ReLU)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "gives a int, not a torch.nn.Module"),
        ("missing", "has no 'missing'"),
        ("nn.Linear", "raised TypeError"),
    ],
)
def test_what_makes_no_module_is_refused(models, name, message):
    with pytest.raises(ModelError, match=message):
        load_model(f"{models}:{name}")


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ModelError, match=re.escape("none.py: no such file")):
        load_model("none.py:make")


def test_big_endian_weights_are_loaded():
    weight = np.arange(6, dtype=">f4").reshape(2, 3)
    stored = StoredTensor(
        (2, 3), "float32", _Bytes("w", weight.tobytes()), big_endian=True
    )
    checkpoint = Checkpoint("c.pt", "torch zip", (), (), 0, {"weight": stored})

    fitted = fit(nn.Linear(3, 2, bias=False), checkpoint)

    np.testing.assert_array_equal(fitted.weight.detach().numpy(), weight)
