"""The architecture that a file tells of by itself, without running its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import ModelError, NotApplicable
from boundkit.layers.model_spec import fit
from boundkit.layers.serialized_graph import from_program
from boundkit.layers.stored_module import input_shape_of, stored_module
from boundkit.layers.wiring import wire
from boundkit.measure.following import Architecture, followed
from boundkit.normalize import normalized
from boundkit.readers.exported import NAME as EXPORTED
from boundkit.readers.program_graph import program_graph
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import Checkpoint, Network

__all__ = ["from_file"]


def from_file(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    """Return what the file itself tells of the architecture, without running its code.

    An exported program holds its graph; of an ``nn.Sequential`` the attributes suffice.

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
    return Architecture(wired, normalized(wired))


def _of_modules(
    network: Network, checkpoint: Checkpoint, input_shape: Sequence[int] | None
) -> Architecture:
    module = fit(stored_module(checkpoint), checkpoint)
    shape = tuple(input_shape or input_shape_of(module) or ())
    if not shape:
        raise NotApplicable("the size of its inputs is not in the file")
    return followed(network, checkpoint, module, shape)
