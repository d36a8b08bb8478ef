"""The numbers of a report for experiment trackers: DVC, MLflow, W&B, TensorBoard."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from re import sub
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.report.json import document

if TYPE_CHECKING:
    from boundkit.report.model import Report

__all__ = ["log_to", "metrics"]

#: Longest name that MLflow takes.
_LONGEST = 250


def metrics(report: Report, *, layers: bool = False) -> dict[str, float]:
    """Return every finite number of a report under a flat name.

    Names are those of ``boundkit check``, such as ``certificates.sparse_cnn.value``, with
    characters that trackers refuse replaced by ``_``. A flag is 0 or 1.

    Args:
        report: Whose numbers.
        layers: Whether columns of layers, and measurements of one layer, are among them.
    """
    found: dict[str, float] = {}
    for path, value in _numbers(document(report), layers=layers):
        name = sub(r"[^A-Za-z0-9_./ -]", "_", path)[:_LONGEST]
        found.setdefault(name, value)
    return found


def log_to(
    report: Report, target: Any, *, step: int | None = None, layers: bool = False
) -> dict[str, float]:
    """Log the numbers of a report to an experiment tracker.

    Args:
        report: Whose numbers.
        target: A path, for a flat JSON file such as ``dvc metrics`` reads; the module
            ``mlflow``; a run of W&B; or a SummaryWriter of TensorBoard.
        step: Of training, where the tracker has one.
        layers: Whether columns of layers are among them.

    Returns:
        What was logged.

    Raises:
        UsageError: ``target`` is none of these, or the file cannot be written.
    """
    found = metrics(report, layers=layers)
    if isinstance(target, str | Path):
        _write(Path(target), found)
    elif hasattr(target, "log_metrics"):
        target.log_metrics(found, step=step)
    elif hasattr(target, "add_scalar"):
        for name, value in found.items():
            target.add_scalar(f"boundkit/{name}", value, step)
        target.flush()
    elif hasattr(target, "log"):
        target.log(
            {f"boundkit/{name}": value for name, value in found.items()}, step=step
        )
    else:
        raise UsageError(
            f"a report is logged to a path, mlflow, a W&B run or a SummaryWriter, but got "
            f"{type(target).__name__}"
        )
    return found


def _numbers(whole: Mapping[str, Any], *, layers: bool) -> Iterator[tuple[str, float]]:
    for part in ("coverage", "rho", "margins", "collapse", "noise"):
        yield from _flat(whole[part], part)
    for one in whole["certificates"]:
        kept = {key: one[key] for key in ("value", "log10", "vacuous", "terms")}
        yield from _flat(kept, f"certificates.{one['bound']}")
    for one in whole["measurements"]:
        if one["layer"] is None:
            yield from _flat(one["value"], f"measurements.{one['name']}")
        elif layers:
            yield from _flat(one["value"], f"layers.{one['layer']}.{one['name']}")
    for one in whole["layers"] if layers else ():
        rest = {key: value for key, value in one.items() if key != "name"}
        yield from _flat(rest, f"layers.{one['name']}")
    yield "warnings", float(len(whole["warnings"]))


def _flat(node: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _flat(value, f"{path}.{key}")
    elif isinstance(node, int | float) and isfinite(node):
        yield path, float(node)


def _write(path: Path, found: dict[str, float]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot write {str(path)!a}: {error.strerror or error}; choose another place"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
