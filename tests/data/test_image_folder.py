"""Folders of class folders of images."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from boundkit.data import open_data
from boundkit.errors import DataError

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOR = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


def _folder(path, array=GRAY):
    for name in ("zebra", "ant"):
        (path / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(array + number).save(path / name / f"{number}.png")
    (path / "ant" / "notes.txt").write_text("no image")
    return path


@pytest.mark.parametrize(("array", "channels"), [(GRAY, 1), (COLOR, 3)])
def test_classes_are_sorted_folder_names(tmp_path, array, channels):
    samples = open_data(_folder(tmp_path, array))
    ((x, y),) = samples.batches(10)

    assert (samples.n, samples.shape) == (4, (channels, 3, 4))
    assert y.tolist() == [0, 0, 1, 1]
    expected = array[None] if channels == 1 else array.transpose(2, 0, 1)
    np.testing.assert_allclose(x[3].numpy(), (expected + 1) / 255, rtol=1e-6)


def test_parts_are_subfolders(tmp_path):
    _folder(tmp_path / "train")
    _folder(tmp_path / "val")
    (tmp_path / "val" / "ant" / "0.png").unlink()

    assert (open_data(tmp_path).n, open_data(f"{tmp_path}:test").n) == (4, 3)


def test_images_of_another_size_are_named(tmp_path):
    path = _folder(tmp_path) / "zebra" / "1.png"
    Image.fromarray(GRAY[:2]).save(path)

    with pytest.raises(DataError, match=re.escape(f"{path}: has shape (1, 2, 4) but")):
        list(open_data(tmp_path).batches(9))


def test_a_broken_image_is_named(tmp_path):
    path = _folder(tmp_path) / "zebra" / "1.png"
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(DataError, match=re.escape(f"{path}: not a readable image")):
        list(open_data(tmp_path).batches(9))


def test_images_of_more_than_eight_bits_are_refused(tmp_path):
    path = _folder(tmp_path) / "ant" / "0.png"
    Image.fromarray(GRAY.astype(np.uint16)).save(path)

    with pytest.raises(DataError, match="more than 8 bits a channel"):
        open_data(tmp_path)


def test_one_class_is_not_enough(tmp_path):
    for file in (_folder(tmp_path) / "zebra").iterdir():
        file.unlink()

    with pytest.raises(DataError, match=r"1 class folder\(s\) with images in it"):
        open_data(tmp_path)


def test_without_pillow_the_message_says_what_to_install(tmp_path, monkeypatch):
    folder = _folder(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(DataError, match="pip install pillow"):
        open_data(folder)
