"""Neural collapse over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, known

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["collapse_lines", "collapse_over_time"]

#: Vertical axis, and label -> measure; of the training sample, then of the other.
_PARTS = (
    ("NC1: tr(Sigma_W Sigma_B^+)", {"": "nc1_pinv"}),
    (
        "NC2: spread of norms",
        {"means": "nc2_equinorm_means", "classifiers": "nc2_equinorm_weights"},
    ),
    (
        "NC2: |cos + 1/(C-1)|",
        {"means": "nc2_max_angle_means", "classifiers": "nc2_max_angle_weights"},
    ),
    ("NC3: |W/|W| - M/|M||", {"": "nc3_frobenius"}),
    ("NC4: net unlike nearest mean", {"": "nc4_mismatch"}),
    ("NC1: class-distance variance", {"": "cdnv"}),
)


def collapse_lines(
    course: Course,
) -> list[tuple[str, dict[str, NDArray[np.float64]]]]:
    """Return NC1 to NC4: label of the axis and lines.

    Args:
        course: Of the run.
    """
    parts = [(label, known(course, _names(table))) for label, table in _PARTS]
    return [(label, lines) for label, lines in parts if lines]


def collapse_over_time(course: Course) -> Figure | None:
    """Draw NC1 to NC4 of the training and the test sample.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 9; classifiers are those of the
    net, whatever the sample.

    Args:
        course: Of the run.

    Returns:
        The figure; None where nothing of collapse is known.
    """
    parts = collapse_lines(course)
    if not parts:
        return None
    across = min(2, len(parts))
    figure, axes = panels(course, "Neural collapse", len(parts), across, 2.3)
    for each, (label, lines) in zip(axes, parts, strict=True):
        draw_lines(each, course, lines, label)
        each.set_ylim(bottom=0 if each.get_yscale() != "log" else None)
    return figure


def _names(table: dict[str, str]) -> dict[str, str]:
    found = {}
    for of, name in table.items():
        if of == "classifiers":
            found[of] = f"collapse.{name}"
        else:
            found[f"training {of}".rstrip()] = f"collapse.{name}"
            found[f"test {of}".rstrip()] = f"collapse.test.{name}"
    return found
