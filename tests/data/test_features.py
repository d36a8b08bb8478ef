"""Features in files and in memory are read in blocks, or what is wrong is said."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from boundkit.data.features import features_of, open_features
from boundkit.errors import DataError

H = np.arange(22, dtype=np.float32).reshape(11, 2)
Y = np.arange(11) % 3
W = np.ones((3, 2))
B = np.array([1.0, 2.0, 3.0])


@pytest.fixture(params=["stored", "compressed", "fortran", "safetensors"])
def path(request, tmp_path):
    if request.param == "safetensors":
        found = tmp_path / "f.safetensors"
        tensors = {"h": H, "y": Y, "W": W, "b": B}
        save_file({k: torch.as_tensor(v) for k, v in tensors.items()}, found)
        return found
    found = tmp_path / "f.npz"
    save = np.savez_compressed if request.param == "compressed" else np.savez
    h = np.asfortranarray(H) if request.param == "fortran" else H
    save(found, h=h, y=Y, W=W, b=B)
    return found


def test_files_hold_features_labels_and_a_layer(path):
    found = open_features(path)

    assert (found.n, found.width, found.classes) == (11, 2, 3)
    assert found.labels.tolist() == Y.tolist()
    assert found.weight.tolist() == W.tolist()
    assert found.bias.tolist() == B.tolist()
    assert found.weight.dtype == torch.float64


@pytest.mark.parametrize(("start", "stop"), [(0, 11), (3, 8), (4, 4), (10, 11)])
@pytest.mark.parametrize("count", [1, 4, 100])
def test_any_rows_come_in_blocks(path, start, stop, count):
    blocks = list(open_features(path).rows(start, stop, count))

    assert all(0 < len(block) <= count for block in blocks)
    rows = np.concatenate([H[:0], *(np.asarray(b) for b in blocks)])
    assert rows.tolist() == H[start:stop].tolist()


def test_a_layer_is_optional():
    found = features_of(H, Y)

    assert found.weight is found.bias is None
    assert found.classes == 3


@pytest.mark.parametrize("rows", [1, 2])
def test_two_classes_may_be_minus_and_plus_one(rows):
    labels = np.where(Y > 0, 1, -1)

    found = features_of(H, labels, np.ones((rows, 2)))

    assert found.classes == 2
    assert found.labels.tolist() == (Y > 0).astype(int).tolist()
    assert features_of(H, labels).classes == 2


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"h": H[0]}, r"h has shape \(2,\); give \(n, p\)"),
        ({"h": H[:, :0]}, r"h has shape \(11, 0\)"),
        ({"h": H + 1j}, "h is complex"),
        ({"h": np.array([["a"]])}, "h is not an array of numbers"),
        ({"y": Y[:5]}, "h has 11 samples but y has 5 labels"),
        ({"y": np.eye(11)}, "looks one-hot"),
        ({"y": np.where(Y == 2, 7, Y)}, r"y\[2\] is 7, but W has 3 row\(s\)"),
        ({"y": np.where(Y > 0, 1, -1)}, "labels are -1/[+]1 but W has 3 rows"),
        ({"W": W[:, :1]}, r"W has shape \(3, 1\) but h \(11, 2\)"),
        ({"W": W * np.nan}, "W holds NaN or Inf"),
        ({"b": B[:2]}, "b has 2 numbers but W 3 rows"),
        ({"W": None}, "a bias b but no weight W"),
    ],
)
def test_what_does_not_fit_is_said(change, match):
    parts = {"h": H, "y": Y, "W": W, "b": B} | change

    with pytest.raises(DataError, match=match):
        features_of(parts["h"], parts["y"], parts["W"], parts["b"])


def test_files_that_cannot_be_read_are_said(tmp_path):
    with pytest.raises(DataError, match=r"come in \.npz or \.safetensors"):
        open_features(tmp_path / "f.csv")
    with pytest.raises(DataError, match="no such file"):
        open_features(tmp_path / "f.npz")
    np.savez(tmp_path / "x.npz", x=H, y=Y)
    with pytest.raises(DataError, match=r"has no array h \(it has \['x', 'y'\]\)"):
        open_features(tmp_path / "x.npz")
    save_file({"h": torch.as_tensor(H)}, tmp_path / "x.safetensors")
    with pytest.raises(DataError, match="has no array y"):
        open_features(tmp_path / "x.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable safetensors file"):
        open_features(tmp_path / "bad.safetensors")
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable numpy archive"):
        open_features(tmp_path / "bad.npz")


def test_objects_in_an_archive_are_not_opened(tmp_path):
    np.savez(tmp_path / "f.npz", h=np.array([{}], dtype=object), y=Y)

    with pytest.raises(DataError, match="holds Python objects"):
        open_features(tmp_path / "f.npz")


def test_half_precision_keeps_its_dtype(tmp_path):
    path = tmp_path / "f.safetensors"
    save_file({"h": torch.ones(3, 2).bfloat16(), "y": torch.tensor([0, 1, 0])}, path)

    assert next(open_features(path).rows(0, 3, 3)).dtype == torch.bfloat16
