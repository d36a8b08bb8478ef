"""Every measurement by name: what it is, what it needs, where it comes from."""

from __future__ import annotations

import re

from boundkit.measure.collapse import MEASURES
from boundkit.measure.glossary.entry import Entry
from boundkit.measure.glossary.in_print import JIANG2020, PRINTED_FORMS
from boundkit.measure.glossary.of_data import MARGINS, NOISE
from boundkit.measure.glossary.of_weights import COLUMNS, NET, SPECTRA

__all__ = ["Entry", "cited", "glossary"]

_GROUPS = (COLUMNS, NET, SPECTRA, MARGINS, PRINTED_FORMS, JIANG2020)

_PAPERS = {
    "P0": "Poggio, Liao (2021), Generalization in deep network classifiers trained with "
    "the square loss",
    "P1": "Xu, Rangamani, Liao, Galanti, Poggio (2023), Dynamics in deep classifiers "
    "trained with the square loss: normalization, low rank, neural collapse and "
    "generalization bounds",
    "P2": "Han, Papyan, Donoho (2022), Neural collapse under MSE loss: proximity to and "
    "dynamics on the central path",
    "P3": "Rangamani, Banburski-Fahey (2022), Neural collapse in deep homogeneous "
    "classifiers and the role of weight decay",
    "P4": "Ji, Lu, Zhang, Deng, Su (2022), An unconstrained layer-peeled perspective on "
    "neural collapse",
}


def cited(source: str) -> tuple[str, ...]:
    """Return a source, and in full the papers that it names by P0 to P4.

    Args:
        source: Of an entry.
    """
    named = dict.fromkeys(re.findall(r"\bP[0-4]\b", source))
    return (source, *(f"{paper}: {_PAPERS[paper]}" for paper in named))


def glossary() -> tuple[Entry, ...]:
    """Return every measurement that a report may carry, group by group.

    Those of neural collapse stand beside their formulas in
    ``boundkit.measure.collapse`` and are taken from there.
    """
    collapse = (
        Entry(
            measure.name,
            "neural collapse",
            measure.convention,
            "--model and --data",
            measure.source,
        )
        for measure in MEASURES
    )
    named = (entry for group in _GROUPS for entry in group.entries)
    return (*named, *collapse, *NOISE.entries)
