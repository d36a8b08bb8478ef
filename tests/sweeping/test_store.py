import json
import os

import pytest

from boundkit.errors import UsageError
from boundkit.sweeping.outcome import Outcome
from boundkit.sweeping.settings import stored
from boundkit.sweeping.sources import Source
from boundkit.sweeping.store import journal, opened, read_sources, result_path
from tests.sweeping.nets import names_in

OPTIONS = {"n": 3, "files": {"model": "abc"}}
DONE = Outcome("/a", "analyzed", "", "mark", "k1", settled=True, text="{}")


def test_what_was_noted_is_settled_when_opened_again(tmp_path):
    with opened(tmp_path, OPTIONS) as store:
        store.note(DONE)
        store.note(Outcome("/b", "failed", "why", "mark", settled=True))
        store.note(Outcome("/c", "failed", "why", "mark"))
    with opened(tmp_path, OPTIONS) as store:
        settled = [store.settled(where, "mark") for where in ("/a", "/b", "/c", "/d")]

        assert settled == [True, True, False, False]
        assert not store.settled("/a", "other")
        assert not store.settled("/a", None)
        assert store.known("/a") == "k1"
    assert result_path(tmp_path, "k1").read_text() == "{}"


def test_a_result_that_is_gone_is_made_again(tmp_path):
    with opened(tmp_path, OPTIONS) as store:
        store.note(DONE)
    result_path(tmp_path, "k1").unlink()
    with opened(tmp_path, OPTIONS) as store:
        assert not store.settled("/a", "mark")
        assert store.known("/a") is None


def test_a_line_that_was_cut_off_costs_that_checkpoint_only(tmp_path):
    with opened(tmp_path, OPTIONS) as store:
        store.note(DONE)
        store.note(Outcome("/b", "failed", "why", "mark", settled=True))
    path = tmp_path / "journal.jsonl"
    os.truncate(path, path.stat().st_size - 7)
    with opened(tmp_path, OPTIONS) as store:
        assert store.settled("/a", "mark")
        assert not store.settled("/b", "mark")
        store.note(Outcome("/c", "failed", "why", "mark", settled=True))

    assert set(journal(tmp_path)) == {"/a", "/c"}


def test_what_a_killed_process_left_is_removed(tmp_path):
    with opened(tmp_path, OPTIONS):
        (tmp_path / "results/.unfinished-x").touch()
        (tmp_path / ".unfinished-y").touch()
    with opened(tmp_path, OPTIONS):
        pass

    assert names_in(tmp_path) == [*(".lock", "journal.jsonl", "results", "sweep.json")]
    assert names_in(tmp_path / "results") == []


def test_sources_stay_and_get_new_columns(tmp_path):
    old = [Source("a", "/a", {"e": 1}), Source("b", "/b", {})]
    with opened(tmp_path, OPTIONS) as store:
        store.record(old)
        every = store.record([Source("a", "/a", {"e": 2})])

    assert every == (old[1], Source("a", "/a", {"e": 2}))
    assert read_sources(tmp_path) == every


def test_two_sweeps_in_one_folder_are_refused(tmp_path):
    with (
        opened(tmp_path, OPTIONS),
        pytest.raises(UsageError, match=r"another sweep is writing in .*; wait for it"),
        opened(tmp_path, OPTIONS),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**OPTIONS, "n": 4}, r"with other options \(n was 3, now 4\): choose another"),
        ({**OPTIONS, "files": {"model": "x"}}, "the file of model has changed"),
        ({**OPTIONS, "loss": "square"}, "loss was None, now 'square'"),
    ],
)
def test_other_options_are_refused_and_named(options, message, tmp_path):
    with opened(tmp_path, OPTIONS):
        pass

    with pytest.raises(UsageError, match=message), opened(tmp_path, options):
        pass


def test_another_version_is_refused_and_nothing_is_lost(tmp_path):
    with opened(tmp_path, OPTIONS) as store:
        store.note(DONE)
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps({**stored(tmp_path), "boundkit": "0.0.9"}))
    message = r"holds results of boundkit 0\.0\.9, and this is .*: choose another --out"

    with pytest.raises(UsageError, match=message), opened(tmp_path, OPTIONS):
        pass
    assert result_path(tmp_path, "k1").exists()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    message = r"no folder of results, and not empty \('thesis.tex' is in it\)"

    with pytest.raises(UsageError, match=message), opened(tmp_path, OPTIONS):
        pass


def test_damaged_settings_are_said(tmp_path):
    with opened(tmp_path, OPTIONS):
        pass
    (tmp_path / "sweep.json").write_text("{")

    with (
        pytest.raises(UsageError, match=r"sweep.json' is damaged \(JSONDecodeError\)"),
        opened(tmp_path, OPTIONS),
    ):
        pass


def test_damaged_sources_are_said(tmp_path):
    (tmp_path / "sources.jsonl").write_text("[]")

    with pytest.raises(UsageError, match=r"sources.jsonl' is damaged \(TypeError\)"):
        read_sources(tmp_path)


def test_a_folder_without_results_is_none(tmp_path):
    with pytest.raises(UsageError, match=r"no folder of results: it has no sweep.json"):
        stored(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "a").touch()

    with (
        pytest.raises(UsageError, match=r"cannot write in .*(Not a directory|exists)"),
        opened(tmp_path / "a", OPTIONS),
    ):
        pass


def test_a_journal_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    with opened(tmp_path, OPTIONS) as store:

        def full(*_args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(UsageError, match="No space left on device; make room"):
            store.note(Outcome("/b", "failed", "why"))


def test_a_result_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    with opened(tmp_path, OPTIONS) as store:

        def full(*_args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(UsageError, match="results that are there are kept"):
            store.note(DONE)
    assert not result_path(tmp_path, "k1").exists()
