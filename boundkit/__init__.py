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
    from boundkit.lab.dynamics.simulating import simulate
    from boundkit.lab.dynamics.simulation import Simulation
    from boundkit.lab.reproducing import reproduce
    from boundkit.measure.collapse import Collapse
    from boundkit.measure.peeled_arrays import ulpm
    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.coding import code
    from boundkit.posthoc.drawing import draw
    from boundkit.posthoc.holding_out import holdout
    from boundkit.posthoc.verifying import verify
    from boundkit.regression.model import Regression
    from boundkit.regression.ranking import rank_measures
    from boundkit.regression.ranking_model import Ranking
    from boundkit.regression.regressing import regress
    from boundkit.report.comparison_model import Comparison
    from boundkit.report.difference import diff
    from boundkit.report.model import Report
    from boundkit.report.tracking import log_to
    from boundkit.sweeping.sweep import sweep
    from boundkit.tracing.model import Trace
    from boundkit.tracing.run import trace
    from boundkit.types import Assumption, Certificate, Checkpoint, Measurement

__version__ = "0.1.0"

_HOMES = {
    "analyze": "boundkit.analysis",
    "check": "boundkit.checking",
    "collapse": "boundkit.collapsing",
    "compare": "boundkit.comparison",
    "diff": "boundkit.report.difference",
    "code": "boundkit.posthoc.coding",
    "draw": "boundkit.posthoc.drawing",
    "holdout": "boundkit.posthoc.holding_out",
    "load": "boundkit.analysis",
    "log_to": "boundkit.report.tracking",
    "verify": "boundkit.posthoc.verifying",
    "CertificateFile": "boundkit.posthoc.certificate",
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
    "Ranking": "boundkit.regression.ranking_model",
    "Regression": "boundkit.regression.model",
    "Report": "boundkit.report.model",
    "Assumption": "boundkit.types",
    "Certificate": "boundkit.types",
    "Checkpoint": "boundkit.types",
    "Measurement": "boundkit.types",
    "rank_measures": "boundkit.regression.ranking",
    "regress": "boundkit.regression.regressing",
    "reproduce": "boundkit.lab.reproducing",
    "Simulation": "boundkit.lab.dynamics.simulation",
    "simulate": "boundkit.lab.dynamics.simulating",
    "sweep": "boundkit.sweeping.sweep",
    "Trace": "boundkit.tracing.model",
    "trace": "boundkit.tracing.run",
    "ulpm": "boundkit.measure.peeled_arrays",
}

__all__ = [
    "BOUNDS",
    "Assumption",
    "Bound",
    "BoundkitError",
    "Certificate",
    "CertificateFile",
    "Checkpoint",
    "CheckpointError",
    "Collapse",
    "Comparison",
    "DataError",
    "Empty",
    "Measurement",
    "ModelError",
    "NotApplicable",
    "Ranking",
    "Refused",
    "Regression",
    "Report",
    "Simulation",
    "Trace",
    "Unreadable",
    "UsageError",
    "__version__",
    "analyze",
    "check",
    "code",
    "collapse",
    "compare",
    "diff",
    "draw",
    "holdout",
    "load",
    "log_to",
    "rank_measures",
    "regress",
    "reproduce",
    "simulate",
    "sweep",
    "trace",
    "ulpm",
    "verify",
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
