"""The papers' dynamical systems.

To add a system: write its file here, a ``System`` whose ``run`` names its options, add it to
``SYSTEMS``, and give it a command in ``cli/boundkit_cli/simulate.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.dynamics.central_path import CENTRAL_PATH
from boundkit.lab.dynamics.flow import FLOW
from boundkit.lab.dynamics.layer_peeled import ULPM

if TYPE_CHECKING:
    from boundkit.lab.dynamics.simulation import System

__all__ = ["SYSTEMS"]

#: The catalog.
SYSTEMS: tuple[System, ...] = (FLOW, CENTRAL_PATH, ULPM)
