"""Tables from whatever holds one; each thing that does not is one clear line."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from boundkit.errors import DataError
from boundkit.regression.table import columns_in_words, table_of

FRAME = pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]})


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_kind_of_file_is_the_same_table(tmp_path, ending):
    path = tmp_path / f"t{ending}"
    if ending == ".parquet":
        FRAME.to_parquet(path)
    elif ending == ".jsonl":
        path.write_text('{"a": 1.5, "b": "x"}\n\n{"a": NaN, "b": "y"}\n', "utf-8")
    else:
        FRAME.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")

    frame, name = table_of(path)

    assert frame.to_dict("list")["b"] == ["x", "y"]
    assert frame["a"].tolist()[0] == 1.5
    assert frame["a"].isna().tolist() == [False, True]
    assert name == str(path)


def test_frames_mappings_and_rows_are_tables():
    for table in (FRAME, FRAME.to_dict("list"), FRAME.to_dict("records")):
        frame, name = table_of(table)

        assert frame["b"].tolist() == ["x", "y"]
        assert name == ""


def test_the_frame_that_came_in_stays_as_it_was():
    given = FRAME.set_index("b")
    frame, _ = table_of(given)
    frame["a"] = 0.0

    assert given["a"].tolist()[0] == 1.5
    assert frame.index.tolist() == [0, 1]


def test_the_folder_of_a_sweep_is_a_table(tmp_path):
    (tmp_path / "results.csv").write_text("a\n1\n", "utf-8")

    frame, name = table_of(str(tmp_path))

    assert (frame["a"].tolist(), name) == ([1], str(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", r"t.csv: no table of separated values \(No columns"),
        ("t.csv", b"a,b\n", r"the table has no rows; give one for each net"),
        ("t.csv", b"a,b\n1,2\n1,2,3,4\n", r"no table of .*Expected 2 fields.*mend"),
        ("t.csv", b"\xff\xfe", r"not UTF-8 text \(byte 0\); save the table as UTF-8"),
        ("t.jsonl", b"{]\n", r"line 1 is not JSON .*; write one object a line"),
        ("t.jsonl", b"{}\n[1]\n", r"line 2 is no object; write one object a line"),
        ("t.parquet", b"PAR1", r"t.parquet: no Parquet file .*; write it again"),
        ("t.xlsx", b"", r"t.xlsx: is not called like a table; give a .csv"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=message):
        table_of(tmp_path / name)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match=r"no.csv: cannot be read \(No such file"):
        table_of(tmp_path / "no.csv")
    with pytest.raises(DataError, match=r"no: is not there; give a \.csv"):
        table_of(tmp_path / "no")
    with pytest.raises(DataError, match="holds no results of a sweep; make some with"):
        table_of(tmp_path)


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])

    with pytest.raises(DataError, match="two columns 'a'; give each its own name"):
        table_of(frame)


def test_anything_else_is_no_table():
    with pytest.raises(DataError, match=r"the table, a int, is none .*; give a frame"):
        table_of(3)


def test_without_pyarrow_the_way_out_is_named(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(
        pd, "read_parquet", lambda *_, **__: (_ for _ in ()).throw(ImportError("no"))
    )

    with pytest.raises(DataError, match=r"needs pyarrow; pip install 'boundkit\[parq"):
        table_of(tmp_path / "t.parquet")


def test_columns_of_numbers_are_listed():
    many = pd.DataFrame({f"c{i}": [1] for i in range(22)})

    assert columns_in_words(FRAME) == "'a'"
    assert columns_in_words(many).endswith("'c19' and 2 more")
    assert columns_in_words(pd.DataFrame({"a": ["x"]})) == "none"
