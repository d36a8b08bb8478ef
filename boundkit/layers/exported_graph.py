"""The calls of a network as torch.export finds them, for control flow on sizes."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from boundkit.layers.aten import translate

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch
    from torch import fx, nn

__all__ = ["exported"]


def exported(module: nn.Module, x: torch.Tensor) -> fx.GraphModule:
    """Return a graph of plain calls that does what the module does on such inputs.

    torch.export runs the module's own Python once, with the sizes of ``x``. It raises
    whatever it or that Python raises where the graph depends on the numbers.

    Args:
        module: In eval mode.
        x: (b, ...) inputs.

    Returns:
        The graph, whose parameters have the names that they have in the module.
    """
    import torch
    from torch import fx

    with _quiet():
        program = torch.export.export(module, (x,)).module()
    old = program.graph
    graph = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    result = graph.graph_copy(_without_guards(old), values)
    for node in list(graph.nodes):
        if node.op == "call_function":
            translate(node, str(node.target))
    single = isinstance(result, tuple | list) and len(result) == 1
    graph.output(result[0] if single else result)  # type: ignore[index] # one-tuple by the line above
    return fx.GraphModule(program, graph)


@contextmanager
def _quiet() -> Generator[None, None, None]:
    """Hold back what torch.export prints and logs: its errors are reasons of ours."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            yield
    finally:
        logging.disable(level)


def _without_guards(graph: fx.Graph) -> fx.Graph:
    """Drop the calls that only check the input's sizes."""
    for node in list(graph.nodes):
        if node.op == "call_module" and not node.users:
            graph.erase_node(node)
    return graph
