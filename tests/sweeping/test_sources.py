import fsspec
import pandas as pd
import pytest

from boundkit.errors import DataError, Unreadable, UsageError
from boundkit.sweeping.sources import found
from tests.sweeping.nets import net, nets


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(sources):
    return [source.path for source in found(sources)[0]]


def test_a_pattern_keeps_its_spelling_and_counts_like_people(here):
    nets(here / "runs", 11)

    assert paths("runs/*.safetensors")[-2:] == [
        *("runs/epoch_9.safetensors", "runs/epoch_10.safetensors")
    ]
    assert paths("./runs/epoch_3.safetensors") == ["./runs/epoch_3.safetensors"]
    assert paths("**/epoch_3.*") == ["runs/epoch_3.safetensors"]


def test_files_are_found_from_anywhere(here):
    net(here / "a.pt")

    assert found("a.pt")[0][0].where == str(here / "a.pt")


def test_folders_lists_and_patterns_join_without_repeats(here):
    names = nets(here / "runs", 3)
    sources, notices = found(["runs", "runs/epoch_1.safetensors", names[2]])

    assert [s.path for s in sources] == [
        f"runs/epoch_{i}.safetensors" for i in range(3)
    ]
    assert notices == ("2 rows repeat others word for word: each is there once",)


def test_what_is_not_there_is_a_row_and_an_empty_pattern_a_note(here):
    sources, notices = found(["nope.pt", "none/*.pt"])

    assert [s.path for s in sources] == ["nope.pt"]
    assert notices == ("'none/*.pt': no checkpoint is there",)


def test_columns_of_a_manifest_come_along_with_paths_beside_it(here):
    net(here / "sub/a.safetensors")
    net(here / "b.safetensors")
    (here / "sub/m.csv").write_text("path,seed\na.safetensors,1\nb.safetensors,2\n")
    sources, _ = found("sub/m.csv")

    assert [(s.path, s.columns) for s in sources] == [
        ("sub/a.safetensors", {"seed": 1}),
        ("b.safetensors", {"seed": 2}),
    ]


def test_a_manifest_that_names_a_missing_file_keeps_its_row(here):
    (here / "m.csv").write_text("path,seed\ngone.pt,1\n")

    assert [(s.path, s.columns) for s in found("m.csv")[0]] == [
        ("gone.pt", {"seed": 1}),
    ]


def test_rows_of_one_checkpoint_are_joined_or_both_kept(here):
    net(here / "a.pt")
    (here / "m.csv").write_text("path,e\na.pt,1\na.pt,1\na.pt,2\n")
    (here / "more.csv").write_text("path,seed\na.pt,7\n")
    sources, notices = found(["a.pt", "m.csv", "more.csv"])

    assert [dict(s.columns) for s in sources] == [{"e": 1, "seed": 7}, {"e": 2}]
    assert notices == (
        "'a.pt' is listed twice with different e: both rows are kept",
        "1 rows repeat others word for word: each is there once",
    )


def test_frames_and_mappings_carry_columns(here):
    frame = pd.DataFrame({"path": ["a.pt", "b.pt"], "e": [0.5, None], "s": ["x", None]})
    plain = [{"path": here / "a.pt", "wd": 1}]

    assert [dict(s.columns) for s in found(frame)[0]] == [
        {"e": 0.5, "s": "x"},
        {"e": None, "s": None},
    ]
    assert dict(found(plain)[0][0].columns) == {"wd": 1}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "sources must be paths, patterns, folders"),
        (
            [3],
            "a source must be a path, a URL or a mapping .*got int; models in memory",
        ),
        ([""], "a source must be a path as text, but got ''"),
        ([b"a"], "a source must be a path, a URL"),
        ([{"file": "a"}], r"a row must have a path, but has \['file'\] only"),
    ],
)
def test_what_is_no_source_is_refused(source, message):
    with pytest.raises(UsageError, match=message):
        found(source)


def test_a_manifest_that_cannot_be_read_is_said(here, monkeypatch):
    (here / "m.csv").write_text("path\na\n")

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\); check"):
        found("m.csv")


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    names = ("run/epoch_2.pt", "run/epoch_10.pt", "run/log.txt", "hub/config.json")
    for name in (*names, "hub/model.safetensors"):
        system.pipe(f"/sources/{name}", b"x")
    system.pipe("/sources/m.csv", b"path,e\nrun/epoch_2.pt,3\n")
    yield
    system.rm("/sources", recursive=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://sources/run", ["run/epoch_2.pt", "run/epoch_10.pt"]),
        ("memory://sources/run/*2.pt", ["run/epoch_2.pt"]),
        ("memory://sources/*", ["m.csv", "hub", "run/epoch_2.pt", "run/epoch_10.pt"]),
        ("memory://sources/hub", ["hub"]),
        ("memory://sources/none.pt", ["none.pt"]),
        ("memory://sources/m.csv", ["run/epoch_2.pt"]),
    ],
)
@pytest.mark.usefixtures("memory")
def test_urls_are_expanded(url, expected):
    where = [s.where.replace("memory:///", "memory://") for s in found(url)[0]]

    assert where == [f"memory://sources/{name}" for name in expected]


def test_a_place_that_is_not_there_is_said():
    with pytest.raises(
        Unreadable, match=r"memory://none/m.csv: no such file or folder"
    ):
        found("memory://none/m.csv")


def test_an_unknown_protocol_names_what_is_missing():
    with pytest.raises(UsageError, match=r"gcs.* pip install 'boundkit\[remote\]'"):
        found("gs://bucket/a.pt")


def test_a_protocol_that_nobody_knows_is_said():
    with pytest.raises(Unreadable, match=r"nonsense://a.pt: cannot be reached"):
        found("nonsense://a.pt")
