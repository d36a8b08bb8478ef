"""Whether the nets of a table may stand on one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ARCHITECTURE", "SIZE", "Mixture", "mixture", "require_one_kind"]

#: Columns that tell architectures apart: names that people give, and what a sweep counts.
ARCHITECTURE = (
    "architecture",
    "arch",
    "model",
    "meta.architecture",
    "meta.arch",
    "parameters",
    "layers",
)
#: Columns that hold the size of the training sample.
SIZE = (
    "training_size",
    "train_size",
    "train_dataset_size",
    "n_train",
    "n",
    "meta.n_train",
    "meta.train_size",
)
_QUOTED = 4


@dataclass(frozen=True, slots=True)
class Mixture:
    """What differs among nets that should be of one kind.

    Attributes:
        what: "architectures" or "training-set sizes".
        column: Which shows it.
        shown: Its values, the first few, as text.
    """

    what: str
    column: str
    shown: str


def mixture(frame: pd.DataFrame) -> Mixture | None:
    """Return what differs among nets that should be of one kind; None if nothing does.

    Args:
        frame: The rows.
    """
    for what, names in (("architectures", ARCHITECTURE), ("training-set sizes", SIZE)):
        for name in names:
            values = (
                list(frame[name].dropna().unique()) if name in frame.columns else []
            )
            if len(values) > 1:
                shown = ", ".join(str(value)[:30] for value in values[:_QUOTED])
                return Mixture(
                    what, name, shown + (", ..." if len(values) > _QUOTED else "")
                )
    return None


def require_one_kind(frame: pd.DataFrame, group: str | None) -> None:
    """Refuse rows of several architectures or training-set sizes.

    A product of norms means another thing in another net, or on another sample: bounds
    are compared at one architecture and one sample (Xu, Rangamani, Liao, Galanti,
    Poggio (2023), section 4.2).

    Args:
        frame: The rows.
        group: Column within whose groups it matters; None for all rows.

    Raises:
        UsageError: They are mixed.
    """
    parts = [frame] if group is None else [p for _, p in frame.groupby(group)]
    for part in parts:
        found = mixture(part)
        if found is not None:
            raise UsageError(
                f"the points mix {found.what} ({found.column!r}: {found.shown}), among "
                "which norms and margins are not comparable; fit each apart with --group "
                f"{found.column} (group={found.column!r}), or ask for the mixture with "
                "--mix (mix=True)"
            )
