"""Terminals, pipes and signals, each tried on a real process."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import signal
import subprocess
import time

import pytest
from boundkit_cli import console, exits

from tests.cli.commands import child, output
from tests.report.reports import REPORTS

SLOW = """
    for done in range(60):
        time.sleep(0.05)
        options["progress"] and options["progress"](done, 60, "reading \\x1b[2J[bold]")
    return report()
"""


def on_terminal(arguments, body="return REPORTS['proved']()", environment=None):
    """Run with stdout and stderr on a pseudo-terminal; returns (exit code, text)."""
    ours, theirs = pty.openpty()
    process = child(
        arguments, body, stdout=theirs, stderr=theirs, environment=environment or {}
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says that the other end is closed by an error
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.wait(timeout=60), seen.decode()


def test_a_terminal_gets_colors_and_its_own_width():
    code, seen = on_terminal(["analyze", "a.pt"], environment={"COLUMNS": "80"})

    assert code == exits.DONE
    assert "\x1b[32m" in seen
    assert "\x1b[1mTest error is at most, with probability 95 %" in seen
    assert "share of log rho" not in seen


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colors_stay_away_where_they_are_not_wanted(environment):
    _, seen = on_terminal(["analyze", "a.pt"], environment=environment)

    assert "\x1b" not in seen
    assert "sparse_cnn" in seen


def test_color_can_be_forced_into_a_pipe():
    _, out, _ = output(["analyze", "a.pt"], environment={"FORCE_COLOR": "1"})

    assert b"\x1b[32m" in out


def test_names_are_neither_markup_nor_commands_on_a_terminal():
    _, seen = on_terminal(["analyze", "a.pt"], "return REPORTS['hostile']()")

    assert "[bold]" in seen
    assert "\x1b[31mred" not in seen
    assert r"\x1b[31mred" in seen


def test_long_work_shows_progress_on_a_terminal_and_cleans_up():
    code, seen = on_terminal(["analyze", "a.pt"], SLOW)

    assert code == exits.DONE
    assert r"reading \x1b[2J[bold]" in seen
    assert "\x1b[2J" not in seen


def test_progress_can_be_silenced():
    _, seen = on_terminal(["analyze", "a.pt", "--quiet"], SLOW.replace("60", "30"))

    assert "reading" not in seen


def test_no_progress_without_a_terminal():
    _, _, err = output(["analyze", "a.pt"], SLOW.replace("60", "30"))

    assert err == b""


def test_short_work_draws_no_bar(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(console.sys, "stderr", Terminal())
    with console.progress(quiet=False) as report:
        report(1, 2, "reading")


def test_a_reader_that_goes_away_is_no_error():
    body = "return REPORTS['deep']()"
    reading, writing = os.pipe()
    os.close(reading)
    process = child(["analyze", "a.pt"], body, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (exits.CLOSED_PIPE, b"")


def test_a_full_disk_is_one_line():
    with pathlib.Path("/dev/full").open("wb") as full:
        code, _, err = output(["analyze", "a.pt"], stdout=full)

    assert code == exits.USAGE
    assert err.startswith(b"boundkit: error: cannot write to standard output: No space")
    assert err.count(b"\n") == 1


def test_a_terminal_without_unicode_gets_look_alikes_and_escapes():
    code, out, err = output(
        ["analyze", "a.pt"],
        "return REPORTS['hostile']()",
        environment={"PYTHONIOENCODING": "ascii"},
    )

    assert (code, err) == (exits.DONE, b"")
    assert out.startswith(b"boundkit 0.1.0 - /data/")
    assert b" - " in out
    assert b"..." in out
    assert rb"\u56fe" in out


def test_json_is_utf8_whatever_the_locale():
    arguments = ["analyze", "a.pt", "--format", "json"]
    _, out, _ = output(
        arguments,
        "return REPORTS['hostile']()",
        environment={"PYTHONIOENCODING": "ascii"},
    )

    assert json.loads(out.decode("utf-8"))["layers"][1]["name"].startswith("图层")


def test_a_pipe_gets_the_plain_text():
    _, out, _ = output(["analyze", "a.pt"])

    assert out.decode() == repr(REPORTS["proved"]())


def test_ctrl_c_ends_at_once_and_leaves_no_file(tmp_path):
    process = child(
        ["analyze", "a.pt", "--output", str(tmp_path / "r.txt")],
        "print('started', flush=True); time.sleep(60)",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"started\n"
    since = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == exits.INTERRUPTED
    assert b"Traceback" not in err
    assert time.monotonic() - since < 5
    assert not list(tmp_path.iterdir())
