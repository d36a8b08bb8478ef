from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.report.json import render
from tests.report.reports import proved

ROOT = Path(__file__).parents[2]
KEPT = "[best]\nmax = 0.3\n"
BROKEN = "[best]\nmax = 0.2\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a report and two policies, and no CI service around it."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, text in (
        ("r.json", render(proved())),
        ("kept.toml", KEPT),
        ("broken.toml", BROKEN),
        ("relative.toml", "[best]\nmax_increase = 0.01\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_policy_that_is_kept_exits_0(capsys):
    assert run(["check", "r.json", "--policy", "kept.toml"]) == exits.DONE
    assert (
        "passed  fmnist_3v8.pt against kept.toml: 1 check\n" in capsys.readouterr().out
    )


@pytest.mark.usefixtures("folder")
def test_a_policy_that_is_broken_exits_1_and_says_by_how_much(capsys):
    assert run(["check", "r.json", "--policy", "broken.toml"]) == exits.GATE_FAILED
    out = capsys.readouterr().out

    assert "FAILED" in out
    assert "0.0631 (32%) above what is allowed (line 1 of" in out


def test_the_verdict_goes_where_formats_say(folder, capsys):
    code = run([
        *["check", "r.json", "--policy", "broken.toml", "--quiet"],
        *["--format", "json", "--format", "junit=v.xml", "--format", "markdown=v.md"],
    ])

    assert code == exits.GATE_FAILED
    assert json.loads(capsys.readouterr().out)["passed"] is False
    assert ET.parse(folder / "v.xml").getroot()[0].get("failures") == "1"
    assert (folder / "v.md").read_text("utf-8").startswith("### boundkit check")


def test_a_checkpoint_is_analyzed_with_the_options(folder, analyzed):
    (folder / "net.pt").write_bytes(b"PK")
    calls = analyzed("proved")
    code = run(["check", "net.pt", "--policy", "kept.toml", "--n", "9", "--key", "ema"])

    assert code == exits.DONE
    assert [(source, options["n"], options["key"]) for source, options in calls] == [
        ("net.pt", 9, "ema")
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--policy", "none.toml"], exits.USAGE, "No such file"),
        (["--policy", "relative.toml"], exits.USAGE, "line 1: 'max_increase' needs"),
        (
            ["--policy", "relative.toml", "--baseline", "kept.toml"],
            exits.UNREADABLE,
            "no JSON",
        ),
        ([], exits.USAGE, "give --policy FILE to check, or --init"),
        (["--init", "--policy", "kept.toml"], exits.USAGE, "give --policy FILE"),
        (["--init", "--output", "no/p.toml"], exits.USAGE, "its folder does not exist"),
        (["--policy", "kept.toml", "--format", "csv"], exits.USAGE, "must be one of"),
    ],
)
def test_what_cannot_work_is_refused_before_the_analysis(
    arguments, code, message, analyzed, capsys
):
    calls = analyzed()

    assert run(["check", "net.pt", *arguments]) == code
    assert message in capsys.readouterr().err
    assert calls == []


def test_a_report_of_another_version_is_refused(folder, capsys):
    (folder / "r.json").write_text('{"schema": "boundkit.report/9"}')

    assert run(["check", "r.json", "--policy", "kept.toml"]) == exits.UNREADABLE
    assert "it is no report: schema is 'boundkit.report/9'" in capsys.readouterr().err


def test_init_writes_a_policy_that_passes(folder, capsys):
    assert run(["check", "r.json", "--init", "--output", "new.toml"]) == exits.DONE
    assert run(["check", "r.json", "--policy", "new.toml"]) == exits.DONE
    capsys.readouterr()

    assert run(["check", "r.json", "--init"]) == exits.DONE
    assert capsys.readouterr().out == (folder / "new.toml").read_text("utf-8")


def test_a_workflow_gets_annotations_and_a_summary(folder, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    (folder / "summary.md").write_text("before\n")
    run(["check", "r.json", "--policy", "broken.toml"])

    assert "::error file=broken.toml,line=1,title=best" in capsys.readouterr().err
    assert (folder / "summary.md").read_text("utf-8").startswith("before\n### boundkit")


def test_a_summary_that_cannot_be_written_is_said(folder, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "none" / "summary.md"))

    assert run(["check", "r.json", "--policy", "kept.toml"]) == exits.DONE
    assert "cannot write the step summary" in capsys.readouterr().err


ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"]}


def acted(step, folder, variables):
    """Run a step of the action as the service would, boundkit and pip on the path."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, line in (
        ("boundkit", f'exec "{sys.executable}" -m boundkit_cli "$@"'),
        ("python", 'printf "%s|" "$@"'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    assert variables.keys() == STEPS[step]["env"].keys()
    environment = os.environ | variables
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "cli"))),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[step]["run"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


INPUTS = {
    "CHECKPOINT": "r.json",
    "POLICY": "kept.toml",
    "BASELINE": "",
    "ARGUMENTS": "",
    "VERDICT": "verdict.json",
    "JUNIT": "",
}


def test_every_input_of_the_action_is_used():
    used = " ".join(
        str(value) for step in STEPS.values() for value in step["env"].values()
    )

    assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in used] == []


@pytest.mark.parametrize(("policy", "passed"), [("kept", True), ("broken", False)])
def test_the_action_fails_with_the_gate(folder, policy, passed):
    done = acted("check", folder, INPUTS | {"POLICY": f"{policy}.toml"})

    assert done.returncode == (0 if passed else 1)
    assert (folder / "output").read_text() == f"passed={str(passed).lower()}\n"
    assert json.loads((folder / "verdict.json").read_text())["passed"] is passed


def test_the_action_takes_a_baseline_quoted_options_and_a_place_for_junit(folder):
    changed = {
        "POLICY": "relative.toml",
        "BASELINE": "r.json",
        "ARGUMENTS": "--key 'two words; touch harm' --quiet",
        "JUNIT": "v.xml",
    }
    done = acted("check", folder, INPUTS | changed)

    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "v.xml").exists()
    assert not (folder / "harm").exists()


def test_the_action_runs_no_code_that_an_input_holds(folder):
    done = acted("check", folder, INPUTS | {"CHECKPOINT": "$(touch harm)"})

    assert done.returncode == exits.UNREADABLE
    assert not (folder / "harm").exists()


@pytest.mark.parametrize(
    ("asked", "installed"), [("action", "/a"), ("boundkit==9", "boundkit==9")]
)
def test_the_action_installs_its_own_version_by_default(folder, asked, installed):
    done = acted("install", folder, {"INSTALL": asked, "ACTION": "/a"})

    assert done.stdout.split("|")[:-1] == [
        *["-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
        installed,
    ]
