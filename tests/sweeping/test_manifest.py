import pytest

from boundkit.errors import DataError
from boundkit.sweeping.manifest import is_manifest, rows_of


def test_numbers_are_numbers_where_a_whole_column_is():
    text = b"path,seed,test_error,arch,tag\na.pt,1,0.25,mlp,7\nb.pt,2,,cnn,x\n"

    assert rows_of("m.csv", text) == [
        ("a.pt", {"seed": 1, "test_error": 0.25, "arch": "mlp", "tag": "7"}),
        ("b.pt", {"seed": 2, "test_error": None, "arch": "cnn", "tag": "x"}),
    ]


def test_the_path_may_be_any_column_and_cells_may_be_quoted():
    text = '\ufeffwd,path\r\n1e-4,"a,b.pt"\r\n\r\n'.encode()

    assert rows_of("m.csv", text) == [("a,b.pt", {"wd": 1e-4})]


def test_tabs_separate_in_tsv():
    assert rows_of("m.tsv", b"path\te\na.pt\t3\n") == [("a.pt", {"e": 3})]


def test_not_a_number_is_missing():
    text = b"path,error\na.pt,nan\nb.pt,inf\nc.pt,1\n"

    assert [row["error"] for _, row in rows_of("m.csv", text)] == [None, None, 1.0]


def test_json_lines_keep_their_types():
    text = b'{"path": "a.pt", "ok": true, "e": 1.5, "c": {"lr": 1}}\n\n{"path": "b"}\n'

    assert rows_of("m.jsonl", text) == [
        ("a.pt", {"ok": True, "e": 1.5, "c": '{"lr": 1}'}),
        ("b", {}),
    ]


def test_a_text_file_is_a_list_of_paths():
    assert rows_of("m.txt", b"a.pt\n\n b c.pt \n") == [("a.pt", {}), ("b c.pt", {})]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", b"file,e\na,1\n", r"m.csv: has no column 'path' .*'file', 'e'"),
        ("m.csv", b"path,e\na,1,2\n", r"line 2 has 3 cells, the header has 2; quote"),
        ("m.csv", b"path,e\n ,1\n", r"m.csv: line 2 names no path; fill it in"),
        ("m.csv", b"path,e,e\na,1,2\n", r"m.csv: has two columns 'e'; give each"),
        ("m.csv", b"path,\na,1\n", r"m.csv: has a column without a name"),
        ("m.csv", b"path,e\n", r"m.csv: the manifest has no rows; give at least one"),
        ("m.csv", b"", r"m.csv: the manifest has no rows"),
        ("m.csv", b"path\n\xff\n", r"m.csv: not UTF-8 text \(byte 5\); save"),
        ("m.csv", b"path\n" + b"a" * 200_000, r"m.csv: line 2 is not CSV"),
        ("m.jsonl", b'{"path": "a"}\n{', r"m.jsonl: line 2 is not JSON .*one object"),
        ("m.jsonl", b'{"file": "a"}', r'm.jsonl: line 1 is no object with a "path"'),
        ("m.jsonl", b"[" * 100_000, r"m.jsonl: line 1 is not JSON"),
    ],
)
def test_what_is_no_manifest_is_said_with_its_line(name, text, message):
    with pytest.raises(DataError, match=message):
        rows_of(name, text)


def test_manifests_are_told_by_their_names():
    assert [is_manifest(n) for n in ("a.CSV", "b.jsonl", "c.txt", "d.pt", "csv")] == [
        *(True, True, True, False, False)
    ]
