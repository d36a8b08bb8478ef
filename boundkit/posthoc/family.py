"""The declared family of priors, one member of it, and both as JSON."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError
from boundkit.posthoc.coordinates import SHIFTS
from boundkit.posthoc.gaussians import (
    GRID,
    Posterior,
    Prior,
    best_scales,
    grid_counts,
    grid_scales,
    nearest_scales,
    union_nats,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from boundkit.posthoc.coordinates import Coordinates

__all__ = [
    "Member",
    "center_sha256",
    "decoded",
    "encoded",
    "group_of_each",
    "member",
    "nats_of_choice",
    "posterior_bytes",
    "prior_document",
    "prior_of",
]


@dataclass(frozen=True, slots=True)
class Member:
    """Which prior of the family was chosen.

    Attributes:
        scales: Index of the scale of each group in its grid.
        shift: Index of the shift.
    """

    scales: tuple[int, ...]
    shift: int


def group_of_each(net: Coordinates) -> torch.Tensor:
    """Return the group of each weight: its tensor.

    Args:
        net: The network.

    Returns:
        (P,) int64, on the CPU.
    """
    import torch

    sizes = torch.tensor(net.sizes)
    return torch.repeat_interleave(torch.arange(len(net.sizes)), sizes)


def nats_of_choice(net: Coordinates) -> float:
    """Return what choosing a member of the family costs.

    Args:
        net: Whose tensors are the groups.
    """
    return union_nats(grid_counts(net.sizes), len(SHIFTS) if net.sheared else 1)


def member(
    net: Coordinates, posterior: Posterior, center: torch.Tensor, shift: int
) -> Member:
    """Return the member of the family nearest to the best prior.

    Args:
        net: The network.
        posterior: (P,) normals on the CPU.
        center: (P,) on the CPU.
        shift: Index of the shift.
    """
    best = best_scales(
        Posterior(posterior.mean.double(), posterior.log_scale.double()),
        center,
        group_of_each(net),
        len(net.names),
    )
    return Member(tuple(nearest_scales(best.tolist(), grid_counts(net.sizes))), shift)


def prior_of(net: Coordinates, center: torch.Tensor, chosen: Member) -> Prior:
    """Return a member of the family.

    Args:
        net: The network.
        center: (P,) float64 on the CPU.
        chosen: Which member.
    """
    import torch

    scales = grid_scales(chosen.scales, grid_counts(net.sizes))
    wide = torch.tensor(scales, dtype=torch.float64)
    return Prior(center, wide, group_of_each(net))


def center_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of the center's tensors, names and float32 values in order.

    Args:
        tensors: Name -> values.
    """
    found = hashlib.sha256()
    for name, value in tensors.items():
        found.update(name.encode() + b"\0" + value.detach().float().numpy().tobytes())
    return found.hexdigest()


def prior_document(
    net: Coordinates, chosen: Member, kind: str, source: str | None, sha256: str
) -> dict[str, Any]:
    """Return the prior as a certificate holds it.

    Args:
        net: The network.
        chosen: Which member of the family.
        kind: ``"zero"`` or ``"init"``.
        source: The path of the init, or None.
        sha256: Of the center.
    """
    rows = zip(
        net.names, net.shapes, chosen.scales, grid_counts(net.sizes), strict=True
    )
    sheared = {*net.sheared}
    return {
        "center": kind,
        "source": source,
        "sha256": sha256,
        "grid": list(GRID),
        "shifts": [SHIFTS[0], SHIFTS[-1], len(SHIFTS)],
        "shift_index": chosen.shift if net.sheared else None,
        "groups": [
            {
                "name": name,
                "shape": list(shape),
                "scale_index": index,
                "scale_count": count,
                "shifted": at in sheared,
            }
            for at, (name, shape, index, count) in enumerate(rows)
        ],
    }


def encoded(values: torch.Tensor) -> str:
    """Return float32 numbers, little-endian, in base64.

    Args:
        values: (P,).
    """
    narrow = values.detach().cpu().float().numpy().astype("<f4")
    return base64.b64encode(narrow.tobytes()).decode()


def decoded(text: Any, size: int, source: str) -> torch.Tensor:
    """Return the float32 numbers of ``encoded``.

    Args:
        text: From a certificate; trusted in nothing.
        size: How many there must be.
        source: The certificate, for messages.

    Returns:
        (size,) float32.

    Raises:
        DataError: It is something else.
    """
    import torch

    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{source}: its posterior is not there or not base64; give the file that"
            " draw wrote beside the weights"
        ) from error
    if len(content) != 4 * size:
        raise DataError(
            f"{source}: its posterior has {len(content) // 4} entries, but the model has"
            f" {size}; give the model that was certified"
        )
    return torch.from_numpy(np.frombuffer(content, "<f4").astype(np.float32))


def posterior_bytes(posterior: Posterior) -> bytes:
    """Return the posterior as it is hashed: means, then log scales, float32.

    Args:
        posterior: (P,) normals.
    """
    parts = (posterior.mean, posterior.log_scale)
    return b"".join(
        part.detach().cpu().float().numpy().astype("<f4").tobytes() for part in parts
    )
