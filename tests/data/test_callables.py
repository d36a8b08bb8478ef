"""Objects named as module:name or file.py:name."""

import re

import pytest

from boundkit.data.callables import produced
from boundkit.errors import DataError, ModelError

FILE = """
import dataclasses
import beside_it

@dataclasses.dataclass
class Made:
    value: int = beside_it.VALUE

class Outer:
    @staticmethod
    def inner():
        import beside_it as again
        return again.VALUE + 1

READY = "ready"

def fails():
    raise RuntimeError("first line\\nsecond line")

def needs(argument):
    return argument

def leaves():
    raise SystemExit(3)
"""


def _never(found):
    return False


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.py").write_text(FILE)
    (tmp_path / "sub" / "beside_it.py").write_text("VALUE = 41")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_run_with_their_folder_importable(here):
    assert produced("sub/net.py:Made", _never, ModelError).value == 41
    assert produced(f"{here}/sub/net.py:Outer.inner", _never, ModelError) == 42


def test_modules_in_the_working_directory_are_importable(here):
    (here / "module_in_cwd.py").write_text("def make(): return [1]")

    assert produced("module_in_cwd:make", _never, ModelError) == [1]


def test_what_is_wanted_as_it_is_is_not_called(here):
    found = produced("sub/net.py:READY", lambda f: isinstance(f, str), ModelError)

    assert found == "ready"


def test_the_import_path_is_left_as_it_was(here):
    import sys

    before = list(sys.path)
    produced("sub/net.py:Made", _never, ModelError)

    assert sys.path == before


def test_edits_of_a_file_are_seen(here):
    (here / "edited.py").write_text("def make(): return 1")
    assert produced("edited.py:make", _never, ModelError) == 1
    (here / "edited.py").write_text("def make(): return 2 # longer")

    assert produced("edited.py:make", _never, ModelError) == 2


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("net", "'net': not of the form package.module:callable or file.py:callable"),
        (":make", "':make': not of the form"),
        ("none.py:make", "none.py: no such file; check the path in 'none.py:make'"),
        ("no_such_module_x:make", "raised ModuleNotFoundError: No module named"),
        ("no_such_module_x:make", "; run boundkit where it can be imported"),
        ("sub/net.py:nothing", "sub/net.py: has no 'nothing'; name a callable"),
        (
            "sub/net.py:fails",
            "sub/net.py:fails raised RuntimeError: first line; it is called without arg",
        ),
        ("sub/net.py:needs", "raised TypeError: needs() missing 1 required"),
        ("sub/net.py:leaves", "raised SystemExit: 3"),
        ("sub/net.py:READY", "raised TypeError: 'str' object is not callable"),
        ("broken.py:make", "importing broken.py raised SyntaxError"),
        ("broken.py:make", "; mend the file; python broken.py shows where"),
    ],
)
def test_each_way_to_fail_is_named(here, spec, message):
    (here / "broken.py").write_text("def (")

    for error in (ModelError, DataError):
        with pytest.raises(error, match=re.escape(message)) as caught:
            produced(spec, _never, error)
        assert "\n" not in str(caught.value)
