"""A folder in which the commands of the pages run: every file that they name is there."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from boundkit_cli.app import run

ROOT = Path(__file__).parents[2]
NET = """from collections import OrderedDict

from torch import nn


def make():
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 8, 4, stride=4, bias=False),
            relu1=nn.ReLU(),
            flatten=nn.Flatten(),
            hidden=nn.Linear(8 * 49, 16, bias=False),
            relu2=nn.ReLU(),
            head=nn.Linear(16, 4, bias=False),
        )
    )
"""
POLICY = "[policy]\nversion = 1\n\n[coverage]\nmin = 0.99\n"
#: One run of a small net, under the names that the pages use.
NETS = {
    "net.pt": 512,
    "ckpt.pt": 512,
    "net.init.pt": 0,
    "a.pt": 256,
    "b.pt": 384,
    "c.pt": 512,
    "runs/seed0/epoch_1.pt": 1,
    "runs/seed0/epoch_8.pt": 8,
    "runs/seed0/epoch_64.pt": 64,
    "run/epoch_1.pt": 1,
    "run/epoch_8.pt": 8,
    "run/epoch_64.pt": 64,
}


def set_up(folder):
    """Fill a folder with what the pages name."""
    for name in ("benchmarks", "boundkit", "docs", "examples", "fixtures"):
        (folder / name).symlink_to(ROOT / name)
    for name, epoch in NETS.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"fixtures/run/epoch_{epoch}.pt", place)
    for name in ("train.npz", "test.npz"):
        shutil.copy(ROOT / "fixtures/run" / name, folder / name)
    (folder / "net.py").write_text(NET)
    (folder / "policy.toml").write_text(POLICY)
    rows = [f"{name},0.{epoch}" for name, epoch in NETS.items() if "/" not in name]
    (folder / "runs.csv").write_text("\n".join(("path,test_error", *rows)) + "\n")
    for name in ("report.json", "main.json"):
        said = ["analyze", "net.pt", "--n", "320", "--only", "norms,bounds", "-q"]
        with contextlib.chdir(folder):
            assert run([*said, "--format", f"json={name}"]) == 0


def environment(folder):
    """Return the variables under which commands run."""
    programs = Path(sys.executable).parent
    quiet = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    return quiet | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "MPLBACKEND": "agg",
    }


def do(command, folder, capfd):
    """Run one command of a page; return exit code and what it writes, messages first."""
    # A process of its own only where a shell is needed: torch is slow to load.
    plain = re.match(r"boundkit [^|;&<>$*']*$", command.line)
    if plain is None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.line],
            check=False,
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            env=environment(folder),
            timeout=280,
        )
        return done.returncode, done.stderr + done.stdout
    import shlex

    capfd.readouterr()
    code = run(shlex.split(command.line, comments=True)[1:])
    out, err = capfd.readouterr()
    return code, err + out


def shows(lines, output):
    """Return whether a page shows this output; "..." stands for anything."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    if not lines:
        return True
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line).replace(r"\.\.\.", ".*") + r"[ ]*\n")
    text = "\n".join(line.rstrip() for line in output.splitlines()) + "\n"
    return re.search(rf"^\n*{''.join(parts)}", text) is not None
