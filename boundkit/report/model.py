"""The report: everything that one analysis found, frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from boundkit.report.painting import Console, Painted
    from boundkit.types import Certificate, LedgerRow, Measurement, Notice

__all__ = [
    "SCHEMA",
    "UNDEFINED",
    "Certificates",
    "LayerRow",
    "Provenance",
    "Report",
    "Rho",
]

SCHEMA = "boundkit.report/1"

#: Codes of warnings about numbers that are not finite or not defined. A zero layer is
#: none of them: rho is 0 then, and that is a number.
UNDEFINED = frozenset({"non-finite"})


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which bytes were analyzed."""

    source: str
    format: str
    wrapping: tuple[str, ...]
    sha256: str | None
    bytes: int
    tensors: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Rho:
    """A product of norms; ``value`` is None where it overflows or is undefined."""

    log10: float | None
    value: float | None


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One line of the layer table.

    Attributes:
        name: Of the weight tensor.
        kind: Such as ``"conv2d"``.
        shape: Of the weight tensor.
        parameters: Its number of elements.
        rho: Frobenius norm, None if not finite.
        log10_rho: None if rho is 0 or not finite.
        counted: Whether it is a factor of rho.
        geometry: Stride and padding in words, or "".
        columns: Spectral columns by name; None where one is not defined.
        spectrum: Some pairs (rank from 1, singular value), for figures.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    rho: float | None
    log10_rho: float | None
    counted: bool
    geometry: str = ""
    columns: Mapping[str, float | None] = field(
        default_factory=lambda: MappingProxyType({})
    )
    spectrum: tuple[tuple[int, float], ...] = ()


class Certificates(Mapping[str, "Certificate"]):
    """Certificates by the id of their bound, in the order of the report."""

    def __init__(self, certificates: tuple[Certificate, ...]) -> None:
        self._by_bound = {c.bound: c for c in certificates}

    def __getitem__(self, bound: str) -> Certificate:
        """Return the certificate of ``bound``.

        Raises:
            KeyError: There is none; the message names those there are.
        """
        try:
            return self._by_bound[bound]
        except KeyError:
            known = ", ".join(self._by_bound) or "none"
            raise KeyError(f"no certificate {bound!r}; there are: {known}") from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over bound ids."""
        return iter(self._by_bound)

    def __len__(self) -> int:
        """Count the certificates."""
        return len(self._by_bound)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report:
    """Everything that one analysis found; the only thing renderers read."""

    boundkit: str
    checkpoint: Provenance
    conventions: Mapping[str, Any]
    ledger: tuple[LedgerRow, ...]
    coverage: float
    layers: tuple[LayerRow, ...]
    rho_stored: Rho
    rho_folded: Rho | None
    measurements: tuple[Measurement, ...]
    certificates: Certificates
    margins: Mapping[str, Any] | None
    collapse: Mapping[str, Any] | None
    noise: Mapping[str, Any] | None
    warnings: tuple[Notice, ...]
    seconds: Mapping[str, float]

    @property
    def undefined(self) -> tuple[Notice, ...]:
        """Warnings about numbers that are not finite or not defined: exit code 4."""
        return tuple(w for w in self.warnings if w.code in UNDEFINED)

    def __repr__(self) -> str:
        """Render as the text report."""
        from boundkit.report.text import render

        return render(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as the text report, painted, for rich's consoles."""
        from boundkit.report.painting import painted
        from boundkit.report.text import lines

        return painted(lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.report.html import render
        from boundkit.report.pages import framed

        return framed(render(self), "boundkit report")

    def figures(self) -> dict[str, Figure]:
        """Return every figure that there are numbers for, by name."""
        from boundkit.plot import drawn
        from boundkit.report.picturing import from_report

        return drawn(from_report(self))

    def plot(self, name: str | None = None) -> Figure:
        """Draw one figure.

        Args:
            name: Such as ``"margin_histogram"``, as ``docs/figures.md`` lists them; None
                for the first that there are numbers for.

        Raises:
            UsageError: There is no such figure, or no numbers for it.
        """
        from boundkit.plot import FIGURES, chosen
        from boundkit.report.picturing import from_report

        return chosen(FIGURES, from_report(self), name)

    def frame(
        self,
        table: Literal[
            "layers", "ledger", "certificates", "measurements", "warnings"
        ] = "layers",
    ) -> pd.DataFrame:
        """Return one table of the report as a pandas DataFrame.

        Args:
            table: Which one.

        Returns:
            One row per layer, tensor, certificate, measurement or warning.
        """
        import pandas as pd

        from boundkit.report.json import document

        rows = document(self)[table]
        return pd.DataFrame(rows)
