"""What the inputs of a sample bring to the output, in squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.types import Evidence

__all__ = ["energy_per_sample", "energy_through"]


def energy_per_sample(evidence: Evidence | None, input_norm: float) -> float:
    """Return the mean of ``||x_i||^2``, or what the user says of it.

    Args:
        evidence: The sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.
    """
    return input_norm**2 if evidence is None else evidence.mean_square_norm


def energy_through(
    counts: NDArray[np.float64], evidence: Evidence | None, input_norm: float
) -> float:
    """Return ``sum_p N_p mean ||x_ip||^2``, the largest ``N_p`` where p is not known.

    Args:
        counts: (positions...) paths from each input position to the output.
        evidence: The sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.
    """
    if evidence is not None and evidence.position_energy is not None:
        energy = np.asarray(evidence.position_energy)
        if energy.size == counts.size:
            return float(np.vdot(energy.ravel(), counts.ravel()))
    return float(counts.max()) * energy_per_sample(evidence, input_norm)
