"""What the user names becomes samples."""

import re
from pathlib import Path

import numpy as np
import pytest

import boundkit.data
from boundkit.data import READERS, open_data
from boundkit.errors import DataError

DATA = """
import numpy as np

def pair():
    return np.eye(4), np.arange(4)

PAIR = pair()

def nothing():
    return None
"""


def test_every_reader_in_the_folder_is_listed():
    folder = Path(boundkit.data.__file__).parent
    with_read = {
        path.stem
        for path in folder.glob("*.py")
        if path.read_text().count("\ndef recognizes(")
    }

    assert {r.__name__.rpartition(".")[2] for r in READERS} == with_read


@pytest.mark.parametrize("name", ["pair", "PAIR"])
def test_callables_and_ready_objects_are_data_sets(tmp_path, name):
    (tmp_path / "data.py").write_text(DATA)

    samples = open_data(f"{tmp_path}/data.py:{name}")

    assert (samples.n, samples.shape) == (4, (4,))
    assert samples.name == f"{tmp_path}/data.py:{name}"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.npz", "nowhere.npz: no such file or folder"),
        ("{tmp}/data.py:nothing", "a NoneType is no data set"),
        ("{tmp}/data.py", "not a data set that is known"),
        ("{tmp}", "not a data set that is known"),
        ("{tmp}/d.npz:train", "only a folder has parts"),
        ("nowhere:train", "raised ModuleNotFoundError"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path, spec, message):
    (tmp_path / "data.py").write_text(DATA)
    np.savez(tmp_path / "d.npz", x=np.eye(2), y=[0, 1])

    with pytest.raises(DataError, match=re.escape(message)):
        open_data(spec.format(tmp=tmp_path))
