from __future__ import annotations

from types import SimpleNamespace

import pytest

from boundkit.certify import BOUNDS
from boundkit.measure.glossary import glossary
from boundkit.report.explanation import catalog, explanation, glossary_list, meaning
from boundkit.report.spans import plain

ENTRY = SimpleNamespace(
    id="toy",
    title="a toy",
    statement="err <= 1.\n\n  err = 0\n    + 1\n\nThat is all.",
    assumptions=("it is a toy",),
    premises=("i.i.d. sample",),
    citation="Author (2000), Theorem 1",
    corrections="",
)


def test_an_explanation_has_every_part_and_keeps_formulas():
    assert plain(explanation(ENTRY, 80)) == (
        "toy · a toy\n\n"
        "  err <= 1.\n\n"
        "  err = 0\n    + 1\n\n"
        "  That is all.\n\n"
        "  Assumptions, checked on every net\n    - it is a toy\n\n"
        "  Premises, which no program can check\n    - i.i.d. sample\n\n"
        "  Source\n    - Author (2000), Theorem 1\n"
    )


def test_corrections_are_shown_where_there_are_any():
    corrected = SimpleNamespace(**(vars(ENTRY) | {"corrections": "a factor 2"}))

    assert "printed text\n    - a factor 2\n" in plain(explanation(corrected, 80))


def test_the_catalog_lists_every_entry():
    text = plain(catalog((ENTRY, ENTRY), 80))

    assert text.startswith("  toy  a toy\n  toy  a toy\n\n")


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.id)
def test_every_bound_is_explained_within_the_width(bound):
    lines = plain(explanation(bound, 80)).splitlines()

    assert max(map(len, lines)) <= 80
    assert any(bound.citation[:20] in line for line in lines)


@pytest.mark.parametrize("entry", glossary(), ids=lambda entry: entry.name)
def test_every_measurement_is_explained_within_the_width(entry):
    text = plain(meaning(entry, 80))

    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"{entry.name} · "[:60])
    assert ("no proof covers it" in text) == entry.heuristic
    assert "  Needs\n    - " in text
    assert "  Source\n    - " in text


def test_papers_are_named_in_full():
    (entry,) = (entry for entry in glossary() if entry.name == "nc1_trace")

    assert "- P1: Xu, Rangamani, Liao, Galanti, Poggio (2023)" in plain(
        meaning(entry, 80)
    )


def test_the_glossary_lists_names_by_group():
    lines = plain(glossary_list(glossary(), 80)).splitlines()

    assert lines[0] == "Measurements"
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("  margins: mean, second_moment") for line in lines)
