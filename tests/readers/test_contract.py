"""What every reader promises, tried on all of them."""

import importlib
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from benchmarks.seed_checkpoints import write_seeds
from boundkit import readers
from boundkit.errors import CheckpointError
from boundkit.numerics.blocks import array
from boundkit.readers import READERS, read
from boundkit.readers.contents import Contents
from boundkit.types import Checkpoint

each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda r: r.NAME)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paths = write_seeds(tmp_path_factory.mktemp("seeds"))
    return {path.name: path for path in paths}


SAME = (
    "zip.pt", "module.pt", "legacy.pth", "deflated.pt", "script.pt", "exported.pt2",
    "plain.pkl", "one.safetensors", "hub", "bins", "pieces",
    "dcp",
)  # fmt: skip


def test_every_module_with_a_reader_is_in_the_catalog():
    found = set()
    for module in pkgutil.iter_modules(readers.__path__):
        loaded = importlib.import_module(f"boundkit.readers.{module.name}")
        if hasattr(loaded, "recognizes"):
            found.add(loaded)

    assert found == set(READERS)


def test_names_are_unique():
    assert len({reader.NAME for reader in READERS}) == len(READERS)


@each_reader
@pytest.mark.parametrize("head", [b"", b"\0" * 64, b"\xff" * 64, b"{", b"PK\x03\x04"])
def test_recognizing_never_fails(reader, head, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(head)

    assert reader.recognizes(path, head) in {True, False}


@each_reader
def test_reading_something_else_is_an_error_of_ours(reader, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"something else entirely, and long enough for any header" * 9)
    if reader.NAME == "folder":
        path = tmp_path / "empty"
        path.mkdir()

    if reader.NAME == "distributed checkpoint":
        path = path.with_name(".metadata")
        path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="; "):
        reader.read(path)


@each_reader
def test_each_reader_opens_a_seed(reader, seeds):
    opened = []
    for path in [p for seed in seeds.values() for p in (seed, *_inside(seed))]:
        head = b"" if path.is_dir() else path.read_bytes()[:4096]
        first = next((r for r in READERS if r.recognizes(path, head)), None)
        if first is reader:
            opened.append(reader.read(path))

    assert opened
    assert all(isinstance(contents, Contents) for contents in opened)


def _inside(path):
    return (
        sorted(p for p in path.iterdir() if p.suffix == ".json")
        if path.is_dir()
        else ()
    )


@pytest.mark.parametrize("name", SAME)
def test_one_net_reads_alike_from_every_container(seeds, name):
    checkpoint = read(seeds[name])
    reference = read(seeds["one.safetensors"])

    assert set(reference.tensors) <= set(checkpoint.tensors)
    for tensor, expected in reference.tensors.items():
        np.testing.assert_array_equal(
            array(checkpoint.tensors[tensor]), array(expected), err_msg=tensor
        )


@pytest.mark.parametrize("name", [*SAME, "arrays.pt"])
def test_a_checkpoint_says_where_it_came_from(seeds, name):
    checkpoint = read(str(seeds[name]))

    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.source == str(seeds[name])
    assert checkpoint.format
    assert checkpoint.files
    assert all(path.is_file() for path in checkpoint.files)
    assert checkpoint.nbytes == sum(path.stat().st_size for path in checkpoint.files)
    assert not set(checkpoint.tensors) & set(checkpoint.beside)


def test_reading_all_of_them_imports_nothing_heavy(seeds):
    code = (
        "import sys; from boundkit.readers import read; "
        "[read(path) for path in sys.argv[1:]]; "
        "bad = {'torch', 'pandas', 'scipy', 'statsmodels', 'matplotlib'} & set(sys.modules)"
        "; sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, seeds.values())],
        check=False, capture_output=True,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        read(tmp_path / "gone.pt")
    with pytest.raises(CheckpointError, match="gone"):
        read(Path("gone.pt\0"))


def test_an_empty_file_is_empty(tmp_path):
    (tmp_path / "x.pt").touch()

    with pytest.raises(CheckpointError, match="empty"):
        read(tmp_path / "x.pt")
