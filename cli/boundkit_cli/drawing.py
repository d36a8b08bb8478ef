"""The figures of a report, in a folder of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit_cli.console import talk

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.report import Report

__all__ = ["draw"]


def draw(report: Report, folder: Path, quiet: bool) -> None:
    """Write every figure that the report suffices for, as PNG.

    Raises:
        UsageError: A file cannot be written, or something else is in its place.
    """
    from boundkit.plot import save

    figures = report.figures()
    if not figures:
        talk(
            "warning: nothing to draw: figures need spectra, --model with --data, or "
            "--features"
        )
    for path in save(figures, folder):
        if not quiet:
            talk(f"wrote {path}")
