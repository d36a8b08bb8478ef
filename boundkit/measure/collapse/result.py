"""What was found about the collapse of one sample."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.measure.collapse.formula import Finding
    from boundkit.plot.sources import Sources

__all__ = ["Collapse", "nested"]

#: Tables of more rows than this are left out of summaries.
_LARGEST_TABLE = 64

#: What is said of the precision.
_PRECISIONS = {
    "double": "features, products and sums in float64",
    "single": (
        "float32 products of features less their class means, added up in float64:"
        " relative errors of about 1e-6; class means and decisions as in float64"
    ),
}

#: Lists of more numbers than this are left out of summaries past it.
_LONGEST_LIST = 1024


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Collapse:
    """Every measure of neural collapse of one sample.

    Attributes:
        findings: One a measure, in the order of the catalog.
        arrays: What figures are drawn from: ``per_class.*`` (k,), ``cosines.means`` and
            ``cosines.weights`` (k, k), ``eigenvalues.within`` (p,) and
            ``eigenvalues.between`` (m,) of Sigma_W and Sigma_B, descending, and
            ``snr.singular_values`` (finite ones, descending). None where undefined.
        absent: Name of an array -> why it is None.
        n: Number of samples.
        classes: C, with or without samples.
        present: Which classes have samples; the order of the arrays.
        notices: What to bear in mind, one sentence each.
        precision: Of products of features: ``"double"``, or ``"single"``.
    """

    findings: tuple[Finding, ...]
    arrays: Mapping[str, NDArray[np.float64] | None]
    absent: Mapping[str, str]
    n: int
    classes: int
    present: tuple[int, ...]
    notices: tuple[str, ...]
    precision: str = "double"

    def __getitem__(self, name: str) -> Any:
        """Return a value, None where it is not defined, or an array.

        Raises:
            KeyError: There is nothing of that name; the message names what there is.
        """
        for finding in self.findings:
            if finding.name == name:
                return finding.value
        if name in self.arrays:
            return self.arrays[name]
        known = ", ".join([*(each.name for each in self.findings), *self.arrays])
        raise KeyError(f"no measure {name!r}; there are: {known}")

    @property
    def reasons(self) -> dict[str, str]:
        """Why values and arrays are None, by name; a family in one line, ``name.*``."""
        whole = dict(_common(self.findings))
        found = {f"{family}.*": reason for family, reason in whole.items()}
        for one in self.findings:
            if one.reason and _family(one) not in whole:
                found[one.name] = one.reason
        return found | dict(self.absent)

    @property
    def conventions(self) -> dict[str, str]:
        """Formula and source of every measure, by name, and ``precision``."""
        told = {one.name: f"{one.convention} [{one.source}]" for one in self.findings}
        return told | {"precision": _PRECISIONS[self.precision]}

    def frame(self) -> pd.DataFrame:
        """Return one row a measure: name, value, convention, source, reason."""
        import pandas as pd

        names = ("name", "value", "convention", "source", "reason")
        rows = [[getattr(one, name) for name in names] for one in self.findings]
        return pd.DataFrame(rows, columns=list(names))

    def summary(self) -> dict[str, Any]:
        """Return values and small arrays in JSON's own types, families as tables."""
        reasons = self.reasons
        values: dict[str, Any] = {one.name: one.value for one in self.findings}
        for name, array in self.arrays.items():
            values[name], left_out = _listed(array)
            if left_out:
                reasons[name] = left_out
        counts = {
            "n": self.n,
            "classes": self.classes,
            "present": _ranges(self.present),
        }
        return (
            counts
            | nested(values)
            | {"reasons": reasons, "notices": list(self.notices)}
        )

    def __repr__(self) -> str:
        """Render as a table of the values that there are, and the notices."""
        head = f"collapse of {self.n} samples in {len(self.present)} classes"
        rows = [f"  {name:<{_WIDTH}}  {value}" for name, value in self._rows()]
        return "\n".join([head, *rows, *(f"  note: {each}" for each in self.notices)])

    def _repr_html_(self) -> str:
        """Render as a table of a notebook."""
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        notes = "".join(f"<p>{escape(each)}</p>" for each in self.notices)
        return f"<table>{rows}</table>{notes}"

    def figures(self) -> dict[str, Figure]:
        """Return every figure that there are numbers for, by name."""
        from boundkit.plot import drawn

        return drawn(self._sources())

    def plot(self, name: str | None = None) -> Figure:
        """Draw one figure.

        Args:
            name: Such as ``"class_cosines"``, as ``docs/figures.md`` lists them; None for
                the first that there are numbers for.

        Raises:
            UsageError: There is no such figure, or no numbers for it.
        """
        from boundkit.plot import FIGURES, chosen

        return chosen(FIGURES, self._sources(), name)

    def _sources(self) -> Sources:
        from boundkit.plot.sources import Sources, flat

        values = flat(self.summary()) | dict(self.arrays)
        return Sources(
            title=f"{self.n:,} samples",
            collapse={"sample": values},
            class_names=[str(label) for label in self.present],
        )

    def _rows(self) -> Iterator[tuple[str, str]]:
        for one in self.findings:
            if one.value is not None:
                yield one.name, f"{one.value:.6g}"


_WIDTH = 50


def _family(one: Finding) -> str:
    return one.name.rpartition(".")[0]


def _common(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Yield families that have one reason for all of their members."""
    reasons: dict[str, set[str]] = {}
    for one in findings:
        reasons.setdefault(_family(one), set()).add(one.reason)
    for family, found in reasons.items():
        if family and len(found) == 1 and "" not in found:
            yield family, found.pop()


def _listed(array: NDArray[np.float64] | None) -> tuple[Any, str]:
    if array is None:
        return None, ""
    if array.ndim == 2 and len(array) > _LARGEST_TABLE:
        return None, f"left out: a table of {len(array)} x {len(array)} numbers"
    if len(array) > _LONGEST_LIST:
        shown = array[:_LONGEST_LIST].tolist()
        return shown, f"the first {_LONGEST_LIST} of {len(array)} numbers"
    return array.tolist(), ""


def _ranges(classes: tuple[int, ...]) -> str:
    """Return class numbers as ranges, such as ``"0-4, 6"``."""
    numbers = np.asarray(classes)
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(
        str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts
    )


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names as tables within tables.

    Args:
        values: Such as ``{"mse.total": 1}``.
    """
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree
