"""(Network, Norms, Evidence, delta) -> Certificate.

To add a bound: write its file, add its line to ``BOUNDS``, write its test.
"""

from __future__ import annotations

from boundkit.certify.bartlett2017 import BARTLETT2017
from boundkit.certify.bound import Bound, evaluate
from boundkit.certify.dense import DENSE
from boundkit.certify.galanti2023 import GALANTI2023
from boundkit.certify.golowich2018_l1 import GOLOWICH2018_L1
from boundkit.certify.holdout import HOLDOUT
from boundkit.certify.multiplicity import Best, best
from boundkit.certify.neyshabur2015 import NEYSHABUR2015
from boundkit.certify.neyshabur2018 import NEYSHABUR2018
from boundkit.certify.sparse_cnn import SPARSE_CNN
from boundkit.certify.sparse_cnn_log import SPARSE_CNN_LOG
from boundkit.certify.toeplitz import TOEPLITZ

__all__ = ["BOUNDS", "Best", "Bound", "best", "evaluate"]

#: The catalog, in the order of reports.
BOUNDS: tuple[Bound, ...] = (
    SPARSE_CNN,
    SPARSE_CNN_LOG,
    DENSE,
    TOEPLITZ,
    GALANTI2023,
    NEYSHABUR2015,
    BARTLETT2017,
    NEYSHABUR2018,
    GOLOWICH2018_L1,
    HOLDOUT,
)
