"""The papers' dynamical systems.

To add a system: write its file here, a ``System`` whose ``run`` names its options, add it to
``SYSTEMS``, and give it a command in ``cli/boundkit_cli/simulate.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boundkit.lab.dynamics.simulation import System

__all__ = ["SYSTEMS"]

#: The catalog.
SYSTEMS: tuple[System, ...] = ()
