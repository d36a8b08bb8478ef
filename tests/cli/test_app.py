from __future__ import annotations

import subprocess
import sys

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.errors import (
    DataError,
    Empty,
    ModelError,
    Refused,
    Unreadable,
    UsageError,
)


def test_without_arguments_the_help_is_on_stderr_and_the_usage_is_wrong(capsys):
    assert run([]) == exits.USAGE
    out, err = capsys.readouterr()

    assert not out
    assert "analyze" in err


@pytest.mark.parametrize("command", [[], ["analyze"], ["explain"], ["schema"]])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_with_an_example(command, option, capsys):
    assert run([*command, option]) == exits.DONE

    assert "Example:\n    boundkit" in capsys.readouterr().out


def test_the_version_is_printed(capsys):
    assert run(["--version"]) == exits.DONE

    assert capsys.readouterr().out.startswith("boundkit 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command"),
        (["analyze"], "Missing argument 'CKPT'"),
        (["analyze", "x", "--nope"], "No such option: --nope"),
        (["analyze", "x", "--n", "many"], "Invalid value for '--n'"),
        (["analyze", "a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_one_line_that_points_to_the_help(arguments, message, capsys):
    assert run(arguments) == exits.USAGE
    out, err = capsys.readouterr()

    assert not out
    assert message in err
    assert err.startswith("boundkit: error: ")
    assert err.endswith("--help)\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("delta and n contradict each other; leave one out"), exits.USAGE),
        (Unreadable("a.pt", "truncated", "copy it again"), exits.UNREADABLE),
        (Refused("a.h5", "a Keras file", "export it"), exits.UNREADABLE),
        (Empty("a.pt", "no tensors", "save the weights"), exits.UNREADABLE),
        (DataError("x and y differ in length"), exits.UNREADABLE),
        (ModelError("net.py has no make"), exits.UNREADABLE),
    ],
)
def test_each_error_is_one_line_and_an_exit_code(error, code, analyzed, capsys):
    analyzed(error)

    assert run(["analyze", "a.pt"]) == code
    assert capsys.readouterr() == ("", f"boundkit: error: {error}\n")


def test_an_error_message_is_escaped_and_stays_one_line(analyzed, capsys):
    analyzed(DataError("bad name \x1b[31m\nsecond line \u202e \udcff" + "x" * 9999))

    assert run(["analyze", "a.pt"]) == exits.UNREADABLE
    err = capsys.readouterr().err

    assert r"bad name \x1b[31m second line \u202e \udcff" in err
    assert err.count("\n") == 1
    assert len(err) < 1100


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), MemoryError()])
def test_a_bug_is_one_line_and_its_own_exit_code(error, analyzed, capsys, monkeypatch):
    monkeypatch.delenv("BOUNDKIT_TRACEBACK", raising=False)
    analyzed(error)

    assert run(["analyze", "a.pt"]) == exits.INTERNAL
    err = capsys.readouterr().err

    assert err.startswith(f"boundkit: internal error: {type(error).__name__}")
    assert "please report it" in err
    assert err.count("\n") == 1


def test_a_traceback_is_shown_when_asked_for(analyzed, capsys, monkeypatch):
    analyzed(ZeroDivisionError("by zero"))

    assert run(["--traceback", "analyze", "a.pt"]) == exits.INTERNAL
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("BOUNDKIT_TRACEBACK", "1")
    assert run(["analyze", "a.pt"]) == exits.INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_has_its_own_exit_code(analyzed):
    analyzed(KeyboardInterrupt())

    assert run(["analyze", "a.pt"]) == exits.INTERRUPTED


def test_the_module_is_the_program():
    result = subprocess.run(
        [sys.executable, "-m", "boundkit_cli", "--version"],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": ".:cli"},
    )

    assert result.stdout.startswith(b"boundkit 0.")


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from boundkit_cli.app import run; run(['--help']); "
        "heavy = {'torch', 'pandas', 'statsmodels', 'scipy', 'matplotlib', 'numpy', "
        "'rich', 'jinja2'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": ".:cli"},
    )

    assert (result.returncode, result.stderr) == (0, b"")


def test_shells_can_complete():
    result = subprocess.run(
        [sys.executable, "-m", "boundkit_cli"],
        capture_output=True,
        check=False,
        env={
            "PYTHONPATH": ".:cli",
            "_BOUNDKIT_COMPLETE": "complete_bash",
            "COMP_WORDS": "boundkit an",
            "COMP_CWORD": "1",
        },
    )

    assert result.stdout.split() == [b"analyze"]
