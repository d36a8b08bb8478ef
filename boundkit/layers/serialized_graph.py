"""The calls of an exported program, from the JSON in its archive; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.layers.aten import known, translate
from boundkit.layers.calls import Followed
from boundkit.layers.graph import Traced, described
from boundkit.layers.placeholders import holding, nameless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import fx

    from boundkit.types import StoredTensor

    Shape = tuple[int, ...]

__all__ = ["from_program"]

_WHY = "the file's graph cannot be read"
#: Calls that are worth reading.
_MOST_CALLS = 5000
_LITERALS = (
    "as_int",
    "as_ints",
    "as_float",
    "as_floats",
    "as_bool",
    "as_bools",
    "as_string",
    "as_none",
)


def from_program(
    document: Mapping[str, Any], tensors: Mapping[str, StoredTensor]
) -> Traced:
    """Return the nodes of an exported program.

    Calls that are in no table of ours are unknown operations. Sizes that were left open
    count by the example that the program was exported with.

    Args:
        document: As `boundkit.readers.program_graph` returns it.
        tensors: Of the checkpoint; parameters must have the shapes that these have.

    Returns:
        The nodes, or the reason why there are none.
    """
    try:
        return _from_program(document, tensors)
    # A foreign file: any entry may be missing, of another kind or out of range, and
    # torch raises whatever it likes for the layers that such entries describe.
    except Exception as error:  # noqa: BLE001 - any failure means "not read"
        line = (str(error).splitlines() or [""])[0][:100]
        why = f"{_WHY}: {type(error).__name__}: {line!a}"
        return Traced(None, why)


def _from_program(
    document: Mapping[str, Any], tensors: Mapping[str, StoredTensor]
) -> Traced:
    from torch import fx

    module = document["graph_module"]
    entries = module["graph"]
    sizes = {
        name: tuple(_size(s) for s in value["sizes"])
        for name, value in entries["tensor_values"].items()
    }
    inputs, stored = _signature(module["signature"]["input_specs"])
    if len(inputs) != 1:
        return Traced(None, f"the program has {len(inputs)} inputs, not one")
    wrong = [n for n in stored if n in tensors and _misfits(n, stored, sizes, tensors)]
    if wrong:
        return Traced(None, f"{_WHY}: {wrong[0]!r} has another shape in it")
    if len(entries["nodes"]) > _MOST_CALLS:
        return Traced(None, f"the program has more than {_MOST_CALLS} calls")
    graph = fx.Graph()
    values = {entry: graph.get_attr(name) for name, entry in stored.items()}
    values[inputs[0]] = graph.placeholder(inputs[0])
    for call in entries["nodes"]:
        _append(graph, call, values)
    results = [output["as_tensor"]["name"] for output in entries["outputs"]]
    if len(results) != 1:
        return Traced(
            None, f"the program returns {len(results)} values, not one tensor"
        )
    end = graph.output(values[results[0]])
    graph.eliminate_dead_code()
    shapes: dict[fx.Node, Shape | None] = {values[n]: sizes.get(n) for n in values}
    shapes[end] = sizes[results[0]]
    root = holding({name: sizes[entry] for name, entry in stored.items()})
    batch = sizes[inputs[0]][0]
    return Traced(described(Followed(root, graph, batch, shapes, "")))


def _size(entry: Mapping[str, Any]) -> int:
    size = entry.get("as_int")
    if size is None:
        size = entry["as_expr"]["hint"]["as_int"]
    if type(size) is not int or size < 0:
        raise ValueError("a size is not a number")
    return size


def _signature(specs: list[Mapping[str, Any]]) -> tuple[list[str], dict[str, str]]:
    """Return the graph's names of the inputs, and tensor -> the graph's name of it."""
    inputs: list[str] = []
    stored: dict[str, str] = {}
    for spec in specs:
        for kind, entry in spec.items():
            if kind == "user_input":
                inputs.append(entry["arg"]["as_tensor"]["name"])
            elif kind in {"parameter", "buffer"}:
                stored[entry[f"{kind}_name"]] = entry["arg"]["name"]
            elif kind == "tensor_constant":
                stored[entry["tensor_constant_name"]] = entry["arg"]["name"]
    return inputs, stored


def _misfits(
    name: str,
    stored: Mapping[str, str],
    sizes: Mapping[str, Shape],
    tensors: Mapping[str, StoredTensor],
) -> bool:
    return sizes[stored[name]] != tensors[name].shape


def _append(
    graph: fx.Graph, call: Mapping[str, Any], values: dict[str, fx.Node]
) -> None:
    """Add one call, and the name of what it returns."""
    name = call["target"].removeprefix("torch.ops.")
    arguments, keywords, readable = [], {}, known(name)
    for given in call["inputs"]:
        value, clear = _argument(given["arg"], values)
        readable = readable and clear
        # Kind 2 is given by keyword only; older releases do not say.
        if given.get("kind") == 2:
            keywords[given["name"]] = value
        else:
            arguments.append(value)
    node = graph.call_function(nameless(name), tuple(arguments), keywords)
    if readable:
        translate(node, name)
    for output in call["outputs"]:
        for kind, entry in output.items():
            returned = entry if kind == "as_tensors" else [entry]
            for part in returned if kind.startswith("as_tensor") else ():
                values[part["name"]] = node


def _argument(
    entry: Mapping[str, Any], values: Mapping[str, fx.Node]
) -> tuple[Any, bool]:
    """Return an argument, and whether it was understood."""
    ((kind, value),) = entry.items()
    if kind == "as_tensor":
        return values[value["name"]], True
    if kind == "as_tensors":
        return [values[part["name"]] for part in value], True
    if kind == "as_none":
        return None, True
    if kind == "as_sym_ints":
        found = [part.get("as_int") for part in value]
        # The batch axis of a reshape: any size of its own will do.
        return [-1 if v is None else v for v in found], True
    return value, kind in _LITERALS
