"""Arrays in archives are mapped where they are stored as they are."""

import zipfile

import numpy as np
import pytest

from boundkit.data.npz_arrays import blocks, mapped
from boundkit.errors import DataError

A = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_stored_array_is_mapped(tmp_path, order):
    path = tmp_path / "a.npz"
    np.savez(path, first=np.ones(7), a=np.asarray(A, order=order))

    found = mapped(path, "a")

    assert isinstance(found, np.memmap)
    assert found.tolist() == A.tolist()


def test_a_compressed_array_is_not(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=A)

    assert mapped(tmp_path / "a.npz", "a") is None


def test_writing_to_a_mapped_array_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=A)

    mapped(path, "a")[:] = 0

    assert mapped(path, "a").tolist() == A.tolist()


def test_an_array_shorter_than_it_says_is_an_error(tmp_path):
    path = tmp_path / "a.npz"
    np.save(tmp_path / "a.npy", A)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", (tmp_path / "a.npy").read_bytes()[:-8])

    with pytest.raises(DataError, match="an array ends early"):
        mapped(path, "a")
    with pytest.raises(DataError, match="an array ends early"):
        list(blocks(path, "a", 2))
