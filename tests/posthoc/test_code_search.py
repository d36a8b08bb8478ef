import math
import time

import pytest
import torch
from torch import nn

from boundkit.posthoc.code_search import searched
from boundkit.posthoc.coded import bits
from boundkit.posthoc.settled import settled


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.after = nn.LayerNorm([4, 6, 6])
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = self.after(x + torch.relu(self.inner(x)))
        return self.head(x.mean((2, 3)))


def case(frozen=False):
    torch.manual_seed(0)
    x = torch.randn(600, 1, 6, 6)
    labels = (x.mean((1, 2, 3)) > 0).long()
    module = Residual()
    for value in module.parameters():
        value.requires_grad_(not frozen)
    net = settled(module.eval(), (1, 6, 6))
    centers = {"zero": {n: torch.zeros_like(v) for n, v in net.values().items()}}
    return net, centers, x, labels


def search(seconds, *, frozen=False, progress=None, ranks=(0, 1)):
    net, centers, x, labels = case(frozen)
    return searched(
        net,
        centers,
        x,
        labels,
        n=600,
        delta=0.05,
        ranks=ranks,
        deadline=time.perf_counter() + seconds,
        device=torch.device("cpu"),
        progress=progress,
    )


@pytest.mark.parametrize("frozen", [True, False])
def test_any_architecture_is_searched(frozen):
    found = search(1.0, frozen=frozen)
    names = {tensor.name for tensor in found.network.tensors}

    assert names == set(case()[0].values())
    assert math.isfinite(bits(found.network).total)
    assert found.tries >= 1


def test_progress_tells_of_every_code():
    told = []
    found = search(1.0, progress=lambda *each: told.append(each))

    assert [done for done, _, _ in told] == list(range(1, found.tries + 1))
    assert all("bound about" in label for _, _, label in told)


def test_ctrl_c_before_any_code_is_passed_on():
    def stop(*_):
        raise KeyboardInterrupt

    net, centers, x, labels = case()
    net.module.register_forward_pre_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        searched(
            net,
            centers,
            x,
            labels,
            n=600,
            delta=0.05,
            ranks=(0,),
            deadline=math.inf,
            device=torch.device("cpu"),
        )


def test_the_weights_of_the_user_are_left_alone():
    net, centers, x, labels = case()
    before = {n: v.clone() for n, v in net.values().items()}
    searched(
        net,
        centers,
        x,
        labels,
        n=600,
        delta=0.05,
        ranks=(0,),
        deadline=time.perf_counter() + 0.5,
        device=torch.device("cpu"),
    )

    assert all(torch.equal(before[n], v) for n, v in net.values().items())
