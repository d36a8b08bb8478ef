"""(Network, Norms, Evidence, delta) -> Certificate.

To add a bound: write its file, add its line to ``BOUNDS``, write its test.
"""

from __future__ import annotations

from boundkit.certify.bound import Bound, evaluate
from boundkit.certify.dense import DENSE
from boundkit.certify.holdout import HOLDOUT
from boundkit.certify.sparse_cnn import SPARSE_CNN
from boundkit.certify.toeplitz import TOEPLITZ

__all__ = ["BOUNDS", "Bound", "evaluate"]

#: The catalog, in the order of reports.
BOUNDS: tuple[Bound, ...] = (SPARSE_CNN, DENSE, TOEPLITZ, HOLDOUT)
