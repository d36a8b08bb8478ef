"""torch files as data sets, read without running code."""

import collections

import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import DataError


@pytest.mark.parametrize("as_pair", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_tensors_come_back(tmp_path, as_pair, dtype):
    # A transposed view: rows are taken by stride.
    x = torch.arange(30).reshape(6, 5).to(dtype).T
    y = torch.tensor([0, 1, 2, 0, 1])
    torch.save((x, y) if as_pair else {"x": x, "y": y}, tmp_path / "d.pt")

    samples = open_data(tmp_path / "d.pt")
    batches = list(samples.batches(2))

    assert (samples.n, samples.shape) == (5, (6,))
    assert torch.equal(torch.cat([b for b, _ in batches]), x.to(batches[0][0].dtype))
    assert torch.equal(torch.cat([b for _, b in batches]), y)


@pytest.mark.parametrize(
    "content",
    [{"x": torch.zeros(2, 2)}, [torch.zeros(2)], torch.zeros(2, 2), {"x": 1, "y": 2}],
)
def test_a_file_without_two_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "d.pt")

    with pytest.raises(DataError, match="neither a dict with tensors x and y nor a"):
        open_data(tmp_path / "d.pt")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "d.pt").write_bytes(b"<html>not here</html>")

    with pytest.raises(DataError, match="no data can be read from it"):
        open_data(tmp_path / "d.pt")


def test_no_code_of_the_file_runs(tmp_path):
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    torch.save(collections.OrderedDict(x=Trap(), y=torch.zeros(2)), tmp_path / "d.pt")

    with pytest.raises(DataError):
        open_data(tmp_path / "d.pt")
    assert not ran.exists()
