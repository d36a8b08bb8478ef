import pytest

from boundkit.errors import Unreadable
from boundkit.readers.opened_file import opened_file
from boundkit.readers.ranged import BLOCK, fill, filler, is_ranged, ranged

DATA = bytes(range(251)) * (5 * BLOCK // 251)


@pytest.fixture
def asked():
    return []


def fetching(asked):
    def fetch(start, stop):
        asked.append((start, stop))
        return DATA[start:stop]

    return fetch


def test_only_what_is_read_is_fetched_and_that_once(tmp_path, asked):
    path = tmp_path / "a"
    with ranged(path, len(DATA), fetching(asked)):
        file = opened_file(path)
        read = [file.pread(BLOCK + 7, 9), file.pread(BLOCK + 9, 2)]

        assert path.stat().st_size == len(DATA)
    assert read == [DATA[BLOCK + 7 : BLOCK + 16], DATA[BLOCK + 9 : BLOCK + 11]]
    assert asked == [(BLOCK, 2 * BLOCK)]


def test_blocks_side_by_side_are_one_request(tmp_path, asked):
    path = tmp_path / "a"
    with ranged(path, len(DATA), fetching(asked)):
        fill(path, 2 * BLOCK, 1)
        whole = bytes(opened_file(path).view(0, len(DATA)))

    assert whole == DATA
    assert asked == [
        (2 * BLOCK, 3 * BLOCK),
        (0, 2 * BLOCK),
        (3 * BLOCK, len(DATA)),
    ]


def test_a_source_that_sends_everything_is_asked_once(tmp_path, asked):
    path = tmp_path / "a"
    fetch = fetching(asked)
    with ranged(path, len(DATA), lambda start, stop: fetch(0, len(DATA))):
        fill(path, BLOCK, 5)
        fill(path, 0, len(DATA))

        assert path.read_bytes() == DATA
    assert len(asked) == 1


def test_files_are_ordinary_before_and_after(tmp_path):
    path = tmp_path / "a"
    fill(path, 0, 1)
    with ranged(path, 5, lambda start, stop: b"12345"):
        assert is_ranged(path)
    assert not is_ranged(path)
    assert filler(path) is None


def test_a_source_that_fails_is_unreadable(tmp_path):
    def fetch(start, stop):
        raise TimeoutError("no\nanswer")

    path = tmp_path / "a"
    with (
        ranged(path, 5, fetch),
        pytest.raises(Unreadable, match=r"not be fetched \(TimeoutError: no answer\)"),
    ):
        fill(path, 0, 1)


def test_a_source_that_has_shrunk_is_unreadable(tmp_path):
    path = tmp_path / "a"
    with (
        ranged(path, 5, lambda start, stop: b"123"),
        pytest.raises(Unreadable, match="bytes 0 to 5 were asked for, but 3 came"),
    ):
        fill(path, 0, 1)


def test_no_room_is_said(tmp_path):
    path = tmp_path / "a"
    with ranged(path, 5, lambda start, stop: b"12345"):
        path.unlink()
        with pytest.raises(Unreadable, match=r"cannot be stored .*TMPDIR says where"):
            fill(path, 0, 1)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with (
        pytest.raises(Unreadable, match=r"cannot be made .* make room"),
        ranged(tmp_path / "none" / "a", 5, lambda start, stop: b""),
    ):
        pass
