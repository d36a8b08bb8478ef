import pytest
import torch
from torch import fx, nn
from torch.nn import functional

from boundkit.layers.batch_norm import given_to, kept_by
from boundkit.types import BatchStatistics


def _full(stem, eps=1e-5):
    names = ("running_mean", "running_var", "weight", "bias")
    return BatchStatistics(*(f"{stem}{name}" for name in names), eps)


def test_a_module_keeps_its_statistics_under_its_path():
    module = nn.BatchNorm2d(3, eps=0.5).eval()

    assert kept_by(module, "a.b") == _full("a.b.", 0.5)
    assert kept_by(module, "") == _full("", 0.5)
    assert kept_by(module, "a").tensors == tuple(
        f"a.{name}" for name in ("running_mean", "running_var", "weight", "bias")
    )


def test_a_module_without_scale_names_none():
    found = kept_by(nn.BatchNorm1d(3, affine=False).eval(), "n")

    assert (found.scale, found.shift) == (None, None)
    assert found.tensors == ("n.running_mean", "n.running_var")


@pytest.mark.parametrize(
    "module",
    [
        nn.BatchNorm1d(3).train(),
        nn.BatchNorm1d(3, track_running_stats=False).eval(),
        nn.InstanceNorm1d(3, track_running_stats=True).eval(),
        nn.ReLU().eval(),
    ],
)
def test_other_modules_keep_none(module):
    assert kept_by(module, "n") is None


class Called(nn.Module):
    """Calls batch_norm with the arguments it is given."""

    def __init__(self, run):
        super().__init__()
        self.run, self.norm = run, nn.BatchNorm1d(2)

    def forward(self, x):
        return self.run(x, self.norm)


def _given(run):
    graph = fx.symbolic_trace(Called(run)).graph
    node = next(n for n in graph.nodes if n.target is functional.batch_norm)
    return given_to(node, lambda n: str(n.target))


def test_a_call_with_stored_tensors_is_understood():
    def positional(x, n):
        return functional.batch_norm(
            x, n.running_mean, n.running_var, n.weight, n.bias, False, 0.1, 0.25
        )

    def by_keyword(x, n):
        return functional.batch_norm(x, n.running_mean, n.running_var, bias=n.bias)

    assert _given(positional) == _full("norm.", 0.25)
    assert _given(by_keyword) == BatchStatistics(
        "norm.running_mean", "norm.running_var", None, "norm.bias", 1e-5
    )


@pytest.mark.parametrize(
    "run",
    [
        lambda x, n: functional.batch_norm(
            x, n.running_mean, n.running_var, training=True
        ),
        lambda x, n: functional.batch_norm(x, x.mean(0), n.running_var),
        lambda x, n: functional.batch_norm(
            x, n.running_mean, n.running_var, torch.abs(x[0])
        ),
        lambda x, n: functional.batch_norm(x, None, None, training=True),
    ],
)
def test_a_call_with_anything_else_is_not(run):
    assert _given(run) is None


def test_other_calls_have_no_statistics():
    graph = fx.symbolic_trace(Called(lambda x, _: torch.relu(x))).graph
    node = next(n for n in graph.nodes if n.op == "call_function")

    assert given_to(node, str) is None
