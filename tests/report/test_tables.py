from __future__ import annotations

import csv
import sys

import pandas as pd
import pytest

from boundkit.errors import UsageError
from boundkit.report.tables import TABLES, table, write_tables
from tests.report.reports import REPORTS, proved

each_report = pytest.mark.parametrize("name", REPORTS)


@each_report
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_table_has_a_file_with_its_columns(name, form, tmp_path):
    paths = write_tables(REPORTS[name](), tmp_path / "new" / "tables", form)
    read = pd.read_csv if form == "csv" else pd.read_parquet

    assert [path.name for path in paths] == [f"{one}.{form}" for one in TABLES]
    assert sorted(paths) == sorted((tmp_path / "new" / "tables").iterdir())
    for path, (title, columns) in zip(paths, TABLES.items(), strict=True):
        frame = read(path)

        assert tuple(frame.columns) == columns
        assert len(frame) == len(table(REPORTS[name](), title))


def test_numbers_come_back_to_the_last_digit(tmp_path):
    write_tables(proved(), tmp_path)
    with (tmp_path / "layers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert float(rows[0]["log10_rho"]) == 0.36361
    assert rows[0]["shape"] == "256x1x4x4"
    assert rows[0]["nuclear_norm"] == ""


def test_terms_and_assumptions_are_rows_with_their_bound():
    terms = table(proved(), "terms")

    assert {
        "bound": "sparse_cnn",
        "term": "gamma",
        "value": 0.742,
        "text": None,
    } in terms
    assert table(proved(), "assumptions")[0] == {
        "bound": "sparse_cnn",
        "name": "ReLU between layers",
        "holds": True,
        "detail": "2 layers",
    }


def test_a_column_of_nulls_has_its_type_in_parquet(tmp_path):
    from pyarrow import parquet

    write_tables(proved(), tmp_path, "parquet")
    kinds = parquet.read_schema(tmp_path / "layers.parquet")

    assert str(kinds.field("alpha").type) == "double"
    assert str(kinds.field("geometry").type) == "string"


def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write tables to .*choose another"):
        write_tables(proved(), tmp_path / "file")
    with pytest.raises(UsageError, match="as csv or parquet, but got 'xlsx'"):
        write_tables(proved(), tmp_path, "xlsx")
    with pytest.raises(UsageError, match="the table must be one of layers"):
        table(proved(), "rows")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'boundkit.parquet.'"):
        write_tables(proved(), tmp_path, "parquet")
