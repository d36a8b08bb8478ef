import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.layers.graph import trace
from boundkit.layers.serialized_graph import from_program
from boundkit.readers.program_graph import program_graph
from tests.normalize.nets import random_net

#: torch's exporter warns about its own parts.
pytestmark = pytest.mark.filterwarnings("ignore")


def _saved(module, shape, path, **options):
    x = torch.randn(2, *shape)
    torch.export.save(torch.export.export(module, (x,), **options), path)
    return program_graph(Path(path)), readers.read(path).tensors


def _seen(nodes):
    return [
        (n.op, n.inputs, n.shape, n.layer, n.slope, n.geometry, n.statistics)
        for n in nodes
    ]


def _numbered(nodes):
    """Names differ between the two ways; places do not."""
    places = {node.name: place for place, node in enumerate(nodes)}
    return [
        (op, tuple(places[name] for name in inputs), *rest)
        for op, inputs, *rest in _seen(nodes)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_graph_in_a_file_is_that_of_its_module(seed, tmp_path, monkeypatch):
    from boundkit.layers import graph

    module, shape = random_net(seed, padding_modes=("zeros",))
    document, tensors = _saved(module, shape, tmp_path / "net.pt2")
    monkeypatch.setattr(graph, "_followed", graph._exported)
    expected = trace(module, shape).nodes

    found = from_program(document, tensors)

    assert found.reason == ""
    assert _numbered(found.nodes) == _numbered(expected)


def test_an_open_batch_size_counts_by_its_example(tmp_path):
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    batch = torch.export.Dim("batch")
    document, tensors = _saved(
        module, (3,), tmp_path / "n.pt2", dynamic_shapes=({0: batch},)
    )

    nodes = from_program(document, tensors).nodes

    assert [n.op for n in nodes] == ["input", "layer", "activation", "layer", "output"]
    assert [n.shape for n in nodes] == [(3,), (4,), (4,), (1,), (1,)]


def test_unknown_calls_bear_their_names(tmp_path):
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).eval()
    nodes = from_program(*_saved(module, (3,), tmp_path / "n.pt2")).nodes

    assert [n.detail for n in nodes if n.op == "unknown"] == ["aten.tanh.default"]


class Two(nn.Module):
    """Two inputs."""

    def forward(self, x, y):
        return x + y


def test_programs_of_several_inputs_or_outputs_are_not_networks(tmp_path):
    x = torch.ones(2, 3)
    torch.export.save(torch.export.export(Two(), (x, x)), tmp_path / "two.pt2")
    document, tensors = _saved(nn.Linear(3, 1), (3,), tmp_path / "one.pt2")
    entries = document["graph_module"]["graph"]
    entries["outputs"] = entries["outputs"] * 2

    two = program_graph(tmp_path / "two.pt2")

    assert from_program(two, {}).reason == "the program has 2 inputs, not one"
    assert "returns 2 values" in from_program(document, tensors).reason


def test_a_graph_whose_weights_have_other_shapes_is_not_believed(tmp_path):
    document, tensors = _saved(nn.Linear(3, 1), (3,), tmp_path / "n.pt2")
    values = document["graph_module"]["graph"]["tensor_values"]
    values["p_weight"]["sizes"][0]["as_int"] = 7

    assert "'weight' has another shape in it" in from_program(document, tensors).reason


def _without(document, path):
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path",
    [
        ("graph_module",),
        ("graph_module", "graph", "nodes"),
        ("graph_module", "graph", "nodes", 0, "target"),
        ("graph_module", "graph", "nodes", 0, "inputs", 0, "arg"),
        ("graph_module", "graph", "tensor_values", "p_weight"),
        ("graph_module", "graph", "tensor_values", "p_weight", "sizes", 0, "as_int"),
        ("graph_module", "signature", "input_specs", 0, "parameter", "arg"),
    ],
)
def test_a_damaged_graph_has_a_reason(path, tmp_path):
    document, tensors = _saved(nn.Linear(3, 1), (3,), tmp_path / "n.pt2")
    found = from_program(_without(document, path), tensors)

    assert found.nodes is None
    assert found.reason.startswith("the file's graph cannot be read: ")
    assert "\n" not in found.reason


@pytest.mark.parametrize("size", [-1, "3", 1.5, True])
def test_sizes_are_numbers(size, tmp_path):
    document, tensors = _saved(nn.Linear(3, 1), (3,), tmp_path / "n.pt2")
    values = document["graph_module"]["graph"]["tensor_values"]
    values["linear"]["sizes"][1]["as_int"] = size

    assert "a size is not a number" in from_program(document, tensors).reason


def test_a_name_that_no_module_can_bear_has_a_reason(tmp_path):
    document, tensors = _saved(nn.Linear(3, 1), (3,), tmp_path / "n.pt2")
    spec = document["graph_module"]["signature"]["input_specs"][0]["parameter"]
    spec["parameter_name"] = "..\x1b[31m"

    found = from_program(document, tensors)

    assert found.nodes is None
    assert "\x1b" not in found.reason
