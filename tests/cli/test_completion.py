"""Completion proposes commands, options and values, and loads nothing heavy for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from boundkit_cli import completion
from boundkit_cli.app import run
from boundkit_cli.values import CONVENTIONS, LOSSES, PARTS, SPECTRA

from boundkit.report import FORMATS


@pytest.fixture
def proposed(monkeypatch, capsys):
    """What a shell is told after these words, the last of them incomplete."""

    def ask(*typed):
        monkeypatch.setenv("_BOUNDKIT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(("boundkit", *typed)))
        monkeypatch.setenv("COMP_CWORD", str(len(typed)))
        with pytest.raises(SystemExit):
            run([])
        return capsys.readouterr().out.split()

    return ask


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["ana"], ["analyze"]),
        (["analyze", "--fo"], ["--format"]),
        (["analyze", "--format", ""], [form.name for form in FORMATS]),
        (["analyze", "x.pt", "--format", "j"], ["json", "junit"]),
        (["check", "--format", "m"], ["markdown"]),
        (["trace", "--format", "c"], ["csv"]),
        (["compare", "--format", "j"], ["json"]),
        (["diff", "--format", "j"], ["json"]),
        (["regress", "--format", "j"], ["json"]),
        (["report", "--format", "h"], ["html"]),
        (["analyze", "--device", "c"], ["cpu", "cuda"]),
        (["analyze", "--loss", ""], list(LOSSES)),
        (["analyze", "--spectra", ""], list(SPECTRA)),
        (["analyze", "--convention", ""], list(CONVENTIONS)),
        (["analyze", "--confidence", "n"], ["normalized"]),
        (["analyze", "--gamma", "a"], ["auto"]),
        (["analyze", "--only", ""], list(PARTS)),
        (["analyze", "--only", "norms,m"], ["norms,margins"]),
        (["analyze", "--only", "norms,norm"], []),
        (["code", "--lowrank", "n"], ["none"]),
        (["report", "--table-format", "p"], ["parquet"]),
        (["trace", "--by", "n"], ["name"]),
        (["schema", "ve"], ["verdict"]),
        (["explain", "bartlett"], ["bartlett2017"]),
        (["explain", "nc1_tr"], ["nc1_trace"]),
    ],
    ids=" ".join,
)
def test_what_is_proposed(typed, expected, proposed):
    assert proposed(*typed) == expected


def test_every_command_is_proposed(proposed):
    assert {"analyze", "check", "explain", "sweep", "verify"} <= set(proposed(""))


def test_where_files_are_meant_the_shell_is_left_to_propose_them(proposed):
    assert proposed("analyze", "fix") == []


def test_a_command_without_formats_proposes_none():
    class Context:
        info_name = "explain"

    assert completion.formats(Context(), "") == []


def test_completion_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from boundkit_cli import completion\n"
        "completion.explained('')\n"
        "class Context: info_name = 'analyze'\n"
        "completion.formats(Context(), '')\n"
        "heavy = {'torch', 'pandas', 'scipy', 'statsmodels', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    )

    assert done.stdout.strip() == "[]"


def test_bash_completes_after_the_installation(tmp_path):
    program = shutil.which("boundkit", path=Path(sys.executable).parent)
    script = (
        f'"{program}" --install-completion > /dev/null; '
        'source "$HOME/.bashrc"; '
        "COMP_WORDS=(boundkit explain sparse_cnn_l); COMP_CWORD=2; "
        f'_boundkit_completion "{program}"; '
        'echo "${COMPREPLY[@]}"'
    )
    environment = {k: v for k, v in os.environ.items() if k != "ZSH_VERSION"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=environment | {"HOME": str(tmp_path)},
    )

    assert done.stdout.split() == ["sparse_cnn_log"]
    assert done.stderr == ""
