"""Code in a file runs only if the user says so and the file needs it."""

import numpy as np
import pytest
import torch

from boundkit.errors import Refused, Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers import read

RAN = []


def rebuild(values):
    """Stand for the code that a file may want to run."""
    RAN.append(values)
    return {"fc.weight": torch.tensor(values)}


class NeedsCode:
    def __reduce__(self):
        return rebuild, ([[1.0, 2.0]],)


@pytest.fixture
def needy(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sys.modules", __import__("sys").modules | {__name__: _module()}
    )
    RAN.clear()
    path = tmp_path / "needy.pt"
    torch.save({"model": NeedsCode()}, path)
    return path


def _module():
    import types

    module = types.ModuleType(__name__)
    module.rebuild = rebuild
    return module


def test_without_trust_it_is_refused_and_nothing_runs(needy):
    with pytest.raises(Refused, match=r"need code to open.*--trust"):
        read(needy)

    assert RAN == []


def test_with_trust_it_runs_and_says_so_loudly(needy):
    checkpoint = read(needy, trust=True)

    np.testing.assert_array_equal(array(checkpoint.tensors["fc.weight"]), [[1.0, 2.0]])
    assert RAN == [[[1.0, 2.0]]]
    assert [n.code for n in checkpoint.notices] == ["trusted"]
    assert "CODE FROM needy.pt WAS ALLOWED TO RUN" in checkpoint.notices[0].message


def test_a_plain_file_is_read_the_restricted_way_even_with_trust(tmp_path):
    path = tmp_path / "plain.pt"
    torch.save({"fc.weight": torch.ones(2, 2)}, path)

    assert read(path, trust=True).format == "torch zip"


def test_a_damaged_file_is_not_trusted(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"a": NeedsCode()}, path)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(Unreadable, match="truncated"):
        read(path, trust=True)


def test_code_that_fails_is_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    data = b"cno_such_package\nNet\n(tR."
    torch.save({}, path)
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", data)
        archive.writestr("x/version", "3\n")

    with pytest.raises(Unreadable, match=r"torch.load failed .*no_such_package"):
        read(path, trust=True)
