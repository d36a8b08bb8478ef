import gzip
import struct

import numpy as np
import pytest

from boundkit.errors import DataError
from boundkit.lab.data import open_images, opening

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([2, 0, 1], np.uint8)


def idx(array):
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


def idx_folder(folder, zipped):
    for part in ("train", "t10k"):
        for what, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            name = f"{part}-{what}-ubyte"
            content = idx(array)
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


def cifar_folder(folder):
    folder.mkdir(exist_ok=True)
    pixels = np.arange(2 * 3072).reshape(2, 3072) % 251
    records = np.concatenate([[[7], [3]], pixels], axis=1).astype(np.uint8)
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    return records


@pytest.mark.parametrize("zipped", [True, False])
def test_idx_folders_give_their_bytes(tmp_path, zipped):
    found = open_images(idx_folder(tmp_path, zipped))

    assert found.x_train.dtype == np.uint8
    np.testing.assert_array_equal(found.x_train[:, 0], IMAGES)
    np.testing.assert_array_equal(found.y_test, LABELS)


def test_cifar_has_the_label_before_three_planes(tmp_path):
    records = cifar_folder(tmp_path)

    found = open_images(tmp_path)

    assert found.x_train.shape == (4, 3, 32, 32)
    assert found.y_test.tolist() == [7, 3]
    # Byte 1 + 1024 c + 32 r + k is color c, row r, column k.
    assert found.x_train[1, 2, 5, 9] == records[1, 1 + 1024 * 2 + 32 * 5 + 9]


def test_cifar_is_found_in_the_folder_that_its_archive_makes(tmp_path):
    cifar_folder(tmp_path / "cifar-10-batches-bin")

    assert open_images(tmp_path).x_test.shape == (2, 3, 32, 32)


def test_an_archive_may_have_channels_last(tmp_path):
    x = np.random.default_rng(0).random((4, 6, 8, 3)).astype(np.float32)
    np.savez(
        tmp_path / "a.npz", x_train=x, y_train=[0, 1, 0, 1], x_test=x, y_test=[0] * 4
    )

    found = open_images(tmp_path / "a.npz")

    np.testing.assert_array_equal(found.x_train[2, 1], x[2, :, :, 1])


def test_the_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(opening.VARIABLE, str(idx_folder(tmp_path, zipped=True)))

    assert open_images().source == str(tmp_path)


def test_the_digest_is_of_the_content(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = open_images(idx_folder(tmp_path / "a", zipped=True))
    second = open_images(idx_folder(tmp_path / "b", zipped=False))

    assert first.digest == second.digest
    assert len(first.digest) == 64


def test_a_missing_folder_says_which_files_to_put_there(tmp_path):
    with pytest.raises(
        DataError, match=r"no such file or folder; put train-images-idx3"
    ):
        open_images(tmp_path / "nothing")


def test_a_folder_without_images_says_so(tmp_path):
    with pytest.raises(DataError, match="no images that this command knows"):
        open_images(tmp_path)


def test_without_a_data_set_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delenv(opening.VARIABLE, raising=False)
    monkeypatch.setattr(opening, "_USUAL", tmp_path / "fashion")

    with pytest.raises(
        DataError, match="install Debian's package dataset-fashion-mnist"
    ):
        open_images()


def test_half_of_cifar_is_refused(tmp_path):
    cifar_folder(tmp_path)
    (tmp_path / "test_batch.bin").unlink()

    with pytest.raises(DataError, match=r"test_batch\.bin are not all there"):
        open_images(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff" * 3073])
def test_a_damaged_batch_is_refused(tmp_path, content):
    cifar_folder(tmp_path)
    (tmp_path / "data_batch_2.bin").write_bytes(content)

    with pytest.raises(DataError, match="are not records of CIFAR-10"):
        open_images(tmp_path)


def test_an_archive_without_the_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))

    with pytest.raises(DataError, match=r"has arrays \['x'\]; save with"):
        open_images(tmp_path / "a.npz")


def test_a_damaged_archive_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 no archive")

    with pytest.raises(DataError, match="not a readable numpy archive"):
        open_images(tmp_path / "a.npz")
