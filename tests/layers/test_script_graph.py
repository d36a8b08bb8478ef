"""The code of TorchScript archives against torch.fx on the same modules."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from boundkit.layers import script_calls, script_follower
from boundkit.layers.graph import trace
from tests.architectures import biased_mlp, depthwise, gelu_mlp, plain_cnn, resnet, vgg
from tests.layers.scripts import (
    Means,
    Pooled,
    Residual,
    essence,
    jit_traced,
    scripted,
    told,
)

pytestmark = pytest.mark.filterwarnings("ignore")
SHAPE = (1, 8, 8)


@pytest.mark.parametrize("save", [scripted, jit_traced])
@pytest.mark.parametrize(
    "make",
    [
        Residual,
        Means,
        Pooled,
        resnet,
        vgg,
        biased_mlp,
        plain_cnn,
        depthwise,
        gelu_mlp,
    ],
)
def test_code_and_module_tell_the_same(make, save, tmp_path):
    torch.manual_seed(0)
    module = make().eval()
    found = told(save(module, tmp_path / "net.pt"))

    assert found.reason == ""
    assert essence(found.nodes) == essence(trace(module, SHAPE).nodes)


def test_a_module_scripted_in_training_mode_is_followed_in_eval_mode(tmp_path):
    module = Residual()
    found = told(scripted(module.train(), tmp_path / "net.pt"))

    assert essence(found.nodes) == essence(trace(module.eval(), SHAPE).nodes)


def test_what_was_traced_in_training_mode_stays_so(tmp_path):
    found = told(jit_traced(Residual().train(), tmp_path / "net.pt"))
    details = [n.detail for n in found.nodes if n.op == "unknown"]

    assert details == ["batch_norm", "Dropout that is on in eval mode"]


def test_constants_of_a_frozen_module_are_layers_with_their_biases(tmp_path):
    frozen = torch.jit.freeze(torch.jit.script(Residual().eval()))
    torch.jit.save(frozen, tmp_path / "net.pt")
    layers = [n for n in told(tmp_path / "net.pt").nodes if n.op == "layer"]

    assert {n.detail for n in layers} <= {"bias", ""}
    assert all((n.bias is None) == (n.detail == "") for n in layers)
    assert len({n.layer for n in layers}) == 6


def test_weight_norm_of_a_trace_is_put_together(tmp_path):
    module = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)), nn.ReLU())
    found = told(jit_traced(module.eval(), tmp_path / "net.pt", (4,)), (4,))

    assert [(n.op, n.layer) for n in found.nodes[1:3]] == [
        ("layer", "0.weight"),
        ("activation", None),
    ]


class Spelled(nn.Module):
    """One layer, and whatever a test makes of it."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)


class OverwrittenView(Spelled):
    def forward(self, x):
        y = self.a(x)
        z = y.view(y.size(0), 4)
        y.relu_()
        return self.b(z)


class OverwrittenItself(Spelled):
    def forward(self, x):
        y = self.a(x)
        y.relu_()
        return self.b(y)


class DecidesByNumbers(Spelled):
    def forward(self, x):
        y = self.a(x)
        if bool(y.sum() > 0):
            y = self.b(y)
        return y


class DecidesBySizes(Spelled):
    def forward(self, x):
        y = self.a(x)
        if y.dim() == 2 and y.size(1) > 3:
            y = torch.relu(y)
        for _ in range(y.size(1) - 2):
            y = self.b(y)
        return y


class ChangesItsWeights(Spelled):
    def forward(self, x):
        self.a.weight.mul_(0.5)
        return self.a(x)


class RemembersItsInput(Spelled):
    def __init__(self):
        super().__init__()
        self.last = torch.zeros(1)

    def forward(self, x):
        self.last = x
        return self.a(x)


class BorrowsABias(Spelled):
    def forward(self, x):
        y = functional.linear(x, self.a.weight, self.b.bias)
        return functional.linear(y, self.b.weight, y[0])


class Refuses(Spelled):
    def forward(self, x):
        if x.dim() != 7:
            raise ValueError("no")
        return self.a(x)


class ReturnsTwo(Spelled):
    def forward(self, x):
        return self.a(x), self.b(x)


class TakesTwo(Spelled):
    def forward(self, x, y):
        return self.a(x) + y


class Transposed(Spelled):
    def forward(self, x):
        return torch.addmm(
            self.a.bias, torch.mm(x, self.b.weight.t()), self.a.weight.t()
        )


class Sorts(Spelled):
    def forward(self, x):
        return self.b(torch.sort(self.a(x))[0])


def _ops(make, tmp_path):
    found = told(scripted(make().eval(), tmp_path / "net.pt"), (4,))

    assert found.reason == ""
    return [(n.op, n.layer) for n in found.nodes[1:-1]]


def test_writing_in_place_is_a_value_of_its_own(tmp_path):
    assert _ops(OverwrittenItself, tmp_path) == [
        ("layer", "a.weight"),
        ("activation", None),
        ("layer", "b.weight"),
    ]


def test_a_view_of_what_was_overwritten_is_not_understood(tmp_path):
    assert _ops(OverwrittenView, tmp_path)[-1] == ("unknown", None)


def test_branches_and_loops_on_sizes_are_settled(tmp_path):
    assert _ops(DecidesBySizes, tmp_path) == [
        ("layer", "a.weight"),
        ("activation", None),
        ("layer", "b.weight"),
        ("layer", "b.weight"),
    ]


def test_products_with_transposed_weights_are_layers(tmp_path):
    assert _ops(Transposed, tmp_path) == [("layer", "b.weight"), ("layer", "a.weight")]


def test_a_bias_is_the_one_in_the_call(tmp_path):
    found = told(scripted(BorrowsABias().eval(), tmp_path / "net.pt"), (4,))
    first = next(n for n in found.nodes if n.layer == "a.weight")

    assert first.bias == "b.bias"
    assert found.nodes[-2].op == "unknown"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (DecidesByNumbers, "decides by numbers that only a run would tell"),
        (ChangesItsWeights, "'mul_' in its code changes stored tensors"),
        (RemembersItsInput, "changes attributes or items"),
        (Refuses, "its code refuses such inputs"),
        (ReturnsTwo, "its code returns a tuple, not one tensor"),
        (TakesTwo, "'forward' is not given 'y'"),
        (Sorts, "the size of what 'linear' returns is not known"),
    ],
)
def test_what_cannot_be_followed_has_a_reason(make, reason, tmp_path):
    found = told(scripted(make().eval(), tmp_path / "net.pt"), (4,))

    assert found.nodes is None
    assert reason in found.reason


def test_inputs_that_do_not_fit_are_not_followed(tmp_path):
    found = told(scripted(Residual().eval(), tmp_path / "net.pt"), (3, 5))

    assert found.nodes is None
    assert found.reason


class Repeats(Spelled):
    def __init__(self, times):
        super().__init__()
        self.times = times

    def forward(self, x):
        y = self.a(x)
        for _ in range(self.times):
            y = torch.relu(y)
        return y


def test_loops_without_end_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(script_calls, "_MOST_CALLS", 50)
    found = told(scripted(Repeats(2**62 + 1).eval(), tmp_path / "net.pt"), (4,))

    assert "more than 50 calls" in found.reason


class Idles(Spelled):
    def forward(self, x):
        count = 0
        while count < 10**9:
            count += 1
        return self.a(x)


def test_loops_that_do_nothing_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(script_follower, "_MOST_STEPS", 500)
    found = told(scripted(Idles().eval(), tmp_path / "net.pt"), (4,))

    assert "its code runs for long" in found.reason


def test_huge_maps_are_not_believed(tmp_path):
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=10**5), nn.ReLU())
    found = told(scripted(net.eval(), tmp_path / "net.pt"))

    assert "maps out of the ordinary" in found.reason


def test_hooks_are_not_looked_over(tmp_path):
    class Hooked(Spelled):
        def forward(self, x):
            return self.b(self.a(x))

    def hook(self, given: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
        return output * 2

    net = Hooked().eval()
    net.b.register_forward_hook(hook)
    try:
        path = scripted(net, tmp_path / "net.pt")
    except RuntimeError:
        pytest.fail("torch no longer scripts hooks")
    found = told(path, (4,))
    unlike = found.nodes is None or any(n.op == "unknown" for n in found.nodes)

    assert unlike
