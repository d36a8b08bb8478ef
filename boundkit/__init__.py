"""boundkit reads trained checkpoints and says what learning theory can say about them.

Nothing heavy is imported before it is used: names are looked up on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boundkit.analysis import analyze, load
    from boundkit.certify import BOUNDS, Bound
    from boundkit.checking import check
    from boundkit.collapsing import collapse
    from boundkit.comparison import compare
    from boundkit.errors import (
        BoundkitError,
        CheckpointError,
        DataError,
        Empty,
        ModelError,
        NotApplicable,
        Refused,
        Unreadable,
        UsageError,
    )
    from boundkit.measure.collapse import Collapse
    from boundkit.measure.peeled_arrays import ulpm
    from boundkit.report.comparison_model import Comparison
    from boundkit.report.model import Report
    from boundkit.sweeping.sweep import sweep
    from boundkit.types import Assumption, Certificate, Checkpoint, Measurement

__version__ = "0.1.0"

_HOMES = {
    "analyze": "boundkit.analysis",
    "check": "boundkit.checking",
    "collapse": "boundkit.collapsing",
    "compare": "boundkit.comparison",
    "load": "boundkit.analysis",
    "BOUNDS": "boundkit.certify",
    "Bound": "boundkit.certify",
    "BoundkitError": "boundkit.errors",
    "CheckpointError": "boundkit.errors",
    "DataError": "boundkit.errors",
    "Empty": "boundkit.errors",
    "ModelError": "boundkit.errors",
    "NotApplicable": "boundkit.errors",
    "Refused": "boundkit.errors",
    "Unreadable": "boundkit.errors",
    "UsageError": "boundkit.errors",
    "Collapse": "boundkit.measure.collapse",
    "Comparison": "boundkit.report.comparison_model",
    "Report": "boundkit.report.model",
    "Assumption": "boundkit.types",
    "Certificate": "boundkit.types",
    "Checkpoint": "boundkit.types",
    "Measurement": "boundkit.types",
    "sweep": "boundkit.sweeping.sweep",
    "ulpm": "boundkit.measure.peeled_arrays",
}

__all__ = [
    "BOUNDS",
    "Assumption",
    "Bound",
    "BoundkitError",
    "Certificate",
    "Checkpoint",
    "CheckpointError",
    "Collapse",
    "Comparison",
    "DataError",
    "Empty",
    "Measurement",
    "ModelError",
    "NotApplicable",
    "Refused",
    "Report",
    "Unreadable",
    "UsageError",
    "__version__",
    "analyze",
    "check",
    "collapse",
    "compare",
    "load",
    "sweep",
    "ulpm",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'boundkit' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
