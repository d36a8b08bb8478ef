"""Layers and ledger of whole checkpoints, from their tensors alone."""

import dataclasses

import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.layers.state_dict import GUESSED_ORDER
from boundkit.report.assembly import coverage


def looked_at(source):
    network, ledger = from_tensors(readers.read(source))
    return network, {row.tensor: row for row in ledger}


def shapes(**parts):
    return {name: torch.ones(shape) for name, shape in parts.items()}


class Block(nn.Module):
    def __init__(self, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(width // stride, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(width // stride, width, 1, stride, bias=False),
                nn.BatchNorm2d(width),
            )


def resnet():
    """A small network with the names of torchvision's."""
    module = nn.Module()
    module.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
    module.bn1 = nn.BatchNorm2d(8)
    module.layer1 = nn.Sequential(Block(8, 1))
    module.layer2 = nn.Sequential(Block(16, 2))
    module.fc = nn.Linear(16, 10)
    return module


def test_every_tensor_of_a_resnet_has_its_row():
    module = resnet()
    network, rows = looked_at(module)
    state = module.state_dict()

    assert list(rows) == list(state)
    counted = {name for name, row in rows.items() if row.status == "counted"}
    assert counted == {n for n, t in state.items() if t.ndim >= 2}
    assert len(network.obstacles["normalization"]) == 4 * 6
    assert network.obstacles["bias"] == ("fc.bias",)
    assert network.outputs == 10
    assert not rows["bn1.running_mean"].parameter
    learned = sum(p.numel() for p in module.parameters())
    matrices = sum(p.numel() for p in module.parameters() if p.ndim >= 2)
    assert coverage(tuple(rows.values())) == matrices / learned


def test_a_bias_belongs_to_its_layer():
    network, _ = looked_at(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1, bias=False)))

    assert network.layers[0].bias.shape == (2,)
    assert network.layers[1].bias is None


class Tied(nn.Module):
    def __init__(self, head_first):
        super().__init__()
        parts = {"embed": nn.Embedding(20, 4), "head": nn.Linear(4, 20, bias=False)}
        for name in sorted(parts, reverse=head_first):
            setattr(self, name, parts[name])
        self.head.weight = self.embed.weight


@pytest.mark.parametrize("head_first", [False, True])
def test_a_tied_embedding_counts_once_as_the_head(head_first):
    network, rows = looked_at(Tied(head_first))

    assert [(x.name, x.kind) for x in network.layers] == [("head.weight", "linear")]
    assert rows["head.weight"].status == "counted"
    assert rows["embed.weight"].status == "skipped"
    assert rows["embed.weight"].reason == "the same tensor as head.weight, counted once"
    assert not rows["embed.weight"].parameter
    assert "embedding" not in network.obstacles


def test_recurrent_matrices_are_listed_and_not_counted():
    network, rows = looked_at(nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2)))

    assert [x.counted for x in network.layers] == [False, False, True]
    assert rows["0.weight_ih_l0"].status == "skipped"
    assert rows["0.weight_ih_l0"].layer == "0.weight_ih_l0"
    assert len(network.obstacles["recurrent"]) == 2


def test_attention_projections_count():
    network, _ = looked_at(nn.MultiheadAttention(4, 2))

    assert [(x.kind, x.counted) for x in network.layers] == [
        ("attention", True),
        ("linear", True),
    ]
    assert network.obstacles["attention"] == ("in_proj_weight",)


def test_an_adapter_without_its_base_is_said():
    network, rows = looked_at(
        shapes(**{
            "q.lora_A.weight": (2, 8),
            "q.lora_B.weight": (8, 2),
        })
    )

    assert len(network.obstacles["adapter"]) == 2
    assert "its base is not here" in rows["q.lora_A.weight"].reason


def test_an_adapter_beside_its_base_is_not_merged():
    network, rows = looked_at(
        shapes(**{
            "q.base_layer.weight": (8, 8),
            "q.lora_A.default.weight": (2, 8),
            "q.lora_B.default.weight": (8, 2),
        })
    )

    assert [x.name for x in network.layers] == ["q.base_layer.weight"]
    assert "not merged" in rows["q.lora_A.default.weight"].reason


def test_odd_tensors_are_in_the_ledger_with_a_reason():
    state = {
        "fc.weight": torch.ones(2, 3),
        "packed.qweight": torch.ones(2, 3, dtype=torch.int32),
        "mask": torch.ones(2, 3, dtype=torch.bool),
        "spectrum.weight": torch.ones(2, 3, dtype=torch.complex64),
        "six.weight": torch.ones(1, 1, 1, 1, 1, 2),
        "scale": torch.tensor(2.0),
        "empty.weight": torch.ones(0, 3),
        "steps": torch.tensor(7),
    }
    network, rows = looked_at(state)

    assert [x.name for x in network.layers] == ["fc.weight"]
    assert all(rows[name].reason for name in state)
    assert {n for n, r in rows.items() if r.status == "counted"} == {"fc.weight"}
    assert set(network.obstacles["unread"]) == {"packed.qweight", "spectrum.weight"}
    assert {n for n, r in rows.items() if not r.parameter} == {
        "mask",
        "empty.weight",
        "steps",
    }


def test_a_state_of_biases_has_no_layer():
    network, rows = looked_at(shapes(**{"a.bias": (3,), "b.bias": (2,)}))

    assert network.layers == ()
    assert network.outputs is None
    assert {r.status for r in rows.values()} == {"skipped"}


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        (nn.Linear(4, 7), 7),
        (nn.Conv2d(4, 5, 1), 5),
        (nn.ConvTranspose2d(4, 6, 2), 6),
        (nn.MultiheadAttention(4, 2), 4),
    ],
)
def test_outputs_are_those_of_the_last_counted_layer(head, outputs):
    network, _ = looked_at(nn.Sequential(nn.Conv2d(3, 4, 3), head))

    assert network.outputs == outputs


def test_stored_modules_tell_the_geometry():
    module = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1, dilation=2))
    checkpoint = readers.read(module)
    attributes = {
        "class": "torch.nn.modules.conv.Conv2d",
        "kernel_size": (3, 3),
        "stride": (2, 2),
        "padding": (1, 1),
        "dilation": (2, 2),
        "groups": 1,
        "padding_mode": "zeros",
    }
    told = dataclasses.replace(checkpoint, modules={"0": attributes})
    network, _ = from_tensors(told)

    assert network.layers[0].geometry.stride == (2, 2)
    assert network.layers[0].geometry.padding == ((1, 1), (1, 1))
    broken = dataclasses.replace(
        checkpoint, modules={"0": attributes | {"stride": "two"}}
    )
    assert from_tensors(broken)[0].layers[0].geometry is None


def test_tensors_beside_the_model_have_rows_and_no_weight():
    state = {
        "state_dict": shapes(**{"fc.weight": (2, 3)}),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2, 3)}}},
    }
    network, rows = looked_at(state)

    assert [x.name for x in network.layers] == ["fc.weight"]
    assert len(rows) == 2
    assert coverage(tuple(rows.values())) == 1


def test_layers_by_name_are_put_in_an_order_that_fits():
    network, _ = looked_at(
        shapes(**{"a.weight": (1, 5), "b.weight": (5, 3), "c.weight": (3, 4)})
    )

    assert [x.name for x in network.layers] == ["c.weight", "b.weight", "a.weight"]
    assert GUESSED_ORDER in network.rewrites


def test_layers_that_cannot_follow_each_other_branch():
    network, _ = looked_at(shapes(**{"a.weight": (5, 3), "b.weight": (7, 3)}))

    assert network.obstacles["branching"] == ("a.weight", "b.weight")
