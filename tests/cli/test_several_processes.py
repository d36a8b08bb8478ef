"""Under torchrun every process computes, and the first one alone writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from boundkit_cli import app, exits
from boundkit_cli.app import run
from boundkit_cli.console import is_writer, progress

from boundkit.errors import DataError, ProcessLost
from boundkit.measure.ranks import Ranks, merged

PLACE = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


@pytest.fixture
def place(monkeypatch):
    """Make this process one of two that torchrun started."""

    def put(rank):
        for name, value in (PLACE | {"RANK": str(rank)}).items():
            monkeypatch.setenv(name, value)

    monkeypatch.setattr(app, "_TELLING", 0.0)
    return put


def test_a_process_that_is_alone_writes(monkeypatch):
    assert is_writer()
    # Set by schedulers that start nothing else.
    monkeypatch.setenv("RANK", "3")
    assert is_writer()


@pytest.mark.parametrize(("rank", "writes"), [(0, True), (1, False)])
def test_the_first_of_several_writes(place, analyzed, tmp_path, capsys, rank, writes):
    place(rank)
    analyzed("proved")
    path = tmp_path / "report.json"

    code = run(["analyze", "a.pt", "--format", "text", "--format", f"json={path}"])

    out, err = capsys.readouterr()
    assert code == exits.DONE
    assert path.exists() == writes
    assert bool(out) == writes
    assert bool(err) == writes


@pytest.mark.parametrize(("rank", "code"), [(0, exits.GATE_FAILED), (1, exits.DONE)])
def test_a_gate_that_fails_does_not_end_the_process_that_writes(
    place, analyzed, capsys, rank, code
):
    place(rank)
    analyzed("refuted")

    assert run(["analyze", "a.pt", "--min-coverage", "0.99"]) == code
    assert ("gate failed" in capsys.readouterr().err) == (code == exits.GATE_FAILED)


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_all_processes_is_told_once(
    place, analyzed, monkeypatch, capsys, rank
):
    place(rank)
    monkeypatch.setattr("boundkit.measure.ranks._sent", lambda own, *_: own)

    def broken():
        raise DataError("x[3] holds NaN")

    with pytest.raises(DataError) as stopped:
        merged(broken, Ranks(rank, 2))
    analyzed(stopped.value)

    assert run(["analyze", "a.pt"]) == exits.UNREADABLE
    assert ("x[3] holds NaN" in capsys.readouterr().err) == (rank == 0)


def test_an_error_of_one_process_is_told_by_it(place, analyzed, capsys):
    place(1)
    analyzed(ProcessLost("process 1 of 2 lost another one"))

    assert run(["analyze", "a.pt"]) == exits.UNREADABLE
    assert "process 1 of 2 lost another one" in capsys.readouterr().err


def test_only_the_first_process_shows_progress(place, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for rank, shown in ((0, True), (1, False)):
        place(rank)
        with progress(quiet=False) as reporter:
            assert (reporter is not None) == shown


NET = textwrap.dedent("""
    import os
    import torch
    from torch import nn

    class Net(nn.Sequential):
        batches = 0

        def forward(self, x):
            self.batches += 1
            if os.environ.get("RANK") == {dying!r} and self.batches > 5:
                os._exit(9)
            return super().forward(x)

    def make():
        torch.manual_seed(0)
        net = Net(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10))
        # In float32 the outputs of a sample depend on the others of its batch.
        return net.double()
""")

SAVE = "import torch, net; torch.save(net.make().state_dict(), 'net.pt')"


def _made(folder, dying=""):
    (folder / "net.py").write_text(NET.format(dying=dying))
    subprocess.run([sys.executable, "-c", SAVE], check=True, cwd=folder)


def _run(folder, processes, *options, batch_size=16):
    data = str(Path("fixtures/data/ten_test.npz").resolve())
    command = [
        *("-m", "boundkit_cli", "analyze", str(folder / "net.pt"), "--device", "cpu"),
        *("--model", f"{folder / 'net.py'}:make", "--data", data),
        *("--only", "margins,collapse,norms", "--batch-size", str(batch_size)),
        *options,
    ]
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    if processes > 1:
        command = [*start, str(processes), *command]
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def _numbers(value, path=""):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _numbers(each, f"{path}.{key}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _numbers(each, f"{path}[{at}]")
    else:
        yield path, value


@pytest.mark.slow
@pytest.mark.distributed
def test_two_processes_write_the_report_of_one(tmp_path):
    _made(tmp_path)
    reports = []
    for processes in (1, 2):
        path = tmp_path / f"{processes}.json"

        done = _run(tmp_path, processes, "--format", "text", "--format", f"json={path}")

        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Neural collapse") == 1
        assert done.stderr.count("wrote") == 1
        reports.append(dict(_numbers(json.loads(path.read_text()))))
    one, two = reports
    assert set(one) == set(two)
    for name, value in one.items():
        if isinstance(value, float) and not name.startswith(".seconds"):
            assert two[name] == pytest.approx(value, rel=1e-10, abs=1e-13), name


@pytest.mark.slow
@pytest.mark.distributed
def test_a_process_that_dies_ends_the_run_without_a_report(tmp_path):
    _made(tmp_path, dying="1")
    path = tmp_path / "report.json"

    done = _run(tmp_path, 2, "--format", f"json={path}")

    assert done.returncode == 1
    assert not done.stdout
    told = [line for line in done.stderr.splitlines() if line.startswith("boundkit:")]
    assert len(told) <= 1
    assert all("lost another one" in line for line in told)
    assert "exitcode  : 9" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [
        "net.pt",
        "net.py",
    ]
