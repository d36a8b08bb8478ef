from boundkit.normalize.rewiring import without
from boundkit.types import Node


def test_readers_of_a_removed_node_read_what_it_read():
    chain = ("a", "b", "c", "d")
    nodes = tuple(
        Node(name, "identity", chain[max(i - 1, 0) : i], ())
        for i, name in enumerate(chain)
    )

    kept = without(nodes, {"b", "c"})

    assert [(n.name, n.inputs) for n in kept] == [("a", ()), ("d", ("a",))]
