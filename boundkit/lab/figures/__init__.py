"""The catalog of figures: one file each, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.lab.figures.headline import HEADLINE
from boundkit.lab.figures.p0_fig2 import P0_FIG2
from boundkit.lab.figures.p0_fig3 import P0_FIG3
from boundkit.lab.figures.p0_fig4 import P0_FIG4
from boundkit.lab.figures.p0_fig5 import P0_FIG5
from boundkit.lab.figures.p1_fig3 import P1_FIG3
from boundkit.lab.figures.p1_fig4 import P1_FIG4
from boundkit.lab.figures.p1_fig5 import P1_FIG5
from boundkit.lab.figures.p1_fig6 import P1_SIZES
from boundkit.lab.figures.p1_fig8 import P1_FIG8
from boundkit.lab.figures.p1_fig9 import P1_TWO_CLASSES
from boundkit.lab.figures.p1_fig10 import P1_FIG10
from boundkit.lab.figures.p1_low_rank import P1_LOW_RANK
from boundkit.lab.figures.p1_sgd_noise import P1_SGD_NOISE
from boundkit.lab.figures.p2_collapse import P2_COLLAPSE
from boundkit.lab.figures.p2_fig2 import P2_FIG2
from boundkit.lab.figures.p2_losses import P2_LOSSES
from boundkit.lab.figures.p2_robustness import P2_ROBUSTNESS
from boundkit.lab.figures.p2_table1 import P2_TABLE1
from boundkit.lab.figures.p3_collapse import P3_COLLAPSE
from boundkit.lab.figures.p4_collapse import P4_COLLAPSE
from boundkit.lab.figures.p4_fig2 import P4_FIG2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.lab.exhibit import PaperFigure

__all__ = ["FIGURES", "chosen"]

FIGURES: tuple[PaperFigure, ...] = (
    P0_FIG2,
    P0_FIG3,
    P0_FIG4,
    P0_FIG5,
    P1_FIG3,
    P1_FIG4,
    P1_FIG5,
    *P1_SIZES,
    P1_FIG8,
    *P1_TWO_CLASSES,
    P1_FIG10,
    P1_LOW_RANK,
    P1_SGD_NOISE,
    P2_FIG2,
    P2_TABLE1,
    *P2_COLLAPSE,
    *P2_LOSSES,
    *P2_ROBUSTNESS,
    *P3_COLLAPSE,
    P4_COLLAPSE[0],
    P4_FIG2,
    *P4_COLLAPSE[1:],
    HEADLINE,
)


def chosen(names: str | Sequence[str]) -> tuple[PaperFigure, ...]:
    """Return figures by name, ``"all"`` for the catalog.

    Raises:
        UsageError: There is none of that name.
    """
    known = {each.name: each for each in FIGURES}
    wanted = [names] if isinstance(names, str) else list(names)
    found = [name for one in wanted for name in (known if one == "all" else [one])]
    for name in found:
        if name not in known:
            raise UsageError(
                f"there is no figure {name!r}; there are {', '.join(known)}, and all"
            )
    return tuple(known[name] for name in dict.fromkeys(found))
