import pytest

from boundkit.layers.structure import claims_homogeneity, structure
from boundkit.types import Network, Node


def _network(*nodes):
    return Network((), nodes)


def _node(op, detail="", **more):
    return Node(f"{op} {detail}".strip(), op, ("x",), (3,), detail=detail, **more)


@pytest.mark.parametrize(
    ("node", "sort"),
    [
        (_node("layer", "bias", layer="w"), "biases"),
        (_node("activation", slope=0.0), "ReLU"),
        (_node("activation", slope=0.1), "LeakyReLU"),
        (_node("norm", "LayerNorm"), "normalization layers"),
        (_node("add"), "residual additions"),
        (_node("average_pool"), "average pooling"),
        (_node("max_pool"), "max pooling"),
        (_node("unknown", "MultiheadAttention"), "attention"),
        (_node("unknown", "TransformerEncoderLayer"), "attention"),
        (_node("unknown", "scaled_dot_product_attention"), "attention"),
        (_node("unknown", "LSTM"), "recurrence"),
        (_node("unknown", "aten.gru.input"), "recurrence"),
        (_node("unknown", "GELU"), "other operations"),
    ],
)
def test_each_node_has_its_sort(node, sort):
    assert structure(_network(node)) == {sort: (node.name,)}


def test_plain_nodes_are_no_findings():
    plain = (_node("layer", layer="w"), _node("flatten"), _node("identity"))

    assert structure(_network(Node("x", "input", (), (3,)), *plain)) == {}
    assert structure(Network(())) == {}


def test_homogeneity_follows_from_known_operations_without_biases():
    chain = (_node("layer", "bias", layer="w"), _node("activation", slope=0.0))
    chain += (_node("max_pool"), _node("add"))

    assert claims_homogeneity(_network(*chain), frozenset()) is True
    assert claims_homogeneity(_network(*chain), frozenset({"w"})) is False
    assert claims_homogeneity(_network(*chain, _node("norm")), frozenset()) is None
    assert claims_homogeneity(_network(_node("unknown", "abs")), frozenset()) is None
    assert claims_homogeneity(Network(()), frozenset()) is None
