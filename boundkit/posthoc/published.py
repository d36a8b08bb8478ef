"""Certified weights and their certificate, written side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boundkit.posthoc.certificate import rendered
from boundkit.posthoc.weights_file import require_place, write_weights, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from boundkit.posthoc.certificate import CertificateFile

__all__ = ["certificate_path", "place_wanted", "published"]


def place_wanted(out: str | Path | None, source: object) -> Path | None:
    """Return where weights are to go, before any work is done.

    Args:
        out: What the user gave.
        source: The checkpoint, which must not be overwritten.

    Raises:
        UsageError: They cannot go there.
    """
    if out is None:
        return None
    require_place(Path(out), source)
    return Path(out)


def certificate_path(out: Path) -> Path:
    """Return where the certificate of a file of weights is written.

    Args:
        out: The weights.
    """
    return out.with_name(f"{out.name}.certificate.json")


def published(
    certificate: CertificateFile, state: Mapping[str, torch.Tensor], place: Path | None
) -> CertificateFile:
    """Write weights and certificate, and return the certificate that names the file.

    Args:
        certificate: About the state_dict.
        state: The certified weights.
        place: Where they go; None to write nothing.

    Raises:
        UsageError: The operating system refuses.
    """
    if place is None:
        return certificate
    named = replace(
        certificate,
        certifies=f"the file {place.name}, not the checkpoint that was given",
        sha256_out=write_weights(place, state),
    )
    write_whole(certificate_path(place), rendered(named).encode())
    return named
