"""The architecture that a file tells of by itself, without running its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import ModelError, NotApplicable
from boundkit.layers.geometry import output_size
from boundkit.layers.model_spec import fit
from boundkit.layers.script_graph import from_script
from boundkit.layers.serialized_graph import from_program
from boundkit.layers.stored_module import input_shape_of, largest_map, stored_module
from boundkit.layers.wiring import first_layer, wire
from boundkit.measure.following import followed
from boundkit.measure.observed import Architecture
from boundkit.normalize import normalized
from boundkit.readers.exported import NAME as EXPORTED
from boundkit.readers.program_graph import program_graph
from boundkit.readers.script_program import script_program
from boundkit.readers.torchscript import NAME as SCRIPTED
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import Checkpoint, Network

__all__ = ["from_file"]

#: Positions per axis, and numbers of a window, that a file is believed without a model.
_LARGEST = 2048
#: Numbers in one map of two samples.
_MOST_NUMBERS = 2**26


def from_file(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    """Return what the file itself tells of the architecture, without running its code.

    An exported program holds its graph; of an ``nn.Sequential`` the attributes suffice;
    the code of a scripted or traced module is parsed and followed on shapes alone.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: As read.
        input_shape: Of one sample, or None.

    Returns:
        The architecture, or a notice that says why it stays unknown.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    try:
        if checkpoint.format == EXPORTED:
            return _of_program(network, checkpoint)
        if checkpoint.format == SCRIPTED:
            return _of_archive(network, checkpoint, input_shape)
        if checkpoint.modules:
            return _of_modules(network, checkpoint, input_shape)
    except (NotApplicable, ModelError) as reason:
        way = "--model and --input-shape would tell"
        notice = Notice("not-traced", f"no architecture from the file: {reason}; {way}")
        return Architecture(network, network, (notice,))
    return Architecture(network, network)


def _of_program(network: Network, checkpoint: Checkpoint) -> Architecture:
    document = program_graph(checkpoint.files[0])
    if document is None:
        raise NotApplicable("it holds no graph")
    found = from_program(document, checkpoint.tensors)
    if found.nodes is None:
        raise NotApplicable(found.reason)
    wired = wire(network, found.nodes, checkpoint.tensors)
    _require_ordinary(wired)
    return Architecture(wired, normalized(wired))


def _of_archive(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    try:
        # Torch's own layers one after another can be run, and so probed.
        return _of_modules(network, checkpoint, input_shape)
    except NotApplicable:
        return _of_script(network, checkpoint, input_shape)


def _of_script(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    program = script_program(checkpoint.files[0])
    if program is None:
        raise NotApplicable("it holds no code")
    layers = {layer.name for layer in network.layers}
    shape = tuple(input_shape or _dense_input(network))
    if not shape:
        raise NotApplicable("the size of its inputs is not in the file")
    found = from_script(program, checkpoint, layers, shape)
    if found.nodes is None:
        raise NotApplicable(found.reason)
    wired = wire(network, found.nodes, checkpoint.tensors)
    if not input_shape and not _starts_dense(wired):
        raise NotApplicable("the size of its inputs is not in the file")
    _require_ordinary(wired)
    return Architecture(wired, normalized(wired))


def _dense_input(network: Network) -> tuple[int, ...]:
    """Return the input that the first stored layer takes, () if it is not dense."""
    first = next((layer for layer in network.layers if layer.counted), None)
    dense = first is not None and first.kind == "linear"
    return (first.weight.shape[1],) if first is not None and dense else ()


def _starts_dense(network: Network) -> bool:
    first = first_layer(network)
    return (
        first is not None
        and first.kind == "linear"
        and network.input_shape == (first.weight.shape[1],)
    )


def _of_modules(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    empty = stored_module(checkpoint)
    shape = tuple(input_shape or input_shape_of(empty) or ())
    if not shape:
        raise NotApplicable("the size of its inputs is not in the file")
    if largest_map(empty, shape) > _MOST_NUMBERS:
        raise NotApplicable("its attributes ask for maps out of the ordinary")
    found = followed(network, checkpoint, fit(empty, checkpoint), shape)
    _require_ordinary(found.network)
    return found


def _require_ordinary(network: Network) -> None:
    # Files may lie about sizes; memory is asked for only where they fit together.
    shapes = {node.name: node.shape for node in network.nodes or ()}
    for node in network.nodes or ():
        if max(node.shape[1:], default=0) > _LARGEST:
            raise NotApplicable(f"a map has more than {_LARGEST} positions in a row")
        if node.geometry is None:
            continue
        window, positions = node.geometry, shapes[node.inputs[0]][1:]
        numbers = (*window.kernel, *window.stride, *window.dilation)
        if not all(0 < number <= _LARGEST for number in numbers):
            raise NotApplicable("a window is out of the ordinary")
        moves = len(positions) == len(window.kernel)
        if moves and output_size(window, positions) != node.shape[1:]:
            raise NotApplicable("windows and maps do not fit together")
