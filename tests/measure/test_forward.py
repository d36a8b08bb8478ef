"""Devices, and what a net may not do."""

import re

import pytest
import torch
from torch import nn

from boundkit.errors import ModelError, UsageError
from boundkit.measure.forward import (
    logits,
    placed,
    require_per_sample,
    require_repeatable,
    resolved,
)


class Calling(nn.Module):
    """Does what a function does."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_devices_by_name():
    assert resolved("cpu") == torch.device("cpu")
    assert resolved("auto").type in {"cpu", "cuda", "mps"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "device must be auto, cpu, cuda, cuda:N or mps, but got 'gpu'"),
        ("cuda:99", "device 'cuda:99' is not on this machine; use auto or cpu"),
        ("meta", "device 'meta' is not on this machine"),
    ],
)
def test_devices_that_are_not_there_are_refused(name, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        resolved(name)


def test_a_module_is_copied_only_to_another_device():
    net = nn.Linear(2, 2)

    assert placed(net, torch.device("cpu")) is net
    elsewhere = placed(net, torch.device("meta"))
    assert elsewhere.weight.device.type == "meta"
    assert net.weight.device.type == "cpu"


def test_batch_statistics_in_eval_mode_are_refused():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False))

    with pytest.raises(ModelError, match=r"'1' \(BatchNorm1d\) keeps no running stat"):
        require_per_sample(net)
    require_per_sample(nn.BatchNorm1d(2))


def test_randomness_in_eval_mode_is_refused():
    net = Calling(nn.functional.dropout)

    with pytest.raises(ModelError, match="another output each time it runs in eval"):
        require_repeatable(net, torch.ones(2, 50))
    require_repeatable(nn.Linear(3, 2), torch.ones(2, 3))


def test_outputs_are_vectors():
    x = torch.ones(3, 2)

    assert logits(Calling(lambda t: t.sum(1)), x).shape == (3, 1)
    assert logits(Calling(lambda t: t[:, :, None, None]), x).shape == (3, 2)
    assert logits(nn.Identity(), x) is not None


def _exhausted(x):
    raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: (x, x), "the model returns a tuple, not a tensor; wrap it"),
        (lambda x: x.sum(), "the model returns shape () for 3 samples"),
        (lambda x: x.repeat(2, 1), "the model returns shape (6, 2) for 3 samples"),
        (lambda x: x[:, :, None].repeat(1, 1, 2), "returns shape (3, 2, 2) for 3"),
        (lambda x: x @ x, "does not run on a batch of shape (3, 2): RuntimeError"),
        (lambda x: {}["key"], "KeyError: 'key'; check model, data and dtype"),
        (_exhausted, "CUDA out of memory; use a smaller batch size"),
    ],
)
def test_nets_that_give_no_vectors_are_refused(function, message):
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        logits(Calling(function), torch.ones(3, 2))
    assert "\n" not in str(caught.value)
