"""Layers in the order of a traced network."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import boundkit
from boundkit import readers
from boundkit.errors import ModelError
from boundkit.layers import from_tensors
from boundkit.layers.graph import trace
from boundkit.layers.wiring import first_layer, wire
from boundkit.measure.following import traced


class Backwards(nn.Module):
    """Layers are made in another order than they are applied."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)
        self.unused = nn.Linear(2, 2)
        self.conv = nn.Conv1d(2, 2, 3, stride=2, padding=1)

    def forward(self, x):
        x = functional.relu(self.conv(functional.relu(self.conv(x))))
        return self.head(x.flatten(1))


def wired(module, shape):
    network, _ = from_tensors(readers.read(module))
    return wire(network, trace(module, shape).nodes)


def test_layers_come_in_forward_order_with_geometry_and_uses():
    network = wired(Backwards(), (2, 14))

    assert [x.name for x in network.layers] == [
        "conv.weight",
        "head.weight",
        "unused.weight",
    ]
    assert [x.uses for x in network.layers] == [2, 1, 1]
    assert network.layers[0].geometry.stride == (2,)
    assert network.input_shape == (2, 14)
    assert network.outputs == 3


def test_a_trace_settles_what_tensors_leave_open():
    network = wired(
        nn.Sequential(nn.ConvTranspose1d(2, 3, 2), nn.Flatten(), nn.Linear(9, 1)),
        (2, 2),
    )

    assert network.layers[0].kind == "conv_transpose1d"
    assert network.obstacles == {}


@pytest.mark.parametrize(
    ("end", "outputs"),
    [
        (lambda x: x, 1),
        (lambda x: x.squeeze(-1), 1),
        (lambda x: x.unsqueeze(-1), 1),
    ],
)
def test_one_output_in_any_shape(end, outputs):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 1)

        def forward(self, x):
            return end(self.fc(x))

    assert wired(Net(), (4,)).outputs == outputs


def test_maps_are_no_vector_of_outputs():
    assert wired(nn.Sequential(nn.Conv1d(1, 2, 3)), (1, 5)).outputs is None


def test_a_layer_that_the_checkpoint_does_not_hold():
    network, _ = from_tensors(readers.read({"other.weight": torch.ones(3, 4)}))
    nodes = trace(nn.Sequential(nn.Linear(4, 3)), (4,)).nodes

    with pytest.raises(
        ModelError, match=r"'0\.weight', which the checkpoint does not hold"
    ):
        wire(network, nodes)


@pytest.mark.parametrize(
    ("module", "shape", "name"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), (1, 4), "1.weight"),
        (nn.Sequential(nn.Identity(), nn.Conv1d(1, 2, 3)), (1, 5), "1.weight"),
        (nn.Sequential(nn.AvgPool1d(2), nn.Conv1d(1, 2, 3)), (1, 8), None),
        (nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), (4,), None),
    ],
)
def test_the_first_layer_sees_the_input_itself(module, shape, name):
    found = first_layer(wired(module, shape))

    assert (found.name if found else None) == name


def test_without_a_trace_there_is_no_first_layer():
    network, _ = from_tensors(readers.read(nn.Linear(3, 2)))

    assert first_layer(network) is None


class Misnamed(nn.Module):
    """A plain linear map under the name of an embedding."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 6, bias=False)
        self.head = nn.Linear(6, 1, bias=False)

    def forward(self, x):
        return self.head(functional.relu(self.embed(x)))


def test_the_graph_decides_over_the_name():
    module = Misnamed()
    bare, _ = from_tensors(readers.read(module.state_dict()))
    network = wire(bare, trace(module, (4,)).nodes)

    assert [(x.kind, x.counted) for x in bare.layers] == [
        ("embedding", False),
        ("linear", True),
    ]
    assert [(x.kind, x.counted) for x in network.layers] == [("linear", True)] * 2


def test_the_report_counts_what_the_graph_shows():
    net = Misnamed()
    report = boundkit.analyze(
        net.state_dict(), model=net, n=50, input_shape=(4,), only=["bounds"]
    )
    rows = {row.tensor: row for row in report.ledger}

    assert rows["embed.weight"].status == "counted"
    assert "as the graph shows" in rows["embed.weight"].reason
    assert report.coverage == 1.0
    assert report.certificates["sparse_cnn"].status == "assumed"


def test_a_table_that_is_looked_up_stays_one():
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(5, 6)
            self.head = nn.Linear(6, 1)

        def forward(self, x):
            return self.head(self.embed(x.argmax(1)))

    network = wired(Looking(), (5,))

    assert {x.name: x.counted for x in network.layers} == {
        "head.weight": True,
        "embed.weight": False,
    }


class Borrowing(nn.Module):
    """One weight with the biases of two modules, and one with a name of its own."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
        self.b.weight = self.a.weight
        self.table = nn.Parameter(torch.ones(2, 4))

    def forward(self, x):
        return functional.linear(self.b(functional.relu(self.a(x))), self.table)


def test_a_weight_with_two_biases_is_no_layer_that_is_known():
    checkpoint = readers.read(module := Borrowing())
    network, _ = from_tensors(checkpoint)
    found = traced(network, checkpoint, module, (4,)).network

    assert [n.op for n in found.nodes] == [
        *("input", "unknown", "activation", "unknown", "layer", "output")
    ]
    assert "adds different biases" in found.nodes[1].detail
    assert found.layers[0].name == "table"
