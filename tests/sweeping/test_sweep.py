"""Whole sweeps, with processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import boundkit
from boundkit.errors import Empty, UsageError
from boundkit.sweeping.outcome import Outcome
from tests.sweeping.nets import names_in, net, nets, served

ROOT = Path(__file__).parents[2]
NORMS = {"only": ("norms",), "jobs": 2}
SWEEP = """
import sys
import boundkit
boundkit.sweep(sys.argv[1], sys.argv[2], only=("norms",), jobs=2)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stamps(out):
    return {p.name: p.stat().st_mtime_ns for p in Path(out, "results").glob("*.json")}


def test_one_row_for_each_with_its_numbers_and_columns(here):
    nets(here / "runs", 3)
    (here / "broken.pt").write_bytes(b"PK\x03\x04")
    (here / "m.csv").write_text(
        "path,test_error\nruns/epoch_1.safetensors,0.25\nbroken.pt,0.5\ngone.pt,1\n"
    )
    frame = boundkit.sweep(["runs", "m.csv"], "out", **NORMS)
    alone = boundkit.analyze("runs/epoch_1.safetensors", only=("norms",))

    assert frame["path"].tolist() == [
        *(f"runs/epoch_{i}.safetensors" for i in range(3)),
        *("broken.pt", "gone.pt"),
    ]
    assert frame["status"].tolist() == ["analyzed"] * 3 + ["failed"] * 2
    assert frame["log10_rho"][1] == alone.rho_stored.log10
    assert frame["sha256"][1] == alone.checkpoint.sha256
    assert frame["test_error"].tolist()[1:2] + frame["test_error"].tolist()[3:] == [
        *(0.25, 0.5, 1.0)
    ]
    assert frame["reason"][4] == "gone.pt: no such file or folder; check the path"
    assert pd.read_csv("out/results.csv").shape == frame.shape
    assert frame.attrs == {"notices": [], "fresh": 3}


def test_called_again_it_analyzes_only_what_is_new_or_changed(here):
    paths = nets(here / "runs", 4)
    (here / "runs/broken.pt").write_bytes(b"PK\x03\x04")
    first = boundkit.sweep("runs", "out", **NORMS)
    before = stamps("out")
    os.utime(paths[0])
    Path(paths[1]).rename(here / "runs/moved.safetensors")
    net(here / "runs/epoch_2.safetensors", seed=77)
    net(here / "runs/new.safetensors", seed=78)
    again = boundkit.sweep("runs", "out", **NORMS)
    after = stamps("out")

    assert first.attrs["fresh"] == 4
    assert again.attrs["fresh"] == 2
    assert before.items() <= after.items()
    assert len(after) == 6
    rows = again.set_index("path")
    assert rows["status"]["runs/moved.safetensors"] == "analyzed"
    assert rows["log10_rho"]["runs/epoch_2.safetensors"] != first["log10_rho"][2]


def test_where_all_is_done_no_process_starts(here, monkeypatch):
    nets(here / "runs", 2)
    (here / "runs/broken.pt").write_bytes(b"PK\x03\x04")
    boundkit.sweep("runs", "out", **NORMS)
    monkeypatch.setattr("boundkit.sweeping.pool.Worker", None)

    assert boundkit.sweep([], "out", **NORMS).attrs["fresh"] == 0
    assert len(boundkit.sweep("runs", "out", **NORMS)) == 3


def test_a_lost_journal_costs_no_analysis(here):
    nets(here / "runs", 3)
    boundkit.sweep("runs", "out", **NORMS)
    (here / "out/journal.jsonl").unlink()

    assert boundkit.sweep("runs", "out", **NORMS).attrs["fresh"] == 0


def test_copies_of_one_net_are_rows_of_one_result(here):
    net(here / "a.safetensors")
    net(here / "b.safetensors")
    frame = boundkit.sweep(["a.safetensors", "b.safetensors"], "out", only=("norms",))

    assert len(stamps("out")) == 1
    assert len(set(frame["log10_rho"])) == 1
    assert len(frame) == 2


def test_without_a_folder_only_the_frame_is_left(here):
    frame = boundkit.sweep(net(here / "a.safetensors"), only=("norms",))

    assert frame["status"].tolist() == ["analyzed"]
    assert names_in(here) == ["a.safetensors"]


def test_killed_again_and_again_it_loses_nothing_and_repeats_nothing(here):
    nets(here / "runs", 30)
    seen, kills = {}, 0
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", SWEEP, "runs", "out"],
            cwd=here,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        while process.poll() is None:
            if (here / "out/results").exists() and len(stamps("out")) >= len(seen) + 7:
                process.send_signal(signal.SIGKILL)
                process.wait()
            time.sleep(0.002)
        kills += process.returncode == -signal.SIGKILL
        now = stamps("out")
        for name in now:
            assert json.loads(Path("out/results", name).read_bytes())["report"]
        assert seen.items() <= now.items()
        seen = now
        if process.returncode == 0:
            break
    frame = pd.read_csv("out/results.csv")

    assert process.returncode == 0
    assert kills >= 3
    assert frame["status"].tolist() == ["analyzed"] * 30
    assert len(seen) == 30


def test_checkpoints_behind_http_are_swept_by_the_workers(here):
    files = {
        f"/{i}.safetensors": Path(net(here / f"{i}.safetensors", i)).read_bytes()
        for i in range(3)
    }
    with served(files) as server:
        urls = [f"{server.url}{name}" for name in (*files, "/gone.pt")]
        frame = boundkit.sweep(urls, "out", **NORMS)
        spent = server.served
        again = boundkit.sweep(urls, "out", **NORMS)

        assert server.served == spent
    local = boundkit.sweep("*.safetensors", "local", **NORMS)
    assert frame["status"].tolist() == ["analyzed"] * 3 + ["failed"]
    assert frame["log10_rho"].tolist()[:3] == local["log10_rho"].tolist()
    assert again.attrs["fresh"] == 0


def test_model_and_data_of_the_user_give_margins(here):
    import numpy as np
    import torch

    (here / "nets.py").write_text(
        "from torch import nn\n"
        "def make():\n"
        "    print('made')\n"
        "    return nn.Sequential(nn.Linear(5, 3, bias=False))\n"
    )
    np.savez("d.npz", x=np.eye(5, dtype="f4"), y=np.array([0, 1, 2, 0, 1]))
    torch.save({"0.weight": torch.eye(3, 5)}, "a.pt")
    torch.save({"wrong": torch.eye(3, 5)}, "b.pt")
    options = {"model": "nets.py:make", "data": "d.npz", "device": "cpu"}
    frame = boundkit.sweep(["a.pt", "b.pt"], "out", jobs=1, **options)
    alone = boundkit.analyze("a.pt", **options)

    assert frame["reason"][0] == ""
    assert frame["margins.train_error"][0] == alone.margins["train_error"]
    assert frame["bound.dense"][0] == alone.certificates["dense"].value
    assert "does not fit Sequential" in frame["reason"][1]
    (here / "nets.py").write_text("make = None\n")
    with pytest.raises(UsageError, match="the file of model has changed"):
        boundkit.sweep(["a.pt"], "out", **options)


def test_progress_tells_rate_and_failures(here):
    nets(here / "runs", 3)
    told = []
    boundkit.sweep(
        ["runs", "gone.pt"], "out", progress=lambda *step: told.append(step), **NORMS
    )

    assert [step[:2] for step in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1][2].startswith("4 of 4 · ")
    assert told[-1][2].endswith("/s · 1 failed")


def test_sources_without_a_checkpoint_leave_no_folder(here):
    message = r"there is no checkpoint \('runs/\*.pt': no checkpoint is there\); name"

    with pytest.raises(Empty, match=message):
        boundkit.sweep("runs/*.pt", "out")
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": print}, "model must be a SPEC such as 'file.py:callable'"),
        ({"only": ("rho",)}, "only must be among"),
        ({"delta": 2}, r"delta must lie in \(0, 1\), but got 2"),
        ({"gamma": -1}, 'gamma must be "auto" or a positive number'),
        ({"jobs": 0}, "jobs must be at least 1, but got 0"),
    ],
)
def test_arguments_are_checked_before_anything_is_written(options, message, here):
    with pytest.raises(UsageError, match=message):
        boundkit.sweep("a.pt", "out", **options)
    assert names_in(here) == []


def test_a_table_that_cannot_be_written_is_said(here, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    net(here / "a.safetensors")
    monkeypatch.setattr("boundkit.sweeping.sweep.write_tables", full)
    with pytest.raises(UsageError, match="No space left on device; make room"):
        boundkit.sweep("a.safetensors", "out", only=("norms",))


def test_lines_of_the_journal_come_back_as_they_went():
    outcome = Outcome("/a", "failed", "why", "mark", "key", settled=True)

    assert Outcome.of(outcome.entry(), fresh=False) == outcome
