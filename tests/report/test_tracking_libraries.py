"""What MLflow, W&B and TensorBoard really store, read back from their files.

Opt in with ``-m trackers``; needs the extra ``trackers``. Nothing leaves the machine.
"""

from __future__ import annotations

import importlib.util
import json

import pytest

from boundkit.report.tracking import log_to, metrics
from tests.report.reports import layer, proved, report

pytestmark = [
    pytest.mark.trackers,
    pytest.mark.usefixtures("libraries"),
    # Of the libraries and what they import; ours are looked at in every other test.
    pytest.mark.filterwarnings("ignore"),
]
HOSTILE = layer("a[0] b:\n\x1b[31m$<&>é" + "x" * 300, "linear", (2, 2), 2.0, 0.3)


@pytest.fixture
def libraries():
    """Fail, rather than pass, where they are not installed."""
    names = ("mlflow", "wandb", "tensorboard")
    lacking = [name for name in names if importlib.util.find_spec(name) is None]
    if lacking:
        pytest.fail(
            f"{', '.join(lacking)} not installed: pip install 'boundkit[trackers]'"
        )


@pytest.mark.parametrize("made", [proved, lambda: report(layers=(HOSTILE,))])
@pytest.mark.parametrize("store", ["sqlite", "file"])
def test_mlflow_has_every_number_at_its_step(made, store, tmp_path, monkeypatch):
    # Its own switch for the store in plain files, which it no longer develops.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    place = f"sqlite:///{tmp_path / 'runs.db'}"
    mlflow.set_tracking_uri(place if store == "sqlite" else tmp_path.as_uri())
    client = mlflow.MlflowClient()
    where = client.create_experiment("e", artifact_location=tmp_path.as_uri())
    with mlflow.start_run(experiment_id=where) as run:
        log_to(made(), mlflow, step=3, layers=True)
        logged = log_to(made(), mlflow, step=4, layers=True)

    assert client.get_run(run.info.run_id).data.metrics == logged
    name = next(one for one in logged if one.startswith("layers."))
    history = client.get_metric_history(run.info.run_id, name)
    assert [(one.step, one.value) for one in history] == [
        (3, logged[name]),
        (4, logged[name]),
    ]


def records(raw, block=2**15):
    """Yield the records of W&B's file, which is a log of LevelDB behind seven bytes."""
    at, parts = 7, b""
    while at + 7 <= len(raw):
        left = block - at % block
        if left < 7:
            at += left
            continue
        size, kind = int.from_bytes(raw[at + 4 : at + 6], "little"), raw[at + 6]
        parts += raw[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in {1, 4}:  # All of a record, or the last part of one.
            yield parts
            parts = b""


def test_a_run_of_wandb_has_every_number_at_its_step(tmp_path):
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    settings = wandb.Settings(mode="offline", console="off", silent=True)
    with wandb.init(dir=str(tmp_path), project="p", settings=settings) as run:
        log_to(report(layers=(HOSTILE,)), run, step=3, layers=True)
        logged = log_to(proved(), run, step=4, layers=True)

    wandb.teardown()  # Waits for the process that writes.
    (path,) = tmp_path.rglob("*.wandb")
    steps = {}
    for data in records(path.read_bytes()):
        record = Record()
        record.ParseFromString(data)
        found = {
            item.key or ".".join(item.nested_key): json.loads(item.value_json)
            for item in record.history.item
        }
        if found:
            steps[found["_step"]] = found
    assert sorted(steps) == [3, 4]
    stored = {
        name.removeprefix("boundkit/"): value
        for name, value in steps[4].items()
        if name.startswith("boundkit/")
    }
    assert stored == logged


def test_tensorboard_has_every_number_at_its_step(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        log_to(report(layers=(HOSTILE,)), writer, step=3, layers=True)
        logged = log_to(proved(), writer, step=4, layers=True)

    found = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0}).Reload()
    both = logged.keys() | metrics(report(layers=(HOSTILE,)), layers=True).keys()
    assert set(found.Tags()["scalars"]) == {f"boundkit/{name}" for name in both}
    for name, value in logged.items():
        last = found.Scalars(f"boundkit/{name}")[-1]
        assert (last.step, last.value) == (4, pytest.approx(value, rel=1e-6))
