import pytest

from boundkit.errors import Unreadable
from boundkit.readers.lookahead import Lookahead
from boundkit.readers.opened_file import opened_file

DATA = bytes(range(256)) * 1024


@pytest.fixture
def ahead(tmp_path):
    (tmp_path / "file").write_bytes(DATA)
    return Lookahead(opened_file(tmp_path / "file"), len(DATA))


@pytest.mark.parametrize(
    ("offset", "count"),
    [(0, 10), (5, 0), (65_530, 20), (100_000, 70_000), (len(DATA) - 3, 3), (7, 65_536)],
)
def test_bytes_are_those_of_the_file(ahead, offset, count):
    ahead.pread(1000, 10)

    assert ahead.pread(offset, count) == DATA[offset : offset + count]


def test_small_reads_in_order_take_few_large_ones(tmp_path):
    class Counting:
        path = tmp_path
        calls = 0

        def pread(self, offset, count):
            self.calls += 1
            return DATA[offset : offset + count]

    file = Counting()
    ahead = Lookahead(file, len(DATA))
    parts = [ahead.pread(at, 64) for at in range(0, len(DATA), 64)]

    assert b"".join(parts) == DATA
    assert file.calls == len(DATA) // 65_536


def test_what_is_not_there_is_not_made_up(ahead):
    with pytest.raises(Unreadable, match="truncated"):
        ahead.pread(len(DATA) - 2, 3)
