"""A simulation as text, documents, files and figures."""

from __future__ import annotations

import csv
import json
from math import inf, nan

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError

from boundkit.errors import UsageError
from boundkit.lab.dynamics.charts import drawn
from boundkit.lab.dynamics.checks import equal, open_claim, residual
from boundkit.lab.dynamics.documents import document, render, schema, table_of
from boundkit.lab.dynamics.saving import prepared, saved
from boundkit.lab.dynamics.simulation import (
    Chart,
    Column,
    Panel,
    Series,
    Simulation,
    Table,
)
from boundkit.lab.dynamics.text import lines
from boundkit.lab.dynamics.text import render as text

T = np.array([0.0, 1.0, 2.0])


def made(**changes):
    table = Table(
        "main",
        (
            Column("time", "s", "clock", T),
            Column("x", "1", "place", np.array([1.0, nan, 0.1]), "in the middle"),
        ),
    )
    series = Series("x", T, np.array([1.0, nan, 0.1]))
    given = {
        "system": "flow",
        "title": "a title",
        "settings": {"rho": 0.3},
        "tables": (table, Table("more", table.columns[:1])),
        "checks": (
            equal("one", "claim one", "P1 (1)", 2.0, 2.0, 1e-9),
            residual("two", "claim two", "P1 (2)", 3.0, 1e-9),
            open_claim("three", "claim three", "P1 (3)", "too short"),
        ),
        "charts": (
            Chart(
                "picture",
                "Title",
                (
                    Panel("t", "x", (series,), log_x=True, log_y=True),
                    Panel("t", "x", tuple(series for _ in range(6))),
                    Panel("t", "x", (Series("none", T, T * nan),), log_y=True),
                ),
            ),
        ),
        "summary": {"steps": 12345, "rate": 0.25, "nothing": None, "word": "fine"},
        "notes": ("A note.",),
    }
    return Simulation(**given | changes)


def test_text_tells_each_claim_its_numbers_and_whether_it_holds():
    found = text(made())

    assert "boundkit 0.1.0 · simulate flow · a title" in found
    for word in ("steps: 12,345", "rate: 0.250000", "nothing: -", "word: fine"):
        assert word in found
    rows = {line.split()[0]: line.split()[-1] for line in found.splitlines() if line}
    assert (rows["one"], rows["two"], rows["three"]) == ("holds", "FAILS", "open")
    assert "claim three (P1 (3)): too short" in found
    assert found.rstrip().endswith("A note.")
    assert str(made()) == found


def test_text_tells_what_stopped_it():
    found = text(made(stopped="at time 3: diverged"))

    assert "Stopped: at time 3: diverged. What was computed is kept." in found


def test_lines_fit_and_names_are_escaped():
    found = made(title="x" * 30 + "\x1b[31m", notes=("word " * 60 + "\x07",))

    for line in lines(found, 80):
        joined = "".join(part for part, _ in line)
        assert "\x1b" not in joined
        assert "\x07" not in joined
        assert len(joined) <= 80 or joined.startswith("  ")


def test_undefined_numbers_are_told_from_blanks():
    sound = made()
    wild = Table("main", (Column("time", "s", "clock", np.array([0.0, inf])),))
    gap = Table("main", (Column("time", "s", "clock", np.array([0.0, nan])),))

    assert not sound.undefined
    assert made(stopped="why").undefined
    assert made(tables=(wild,)).undefined
    assert made(tables=(gap,)).undefined
    assert made(checks=(residual("r", "c", "s", nan, 1.0),)).undefined


def test_json_is_strict_and_complete():
    found = json.loads(render(made()))

    assert found["schema"] == "boundkit.simulation/1"
    assert found["tables"][0]["columns"][1] == {
        "name": "x",
        "unit": "1",
        "meaning": "place",
        "blank": "in the middle",
        "values": [1.0, None, 0.1],
    }
    assert [check["holds"] for check in found["checks"]] == [True, False, None]
    assert found["settings"] == {"rho": 0.3}


def test_documents_satisfy_the_schema():
    Draft202012Validator.check_schema(schema())
    validator = Draft202012Validator(schema())
    table = json.loads(render(made()))
    validator.validate(table)
    validator.validate(json.loads(render(made(stopped="at a wall"))))
    table["tables"][0]["columns"] = []
    with pytest.raises(ValidationError, match=r"non-empty|too short"):
        validator.validate(table)


def test_a_number_of_a_check_that_is_not_finite_is_warned_of():
    found = document(made(checks=(residual("r", "c", "s", nan, 1.0),)))

    assert found["checks"][0]["found"] is None
    assert "checks[0].found is not finite" in found["warnings"][0]["message"]


def test_csv_reads_back_exactly():
    rows = list(csv.DictReader(table_of(made().table()).splitlines()))

    assert [row["x"] for row in rows] == ["1.0", "", "0.1"]
    assert [float(row["time"]) for row in rows] == T.tolist()


def test_files_of_a_folder(tmp_path):
    place = tmp_path / "new" / "folder"
    files = saved(made(), place)

    assert [file.name for file in files] == [
        "flow.json",
        "flow.csv",
        "flow-more.csv",
        "picture.png",
    ]
    assert sorted(place.iterdir()) == sorted(files)
    assert files[-1].read_bytes().startswith(b"\x89PNG")
    before = [file.read_bytes() for file in files]
    saved(made(), place)
    assert [file.read_bytes() for file in files] == before


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot write to .*choose another folder"):
        prepared(tmp_path / "file")
    with pytest.raises(UsageError, match=r"cannot write to .*choose another folder"):
        prepared(tmp_path / "file" / "below")


def test_a_folder_in_a_files_place_is_refused(tmp_path):
    (tmp_path / "flow.json").mkdir()
    with pytest.raises(UsageError, match=r"cannot write to .*choose another folder"):
        saved(made(), tmp_path)


def test_charts_have_all_panels_and_series():
    figure = drawn(made().charts)["picture"]

    assert len(figure.axes) == 3
    first, second, empty = figure.axes
    assert (first.get_xscale(), first.get_yscale()) == ("log", "log")
    # Neither time 0 nor NaN can be drawn on logarithmic axes.
    np.testing.assert_array_equal(first.lines[0].get_xdata(), [2.0])
    assert len(second.lines) == 6
    assert len(empty.lines[0].get_xdata()) == 0
