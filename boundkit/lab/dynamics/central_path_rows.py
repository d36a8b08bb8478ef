"""What is watched along the central path: one row of numbers at each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.central_path_flow import Law, classifier
from boundkit.lab.dynamics.simulation import Column, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.central_path_flow import Design
    from boundkit.lab.dynamics.solving import Solution

    Numbers = NDArray[np.float64]

__all__ = ["MEASURES", "Frame", "Path", "path_of", "watched"]

#: Measure of neural collapse -> what it is; as ``boundkit.collapse`` computes them.
MEASURES = {
    "mse.total": "square loss of features and least-squares classifier; P2 (2)",
    "mse.l_nc1": "its part of variation within classes; P2 Theorem 2",
    "mse.l_nc23": "its part of the class means; P2 Theorem 2",
    "mse.l_perp": "its part off the central path; P2 Theorem 1",
    "nc1_pinv": "tr(Sigma_W Sigma_B^+); NC1",
    "nc2_equinorm_means": "spread of the norms of class means; NC2",
    "nc2_max_angle_means": "mean |cos + 1/(C-1)| of class means; NC2",
    "nc3_per_class": "mean distance of unit classifiers and unit means; NC3",
    "nc4_mismatch": "share of samples not decided by the nearest mean; NC4",
}
_DRIFTS = {
    "covariance_drift": "||Sigma_W - I||, Frobenius, over sqrt(p)",
    "mean_drift": "||mu_G|| over the root mean square norm of the features",
    "vector_drift": "||M - U(0) diag(w) V(0)^T|| over ||M||; P2 Corollary 2",
    "means_to_limit": "||M / w_max - U(0) V(0)^T|| over sqrt(C - 1); P2 (10)",
    "features_to_limit": "||X / w_max - U(0) V(0)^T x 1_N^T|| over sqrt((C - 1) N);"
    " P2 (11)",
}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Singular vectors of the class means at time 0.

    Attributes:
        left: (p, C - 1) U.
        right: (C - 1, C) V^T.
        strength: (C - 1,) w, descending.
    """

    left: Numbers
    right: Numbers
    strength: Numbers

    @classmethod
    def of(cls, features: Numbers, design: Design) -> Frame:
        """Decompose the centered class means of the start.

        Args:
            features: (p, C N), renormalized.
            design: Their shape.
        """
        kept = design.classes - 1
        left, strength, right = np.linalg.svd(
            _centered(features, design), full_matrices=False
        )
        return cls(left[:, :kept], right[:kept], strength[:kept])


def _centered(features: Numbers, design: Design) -> Numbers:
    means = design.means(features)
    centered: Numbers = means - means.mean(axis=1, keepdims=True)
    return centered


def watched(features: Numbers, design: Design, frame: Frame) -> Numbers:
    """Return w (C - 1), the drifts, and the measures, in one row.

    Args:
        features: (p, C N).
        design: Their shape.
        frame: Of the start.
    """
    from boundkit.collapsing import collapse

    labels = np.repeat(np.arange(design.classes), design.per_class)
    found = collapse(features.T, labels, *classifier(features, design))
    values = found["snr.singular_values"]
    strength = np.full(design.classes - 1, np.nan)
    if values is not None:
        strength[: len(values)] = values
    measures = [found[name] for name in MEASURES]
    return np.concatenate([
        strength,
        _drifts(features, design, frame),
        [np.nan if value is None else value for value in measures],
    ])


def _drifts(features: Numbers, design: Design, frame: Frame) -> Numbers:
    own, means = design.within(features), _centered(features, design)
    covariance = own @ own.T / design.count
    inside = frame.left.T @ means @ frame.right.T
    strength = np.abs(np.diagonal(inside))
    straight = frame.left @ np.diag(np.diagonal(inside)) @ frame.right
    limit, largest = frame.left @ frame.right, strength.max()
    spread = np.repeat(limit, design.per_class, axis=1)
    size = np.linalg.norm(means)
    kept = design.classes - 1
    return np.array([
        np.linalg.norm(covariance - np.eye(design.width)) / np.sqrt(design.width),
        np.linalg.norm(features.mean(axis=1))
        * np.sqrt(design.count)
        / np.linalg.norm(features),
        np.linalg.norm(means - straight) / size,
        np.linalg.norm(means / largest - limit) / np.sqrt(kept),
        np.linalg.norm(features / largest - spread) / np.sqrt(kept * design.per_class),
    ])


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """What was watched, as arrays, beside the closed form.

    Attributes:
        law: The closed form.
        times: (T,).
        strength: (T, C - 1) w, descending, from the features.
        closed: (T, C - 1) the closed form from the values at time 0.
        named: Name -> (T,) drifts and measures.
    """

    law: Law
    times: Numbers
    strength: Numbers
    closed: Numbers
    named: dict[str, Numbers]

    def table(self) -> Table:
        """Return the path as a table, the time first."""
        kept = self.strength.shape[1]
        ratio = self.strength[:, 0] / self.strength[:, -1]
        omegas = [
            column
            for at in range(kept)
            for column in (
                Column(
                    f"omega_{at + 1}",
                    "1",
                    f"signal-to-noise value {at + 1} of the features; P2 (8)",
                    self.strength[:, at],
                ),
                Column(
                    f"omega_{at + 1}_closed",
                    "1",
                    f"closed form of value {at + 1}",
                    self.closed[:, at],
                ),
            )
        ]
        others = [
            Column(name, "1", (_DRIFTS | MEASURES)[name], values, "not defined there")
            for name, values in self.named.items()
        ]
        columns = (
            Column("time", "1", "of the flow", self.times),
            *omegas,
            Column("omega_ratio", "1", "largest over smallest value", ratio),
            *others,
        )
        return Table("path", columns)


def path_of(solution: Solution, law: Law) -> Path:
    """Arrange the rows of a solution.

    Args:
        solution: With the rows of ``watched``.
        law: The closed form.
    """
    kept = law.classes - 1
    rows = solution.rows
    closed = [
        [law.moved(value, float(time)) for value in rows[0, :kept]]
        for time in solution.times
    ]
    names = [*_DRIFTS, *MEASURES]
    named = {name: rows[:, kept + at] for at, name in enumerate(names)}
    return Path(law, solution.times, rows[:, :kept], np.array(closed), named)
