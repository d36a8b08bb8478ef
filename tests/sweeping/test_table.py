import json

import pandas as pd
import pytest

from boundkit.errors import UsageError
from boundkit.sweeping import table
from boundkit.sweeping.examine import SCHEMA
from boundkit.sweeping.outcome import Outcome
from boundkit.sweeping.sources import Source
from boundkit.sweeping.store import opened, result_path


def result(row, metadata=None, status="analyzed"):
    head = {"schema": SCHEMA, "key": "", "status": status}
    head |= {"row": row, "metadata": metadata or {}}
    return json.dumps(head)[:-1] + ',\n"report": {}}\n'


@pytest.fixture
def folder(tmp_path):
    sources = [
        Source("a.pt", "/a", {"test_error": 0.1, "status": "good", "meta.e": "x"}),
        Source("b\udcff.pt", "/b", {"test_error": None}),
        Source("c.pt", "/c", {}),
        Source("d.pt", "/d", {}),
    ]
    with opened(tmp_path, {}) as store:
        store.record(sources)
        text = result({"rho": 2.0, "layers": 3}, {"e": 5, "lr": "0.1", "ok": True})
        store.note(Outcome("/a", "analyzed", "", "m", "k1", settled=True, text=text))
        store.note(Outcome("/b", "failed", "truncated", "m", settled=True))
        text = result({"rho": None, "layers": 2}, {"e": 6, "lr": 0.1})
        store.note(Outcome("/c", "analyzed", "", "m", "k2", settled=True, text=text))
    return tmp_path


def test_rows_come_from_results_reasons_manifest_and_metadata(folder):
    frame = table.frame_of(folder)

    assert frame["path"].tolist() == ["a.pt", "b\\udcff.pt", "c.pt", "d.pt"]
    assert frame["status"].tolist() == ["analyzed", "failed", "analyzed", "pending"]
    assert frame["reason"].tolist()[:3] == ["", "truncated", ""]
    assert frame["test_error"].tolist()[0] == 0.1
    assert frame["manifest.status"].tolist()[0] == "good"
    assert frame["manifest.meta.e"].tolist()[0] == "x"
    assert frame["meta.e"].tolist()[::2] == [5.0, 6.0]


def test_columns_are_numbers_or_text_but_never_both(folder):
    kinds = table.frame_of(folder).dtypes.astype(str)

    assert kinds["rho"] == kinds["layers"] == kinds["meta.e"] == "float64"
    assert kinds["meta.ok"] == "boolean"
    assert table.frame_of(folder)["meta.lr"].tolist()[::2] == ["0.1", "0.1"]


def test_a_result_that_is_gone_or_damaged_is_said(folder):
    result_path(folder, "k1").unlink()
    result_path(folder, "k2").write_text("{")
    frame = table.frame_of(folder)

    assert frame["status"].tolist() == ["pending", "failed", "failed", "pending"]
    assert frame["reason"][0] == "its result was deleted: run the sweep again"
    assert "k2.json is damaged" in frame["reason"][2]


def test_a_result_of_something_else_is_damaged(folder):
    result_path(folder, "k2").write_text('{"schema": "other",\n')

    assert "not a result of a sweep" in table.frame_of(folder)["reason"][2]


def test_the_files_hold_the_table(folder):
    frame = table.frame_of(folder)
    written = table.write_tables(frame, folder)

    assert [path.name for path in written] == ["results.csv", "results.parquet"]
    packed = pd.read_parquet(written[1])
    assert list(packed.columns) == list(frame.columns)
    assert packed["rho"].equals(frame["rho"])
    assert packed["manifest.status"].fillna("").tolist() == ["good", "", "", ""]
    assert packed["meta.ok"].tolist()[:1] == [True]
    read = pd.read_csv(written[0], keep_default_na=False, dtype=str)
    assert list(read.columns) == list(frame.columns)
    assert read["rho"].tolist() == ["2.0", "", "", ""]


def test_without_pyarrow_there_is_no_parquet_not_even_an_old_one(folder, monkeypatch):
    frame = table.frame_of(folder)
    table.write_tables(frame, folder)

    def refuse(*_args, **_options):
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)

    assert [p.name for p in table.write_tables(frame, folder)] == ["results.csv"]
    assert not (folder / "results.parquet").exists()


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no folder of results"):
        table.frame_of(tmp_path)
