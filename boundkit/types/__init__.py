"""The nouns: every value that crosses a stage.

A stage is a function from one of these frozen types to the next::

    path -> Checkpoint -> Network -> Measurement, Evidence -> Certificate -> Report
"""

from __future__ import annotations

from boundkit.types.evidence import (
    Alignment,
    Declared,
    Evidence,
    MatrixNorms,
    Norms,
    Sharpness,
)
from boundkit.types.findings import (
    Assumption,
    Certificate,
    Measurement,
    Status,
)
from boundkit.types.networks import (
    BatchStatistics,
    Geometry,
    Kind,
    Layer,
    Network,
    Node,
)
from boundkit.types.stored import (
    Checkpoint,
    LedgerRow,
    Notice,
    Storage,
    StoredTensor,
    TensorStatus,
)

__all__ = [
    "Alignment",
    "Assumption",
    "BatchStatistics",
    "Certificate",
    "Checkpoint",
    "Declared",
    "Evidence",
    "Geometry",
    "Kind",
    "Layer",
    "LedgerRow",
    "MatrixNorms",
    "Measurement",
    "Network",
    "Node",
    "Norms",
    "Notice",
    "Sharpness",
    "Status",
    "Storage",
    "StoredTensor",
    "TensorStatus",
]
