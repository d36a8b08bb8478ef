"""The calls of a scripted or traced module, from the code in its archive; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import BoundkitError
from boundkit.layers.calls import Followed
from boundkit.layers.graph import Traced, described
from boundkit.layers.matching import in_checkpoint, stored_name
from boundkit.layers.placeholders import holding
from boundkit.layers.script_calls import Recorder
from boundkit.layers.script_follower import Follower
from boundkit.layers.script_values import ScriptTensor

if TYPE_CHECKING:
    from collections.abc import Collection

    from boundkit.readers.script_program import ScriptProgram
    from boundkit.types import Checkpoint

__all__ = ["from_script"]

#: Samples in the batch; few other axes have this length by chance.
_BATCH = 5


def from_script(
    program: ScriptProgram,
    checkpoint: Checkpoint,
    layers: Collection[str],
    input_shape: tuple[int, ...],
) -> Traced:
    """Return the nodes of a TorchScript module in eval mode.

    Its code is followed on shapes alone. Branches are settled where they depend on
    sizes and stored settings; calls that are in no table of ours are unknown
    operations.

    Args:
        program: As `boundkit.readers.script_program` returns it.
        checkpoint: The tensors of the same file.
        layers: Names of its layers.
        input_shape: Of one sample.

    Returns:
        The nodes, or the reason why there are none.
    """
    try:
        return _from_script(program, checkpoint, layers, input_shape)
    except BoundkitError as error:
        return Traced(None, f"its code cannot be followed: {error}")
    # A foreign file: anything may be missing or of another kind, and torch raises
    # whatever it likes for the layers that such code describes.
    except Exception as error:  # noqa: BLE001 - any failure means "not followed"
        line = (str(error).splitlines() or [""])[0][:100]
        why = f"{type(error).__name__}: {line!a}"
        return Traced(None, f"its code cannot be followed: {why}")


def _from_script(
    program: ScriptProgram,
    checkpoint: Checkpoint,
    layers: Collection[str],
    input_shape: tuple[int, ...],
) -> Traced:
    recorder = Recorder()
    follower = Follower(program, recorder)
    batch = recorder.input("input", (_BATCH, *input_shape))
    result = follower.forward((batch,))
    if not isinstance(result, ScriptTensor):
        kind = type(result).__name__.removeprefix("Script").lower()
        return Traced(None, f"its code returns a {kind}, not one tensor")
    if result.like is None:
        call = getattr(result.node.target, "__name__", "an operation")
        return Traced(None, f"the size of what {call!a} returns is not known")
    end = recorder.graph.output(result.node)
    recorder.shapes[end] = recorder.shapes[result.node]
    recorder.graph.eliminate_dead_code()
    root = holding(recorder.stored)
    nodes = described(Followed(root, recorder.graph, _BATCH, recorder.shapes, ""))
    find = stored_name(root, checkpoint, layers)
    return Traced(in_checkpoint(nodes, find))
