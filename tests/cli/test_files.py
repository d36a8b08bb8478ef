from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import typer
from boundkit_cli.files import check_writable, write_file


def test_a_file_is_written_as_utf8_with_the_usual_mode(tmp_path):
    path = tmp_path / "r.txt"
    mask = os.umask(0o027)
    try:
        write_file(path, "é\n")
    finally:
        os.umask(mask)

    assert path.read_bytes() == b"\xc3\xa9\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "real", tmp_path / "link"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o600)
    link.symlink_to(path)

    write_file(link, "new")

    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_the_old_file_and_nothing_else(
    interruption, tmp_path, monkeypatch
):
    path = tmp_path / "r.txt"
    path.write_text("old", encoding="utf-8")

    def interrupt(*_):
        raise interruption

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    with pytest.raises(interruption):
        write_file(path, "new")

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_or_device_is_written_not_replaced():
    write_file(Path("/dev/null"), "new")

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_what_the_system_refuses_is_one_line(tmp_path):
    with pytest.raises(
        typer.BadParameter, match=r"cannot write '.*/no/x': No such file"
    ):
        write_file(tmp_path / "no" / "x", "new")


def test_the_checkpoint_itself_is_never_overwritten(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(b"weights")

    with pytest.raises(typer.BadParameter, match="it is the checkpoint"):
        check_writable(path, str(path))


def test_a_file_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(typer.BadParameter, match="it may not be written"):
        check_writable(tmp_path / "x", "net.pt")


def test_a_new_file_in_a_folder_is_fine(tmp_path):
    check_writable(tmp_path / "x", "net.pt")
