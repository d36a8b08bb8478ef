"""A real scheduler with workers in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import boundkit
from boundkit.errors import UsageError
from boundkit.sweeping import cluster
from boundkit.sweeping.outcome import Task
from tests.sweeping.nets import misbehaving, net, nets

pytestmark = pytest.mark.distributed
NORMS = {"only": ("norms",)}
SLOW = """
import time
def slow(task, *rest):
    time.sleep(1 if "deadly" in task.name else 0.02)
    if "deadly" in task.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(task, *rest)
module.examine = slow
"""


def started(folder, role, *arguments):
    """Start a part of a cluster, in another directory than ours."""
    paths = [str(Path.cwd()), *filter(None, sys.path)]
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def hire(tmp_path, monkeypatch):
    """Yield (address, workers) of a cluster of two; all are gone in the end."""
    place = tmp_path / "scheduler.json"
    processes = []

    def worker():
        name = ["--scheduler-file", str(place), "--nthreads", "1"]
        processes.append(
            started(tmp_path, "worker", *name, "--no-nanny", "--no-dashboard")
        )
        return processes[-1]

    with misbehaving(monkeypatch, tmp_path / "site", SLOW):
        processes.append(
            started(
                tmp_path,
                "scheduler",
                *("--scheduler-file", str(place), "--port", "0", "--no-dashboard"),
                *("--host", "127.0.0.1"),
            )
        )
        try:
            while not place.exists() or not place.read_text():
                assert processes[0].poll() is None
                time.sleep(0.02)
            yield json.loads(place.read_text())["address"], worker
        finally:
            for process in processes[::-1]:
                process.kill()
                process.wait()


def test_workers_elsewhere_do_the_same_and_one_that_dies_loses_nothing(
    tmp_path, hire, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    address, worker = hire
    workers = [worker(), worker()]
    nets(tmp_path / "runs", 40)
    killed = []

    def progress(done, total, label):
        if done == 5:
            workers[0].send_signal(signal.SIGKILL)
            killed.append(workers[0].wait())

    sources = ["runs", "gone.pt"]
    frame = boundkit.sweep(
        sources, "far", scheduler=address, progress=progress, **NORMS
    )
    near = boundkit.sweep(sources, "near", jobs=1, **NORMS)
    again = boundkit.sweep(sources, "far", scheduler=address, **NORMS)

    assert killed == [-signal.SIGKILL]
    assert frame["status"].tolist() == ["analyzed"] * 40 + ["failed"]
    same = [name for name in near.columns if name != "seconds"]
    assert frame[same].astype(str).equals(near[same].astype(str))
    assert (frame.attrs["fresh"], again.attrs["fresh"]) == (40, 0)


def test_a_checkpoint_that_kills_every_worker_is_a_row(tmp_path, hire):
    address, worker = hire
    crew = [worker() for _ in range(3)]
    # Last, and slow to kill: else it takes with it what waits behind it on its worker.
    paths = [*nets(tmp_path / "runs", 3), net(tmp_path / "deadly.safetensors")]
    frame = boundkit.sweep(paths, tmp_path / "out", scheduler=address, **NORMS)

    assert frame["status"].tolist() == ["analyzed"] * 3 + ["failed"]
    assert frame["reason"][3].startswith("workers of the cluster died over it again")
    assert any(one.poll() is not None for one in crew)


def test_a_scheduler_that_does_not_answer_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", "0.5s")
    path = net(tmp_path / "a.safetensors")

    with pytest.raises(
        UsageError, match=r"no Dask scheduler answers at 'tcp://127.0.0"
    ):
        boundkit.sweep(path, tmp_path / "out", scheduler="tcp://127.0.0.1:9", **NORMS)


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(UsageError, match=r"pip install 'boundkit\[cluster\]'"):
        list(cluster.run([], {}, "digest", "tcp://127.0.0.1:9"))


def test_another_version_on_the_cluster_is_refused():
    task = Task("/a", "a")

    with pytest.raises(UsageError, match=r"on the cluster and 0.0.1 here; install the"):
        cluster.remotely(task, "{}", "{}", "digest", "0.0.1")


def test_workers_that_cannot_run_boundkit_are_refused():
    class Client:
        def run(self, function):
            raise ModuleNotFoundError("No module named 'boundkit'")

    with pytest.raises(UsageError, match=r"workers of x cannot run boundkit .*install"):
        cluster._check_workers(Client(), "x")
