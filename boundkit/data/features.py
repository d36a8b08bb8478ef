"""Features that are in files or in memory already: ``h``, ``y`` and maybe ``W``, ``b``."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.data.checks import checked_labels, checked_lengths
from boundkit.data.npz_arrays import blocks, explained, header_of, mapped, whole
from boundkit.data.tensors import as_tensor
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    #: First row, the one after the last, rows at a time -> (b, p) blocks.
    Rows = Callable[[int, int, int], Iterator[torch.Tensor]]

__all__ = ["Features", "features_of", "open_features"]

_HOW = "save with numpy.savez(path, h=features, y=labels, W=weight, b=bias)"


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of labeled samples, and the linear layer they enter if it is known.

    Attributes:
        name: Where they come from, for messages.
        n: How many samples.
        width: p, numbers per sample.
        labels: (n,) int64, 0..classes-1, on the CPU.
        classes: C.
        rows: First row, the one after the last, rows at a time -> (b, p) CPU tensors.
        weight: (C, p) float64, or (1, p) where one output tells two classes; or None.
        bias: (C,) or (1,) float64, or None.
    """

    name: str
    n: int
    width: int
    labels: torch.Tensor
    classes: int
    rows: Rows
    weight: torch.Tensor | None = None
    bias: torch.Tensor | None = None


def open_features(path: str | Path) -> Features:
    """Open features in an ``.npz`` or ``.safetensors`` file.

    Arrays ``h`` (n, p) and ``y`` (n,), and optional ``W`` (C, p) and ``b`` (C,). The
    features are read in blocks: mapped, or decompressed on the way.

    Args:
        path: The file.

    Raises:
        DataError: It is not there, of another kind, damaged, or its arrays do not fit.
    """
    place = Path(path)
    kinds = {".npz": _from_npz, ".safetensors": _from_safetensors}
    kind = kinds.get(place.suffix.lower())
    if kind is None:
        raise DataError(f"{path}: features come in .npz or .safetensors files; {_HOW}")
    if not place.is_file():
        raise DataError(f"{path}: no such file; check the path")
    return kind(place)


def features_of(
    features: Any,
    labels: Any,
    weight: Any = None,
    bias: Any = None,
    name: str = "<features>",
) -> Features:
    """Return features that are in memory.

    Args:
        features: (n, p) tensor or array.
        labels: (n,) class indices 0..C-1, or -1/+1 for two classes.
        weight: (C, p), or (1, p) where one output tells two classes; or None.
        bias: (C,) or (1,), or None.
        name: For messages.

    Raises:
        DataError: The arrays do not fit together.
    """
    values = _numbers(features, "h", name)

    def rows(start: int, stop: int, count: int) -> Iterator[torch.Tensor]:
        for first in range(start, stop, count):
            yield values[first : min(first + count, stop)]

    return _checked(name, tuple(values.shape), rows, labels, weight, bias)


def _from_npz(path: Path) -> Features:
    name = str(path)
    with explained(name), zipfile.ZipFile(path) as archive:
        there = {m.removesuffix(".npy") for m in archive.namelist()}
        _require(there, name)
        labels, weight, bias = (
            whole(archive, entry, name) if entry in there else None
            for entry in ("y", "W", "b")
        )
        header = header_of(archive, "h", name)
    whole_file = mapped(path, "h")
    if whole_file is not None:
        return features_of(whole_file, labels, weight, bias, name)

    def rows(start: int, stop: int, count: int) -> Iterator[torch.Tensor]:
        done = 0
        for block in blocks(path, "h", count) if start < stop else ():
            low, high = max(start - done, 0), min(stop - done, len(block))
            done += len(block)
            if low < high:
                yield _numbers(block, "h", name)[low:high]
            if done >= stop:
                return

    return _checked(name, header.shape, rows, labels, weight, bias)


def _from_safetensors(path: Path) -> Features:
    from safetensors import SafetensorError, safe_open

    name = str(path)
    try:
        with safe_open(path, framework="pt") as file:
            there = set(file.keys())
            _require(there, name)
            shape = tuple(file.get_slice("h").get_shape())
            labels, weight, bias = (
                file.get_tensor(entry) if entry in there else None
                for entry in ("y", "W", "b")
            )
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{name}: not a readable safetensors file ({error}); write it again with"
            " safetensors.torch.save_file"
        ) from error

    def rows(start: int, stop: int, count: int) -> Iterator[torch.Tensor]:
        with safe_open(path, framework="pt") as file:
            values = file.get_slice("h")
            for first in range(start, stop, count):
                yield values[first : min(first + count, stop)]

    return _checked(name, shape, rows, labels, weight, bias)


def _require(there: set[str], name: str) -> None:
    missing = [entry for entry in ("h", "y") if entry not in there]
    if missing:
        raise DataError(
            f"{name}: has no array {' and no array '.join(missing)} (it has"
            f" {sorted(there)}); {_HOW}"
        )


def _numbers(values: Any, what: str, name: str) -> torch.Tensor:
    try:
        found = as_tensor(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name}: {what} is not an array of numbers ({error}); {_HOW}"
        ) from error
    if found.is_complex() or found.is_quantized or found.is_sparse:
        kind = str(found.dtype).removeprefix("torch.")
        raise DataError(f"{name}: {what} is {kind}; give dense real numbers")
    return found


def _checked(
    name: str, shape: tuple[int, ...], rows: Rows, labels: Any, weight: Any, bias: Any
) -> Features:
    if len(shape) != 2 or shape[1] == 0:
        raise DataError(
            f"{name}: h has shape {shape}; give (n, p), one row of features per sample"
        )
    y = checked_labels(labels, name, 0)
    checked_lengths(shape[0], len(y), name, "h")
    if weight is None and bias is not None:
        raise DataError(f"{name}: has a bias b but no weight W; give both, or W alone")
    layer = None if weight is None else _finite(weight, "W", name)
    if layer is not None and (layer.ndim != 2 or layer.shape[1] != shape[1]):
        raise DataError(
            f"{name}: W has shape {tuple(layer.shape)} but h {shape}; give (C, p) with"
            f" p = {shape[1]}"
        )
    shift = None if bias is None else _finite(bias, "b", name).flatten()
    if shift is not None and layer is not None and len(shift) != len(layer):
        raise DataError(
            f"{name}: b has {len(shift)} numbers but W {len(layer)} rows; give one for"
            " each row"
        )
    two = bool((y < 0).any())
    classes = max(len(layer), 2) if layer is not None else int(y.amax()) + 1
    y = y.clamp(min=0)
    _require_in_range(y, 2 if two else max(classes, 1), two, layer, name)
    return Features(
        name, shape[0], shape[1], y, 2 if two else classes, rows, layer, shift
    )


def _require_in_range(
    y: torch.Tensor, classes: int, two: bool, layer: torch.Tensor | None, name: str
) -> None:
    if two and layer is not None and len(layer) > 2:
        raise DataError(
            f"{name}: labels are -1/+1 but W has {len(layer)} rows; labels must be"
            f" 0..{len(layer) - 1}"
        )
    wrong = (y >= classes).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{name}: y[{row}] is {int(y[row])}, but W has"
            f" {0 if layer is None else len(layer)} row(s); labels must be"
            f" 0..{classes - 1}"
        )


def _finite(values: Any, what: str, name: str) -> torch.Tensor:
    found = _numbers(values, what, name).double()
    if not found.isfinite().all():
        raise DataError(f"{name}: {what} holds NaN or Inf; give a trained layer")
    return found
