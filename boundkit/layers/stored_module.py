"""A module put together from the classes and attributes that a file tells of.

Only torch's own layers are made, from plain numbers, and only where they stand in an
``nn.Sequential``, whose order is known; of any other class the order is in its code.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn

    from boundkit.types import Checkpoint

__all__ = ["input_shape_of", "largest_map", "stored_module"]

_WINDOW = "kernel_size stride padding dilation"
_CONV = f"in_channels out_channels {_WINDOW} groups padding_mode"
_ARGUMENTS = (
    {
        "Linear": "in_features out_features",
        "ReLU": "",
        "LeakyReLU": "negative_slope",
        "Identity": "",
        "Flatten": "start_dim end_dim",
    }
    | dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), _CONV)
    | {f"ConvTranspose{n}d": f"{_CONV} output_padding" for n in (1, 2, 3)}
    | {f"MaxPool{n}d": f"{_WINDOW} ceil_mode" for n in (1, 2, 3)}
    | {
        "AvgPool1d": "kernel_size stride padding ceil_mode count_include_pad",
        "AvgPool2d": "kernel_size stride padding ceil_mode count_include_pad"
        " divisor_override",
        "AvgPool3d": "kernel_size stride padding ceil_mode count_include_pad"
        " divisor_override",
    }
    | {f"AdaptiveAvgPool{n}d": "output_size" for n in (1, 2, 3)}
    | {f"BatchNorm{n}d": "num_features eps" for n in (1, 2, 3)}
    | {f"Dropout{n}": "p" for n in ("", "1d", "2d", "3d")}
)
_SEQUENTIAL = "torch.nn.modules.container.Sequential"
#: Modules that are worth putting together.
_MOST_MODULES = 10_000


def stored_module(checkpoint: Checkpoint) -> nn.Module:
    """Return the module that a file describes, without the file's numbers.

    Args:
        checkpoint: Whose ``modules`` name classes and attributes.

    Raises:
        NotApplicable: It holds no modules, or one whose forward order is not known.
    """
    import torch

    described = checkpoint.modules
    root = str(described.get("", {}).get("class", ""))
    if root != _SEQUENTIAL:
        name = ascii(root.rpartition(".")[2])
        raise NotApplicable(
            f"the order in which the module {name} applies its layers stands in its code"
        )
    own = {n: t for n, t in checkpoint.tensors.items() if n not in checkpoint.aliases}
    # A few stored bytes may declare huge shapes; no dtype has more numbers than bytes.
    small = sum(t.numel for t in own.values()) <= checkpoint.nbytes
    if not small or len(described) > _MOST_MODULES:
        raise NotApplicable("it is too large to be put together")
    with torch.device("meta"):
        module = _part("", checkpoint, _children(described))
    _require_shapes(module, checkpoint)
    return module.to_empty(device="cpu")


def _children(paths: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the paths of the children of each path, in their order."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if path:
            found.setdefault(path.rpartition(".")[0], []).append(path)
    return found


def _require_shapes(module: nn.Module, checkpoint: Checkpoint) -> None:
    for name, tensor in module.state_dict().items():
        stored = checkpoint.tensors.get(name)
        counts = name.endswith("num_batches_tracked")
        if not counts and (stored is None or stored.shape != tuple(tensor.shape)):
            raise NotApplicable(f"{name!r} does not fit the attributes of its module")


def _part(
    path: str, checkpoint: Checkpoint, children: Mapping[str, list[str]]
) -> nn.Module:
    from torch import nn

    attributes = checkpoint.modules[path]
    qualified = str(attributes.get("class", ""))
    if attributes.get("altered"):
        raise NotApplicable(f"{path!r} has hooks or a forward of its own")
    if qualified == _SEQUENTIAL:
        parts = nn.Sequential()
        for inner in children.get(path, ()):
            name = inner.rpartition(".")[2]
            parts.add_module(name, _part(inner, checkpoint, children))
        return parts
    name = qualified.rpartition(".")[2]
    if not qualified.startswith("torch.nn.modules.") or name not in _ARGUMENTS:
        raise NotApplicable(f"what {path!r} ({name!r}) does stands in its code")
    given = _given(name, path, attributes) | _optional(name, path, checkpoint)
    try:
        made: nn.Module = getattr(nn, name)(**given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise NotApplicable(
            f"the attributes of {path!r} do not fit a {name}"
        ) from error
    return made


def _given(name: str, path: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _ARGUMENTS[name].split()
    missing = [key for key in wanted if key not in attributes]
    if missing:
        raise NotApplicable(f"the file does not tell {missing[0]!r} of {path!r}")
    return {key: attributes[key] for key in wanted}


def _optional(name: str, path: str, checkpoint: Checkpoint) -> dict[str, bool]:
    """Return the arguments that show in which tensors there are."""

    def there(leaf: str) -> bool:
        return f"{path}.{leaf}" in checkpoint.tensors

    if name.startswith("BatchNorm"):
        return {"affine": there("weight"), "track_running_stats": there("running_mean")}
    if name == "Linear" or name.startswith("Conv"):
        return {"bias": there("bias")}
    return {}


def largest_map(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Return how many numbers the largest map of a module has, without making it.

    Args:
        module: Of torch's own layers.
        shape: Of one sample; two are run.

    Returns:
        Of as much as runs, if the module does not take such samples.
    """
    import torch

    sizes = [0]
    net = copy.deepcopy(module).to("meta").eval()
    for part in net.modules():
        part.register_forward_hook(lambda *found: sizes.append(found[-1].numel()))
    # Running the module in earnest gives the reason why it does not take its samples.
    with suppress(Exception):
        net(torch.empty((2, *shape), device="meta"))
    return max(sizes)


def input_shape_of(module: nn.Module) -> tuple[int, ...] | None:
    """Return the shape of one sample of an ``nn.Sequential`` that starts dense.

    Args:
        module: Any; of others the order is not known, and None is returned.
    """
    from torch import nn

    if type(module) is not nn.Sequential:
        return None
    weighted = (m for m in module.modules() if any(True for _ in m.parameters(False)))
    first = next(weighted, None)
    return (first.in_features,) if isinstance(first, nn.Linear) else None
