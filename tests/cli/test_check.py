from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.posthoc.certificate import rendered
from boundkit.report.json import render
from tests.posthoc.test_certificate import certificate
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


DEFAULTS = {
    "model": None,
    "data": None,
    "test_data": None,
    "n": None,
    "input_norm": 1.0,
    "input_shape": None,
    "delta": 0.05,
    "gamma": "auto",
    "confidence": "empirical",
    "loss": None,
    "weight_decay": None,
    "only": None,
    "device": "auto",
    "batch_size": 256,
    "key": None,
    "trust": False,
    "init": None,
    "head": None,
    "features": None,
    "spectra": "auto",
    "convention": "boundkit",
    "sgd_batch": None,
    "learning_rate": None,
    "steps": None,
    "earlier": (),
    "progress": None,
}


@pytest.mark.usefixtures("folder")
def test_defaults_are_those_of_analyze(analyzed):
    calls = analyzed("proved")
    run(["check", "net.pt", "--policy", "kept.toml"])
    run(["analyze", "net.pt", "--format", "json=a.json"])

    assert calls == [("net.pt", DEFAULTS)] * 2


@pytest.mark.usefixtures("folder")
def test_every_option_of_an_analysis_reaches_it(analyzed):
    calls = analyzed("proved")
    options = [
        *["--model", "m:f", "--data", "d.npz", "--test-data", "t.npz", "--n", "7"],
        *["--input-norm", "2", "--input-shape", "1,28,28", "--delta", "0.01"],
        *["--gamma", "0.5", "--confidence", "normalized", "--loss", "square"],
        *["--weight-decay", "1e-4", "--only", "norms,bounds", "--device", "cpu"],
        *["--batch-size", "3", "--key", "ema", "--trust", "--head", "fc"],
        *["--features", "h.npz", "--spectra", "top", "--convention", "weightwatcher"],
        *["--sgd-batch", "8", "--learning-rate", "0.1", "--steps", "5"],
        *["--earlier", "a.pt", "--earlier", "b.pt"],
    ]
    run(["check", "net.pt", "--policy", "kept.toml", *options, "--initial", "i.pt"])
    run(["analyze", "net.pt", *options, "--init", "i.pt", "--format", "json=a.json"])

    assert calls[0] == calls[1]
    assert all(calls[0][1][name] != value for name, value in DEFAULTS.items() if value)
    assert sum(calls[0][1][name] != value for name, value in DEFAULTS.items()) == 25


def test_no_option_of_analyze_is_missing():
    from boundkit_cli.app import app
    from typer.main import get_command

    known = {
        name: {one.name for one in get_command(app).commands[name].params}
        for name in ("analyze", "check")
    }

    # The starting policy has the name --init; coverage is asked for in the policy.
    assert known["analyze"] - known["check"] == {"init", "min_coverage", "plot"}


@pytest.mark.usefixtures("folder")
def test_options_that_a_stored_report_has_no_use_for_are_named(capsys):
    code = run([
        *["check", "r.json", "--policy", "kept.toml"],
        *["--n", "9", "--spectra", "top", "--quiet"],
    ])

    assert code == exits.DONE
    assert capsys.readouterr().err == (
        "boundkit: warning: 'r.json' is stored and judged as it is, so --n, --spectra "
        "changed nothing\n"
    )


@pytest.fixture
def certified(folder):
    """Beside them a certificate of the report's weights, and one of others."""
    digest = proved().checkpoint.sha256
    for name, about in (("c.json", digest), ("other.json", "e" * 64)):
        text = rendered(certificate(kind="code", sha256_out=about, bound=0.1))
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "code.toml").write_text("[certificates.code]\nmax = 0.2\n")
    return folder


@pytest.mark.usefixtures("certified")
@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["c.json"], exits.DONE, "passed  c.json against code.toml"),
        (["r.json", "--certificate", "c.json"], exits.DONE, "passed"),
        (["r.json", "--certificate", "other.json"], exits.GATE_FAILED, "other weights"),
        (["r.json"], exits.GATE_FAILED, "the report has no such bound"),
        (["c.json", "--baseline", "c.json"], exits.DONE, "baseline c.json"),
    ],
)
def test_a_certificate_is_held_against_a_policy(arguments, code, told, capsys):
    assert run(["check", *arguments, "--policy", "code.toml"]) == code
    assert told in " ".join(capsys.readouterr().out.split(" "))


def test_init_writes_a_policy_for_a_certificate(certified, capsys):
    assert run(["check", "c.json", "--init", "--output", "new.toml"]) == exits.DONE
    assert run(["check", "c.json", "--policy", "new.toml"]) == exits.DONE
    code = run(["check", "r.json", "--init", "--certificate", "c.json"])

    assert code == exits.DONE
    assert "[certificates.code]" in capsys.readouterr().out
    assert "[coverage]" not in (certified / "new.toml").read_text("utf-8")


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
        (["--policy", "kept.toml", "--gamma", "0"], exits.USAGE, "a number above 0"),
        (["--policy", "kept.toml", "--spectra", "all"], exits.USAGE, "spectra must be"),
        (["--policy", "kept.toml", "--confidence", "x"], exits.USAGE, "the form must"),
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
        "ARGUMENTS": "--format 'markdown=two words; touch harm.md' --quiet",
        "JUNIT": "v.xml",
    }
    done = acted("check", folder, INPUTS | changed)

    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "v.xml").exists()
    assert (folder / "two words; touch harm.md").exists()
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


PAGE = (ROOT / "docs" / "check.md").read_text("utf-8")
BLOCKS = [
    yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
]


def test_the_page_uses_the_action_with_inputs_that_it_has():
    steps = [
        one
        for block in BLOCKS
        if "jobs" in block
        for job in block["jobs"].values()
        for one in job["steps"]
        if "boundkit" in one.get("uses", "")
    ]

    assert steps
    for step in steps:
        assert step["uses"].startswith(
            "./"
        )  # A path in the repository resolves by itself.
        assert step["with"].keys() <= ACTION["inputs"].keys()
        required = {
            name for name, one in ACTION["inputs"].items() if one.get("required")
        }
        assert required <= step["with"].keys()


def test_the_pages_of_other_services_run_the_command_with_options_that_it_has():
    from boundkit_cli.app import app
    from typer.main import get_command

    known = {
        name
        for one in get_command(app).commands["check"].params
        for name in (*one.opts, *one.secondary_opts)
    }
    (script,) = [block["boundkit"]["script"] for block in BLOCKS if "boundkit" in block]
    used = set(re.findall(r"--[a-z-]+", next(x for x in script if "check" in x)))

    assert used
    assert used <= known


def test_no_address_on_the_page_is_one_to_fill_in():
    assert not re.search(r"OWNER|USER/|example\.(com|org)|<[A-Z]+>", PAGE)
