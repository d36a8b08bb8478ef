import pytest
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.layers.matching import in_checkpoint, stored_name
from boundkit.types import BatchStatistics, Node


def _find(module, stored):
    checkpoint = readers.read(stored)
    layers = {layer.name for layer in from_tensors(checkpoint)[0].layers}
    return stored_name(module, checkpoint, layers)


def _net():
    return nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))


def test_equal_names_stay():
    net = _net()

    assert _find(net, net.state_dict())("2.weight") == "2.weight"


@pytest.mark.parametrize(
    ("module", "stored", "name", "expected"),
    [
        (_net(), nn.ModuleDict({"backbone": _net()}), "0.weight", "backbone.0.weight"),
        (nn.ModuleDict({"backbone": _net()}), _net(), "backbone.2.bias", "2.bias"),
    ],
)
def test_a_prefix_may_differ(module, stored, name, expected):
    assert _find(module, stored.state_dict())(name) == expected


def test_a_tied_weight_goes_by_the_name_that_is_stored():
    net = _net()
    net[2].weight = net[0].weight
    state = net.state_dict()
    del state["0.weight"]

    find = _find(net, state)

    assert find("0.weight") == find("2.weight") == "2.weight"


def test_views_of_the_same_numbers_go_by_the_name_of_their_layer():
    net = nn.Module()
    net.embedding = nn.Embedding(4, 3)
    net.head = nn.Linear(3, 4, bias=False)
    net.head.weight = net.embedding.weight

    find = _find(net, net.state_dict())

    assert find("embedding.weight") == find("head.weight") == "head.weight"


def test_weights_in_pieces_go_by_the_name_of_their_layer():
    net = nn.ModuleDict({"a": nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))})
    checkpoint_of = {
        name.removeprefix("a."): tensor for name, tensor in net.state_dict().items()
    }

    assert _find(net, checkpoint_of)("a.weight") == "weight"


def test_nodes_are_renamed_with_their_statistics():
    statistics = BatchStatistics("m", "v", None, "b", 1e-5)
    nodes = (
        Node("x", "input", (), (3,)),
        Node("l", "layer", ("x",), (3,), layer="w"),
        Node("n", "norm", ("l",), (3,), statistics=statistics),
    )

    plain, layer, norm = in_checkpoint(nodes, lambda name: f"theirs.{name}")

    assert plain == nodes[0]
    assert layer.layer == "theirs.w"
    assert norm.statistics == BatchStatistics(
        "theirs.m", "theirs.v", None, "theirs.b", 1e-5
    )
