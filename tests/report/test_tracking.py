from __future__ import annotations

import json
import re

import pytest

import boundkit
from boundkit.errors import UsageError
from boundkit.report.tracking import log_to, metrics
from tests.report.reports import REPORTS, layer, proved, report


class Recorder:
    """A tracker that remembers the calls of one method."""

    def __init__(self, method):
        self.calls = []
        setattr(self, method, lambda *a, **k: self.calls.append((a, k)))

    def flush(self):
        self.calls.append("flush")


def test_names_are_those_of_policies():
    found = metrics(proved())

    assert found["certificates.sparse_cnn.value"] == 0.2631
    assert found["certificates.sparse_cnn.terms.gamma"] == 0.742
    assert found["certificates.bartlett2017.log10"] == 400.2
    assert "certificates.bartlett2017.value" not in found
    assert found["measurements.dense_printed"] == 0.031
    assert found["margins.separable"] == 0.0
    assert found["rho.stored.log10"] == 0.84362
    assert not any(name.startswith("layers.") for name in found)


def test_layers_are_there_for_whoever_asks():
    found = metrics(proved(), layers=True)

    assert found["layers.cv.0.weight.stable_rank"] == 1.478


@pytest.mark.parametrize("name", REPORTS)
def test_every_name_is_one_that_trackers_take(name):
    found = metrics(REPORTS[name](), layers=True)

    assert all(re.fullmatch(r"[A-Za-z0-9_./ -]{1,250}", one) for one in found)
    assert all(type(value) is float for value in found.values())


def test_names_that_become_one_keep_the_first():
    rows = (
        layer("a[", "linear", (1,), 2.0, 0.3),
        layer("a]", "linear", (1,), 3.0, 0.4),
    )

    assert metrics(report(layers=rows), layers=True)["layers.a_.rho"] == 2.0


def test_a_path_becomes_a_flat_json_file(tmp_path):
    logged = boundkit.log_to(proved(), tmp_path / "metrics.json")

    assert json.loads((tmp_path / "metrics.json").read_text("utf-8")) == logged
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.json"]


def test_mlflow_gets_all_at_once():
    mlflow = Recorder("log_metrics")
    logged = log_to(proved(), mlflow, step=3)

    assert mlflow.calls == [((logged,), {"step": 3})]


def test_a_run_of_wandb_gets_names_in_a_group():
    run = Recorder("log")
    logged = log_to(proved(), run, step=3)
    ((sent,), options) = run.calls[0]

    assert options == {"step": 3}
    assert sent == {f"boundkit/{name}": value for name, value in logged.items()}


def test_a_summary_writer_gets_one_scalar_each_and_is_flushed():
    writer = Recorder("add_scalar")
    logged = log_to(proved(), writer, step=3)

    assert len(writer.calls) == len(logged) + 1
    assert writer.calls[0] == (("boundkit/coverage", 1.0, 3), {})
    assert writer.calls[-1] == "flush"


def test_what_cannot_be_logged_to_is_refused(tmp_path):
    with pytest.raises(UsageError, match="a SummaryWriter, but got int"):
        log_to(proved(), 3)
    with pytest.raises(UsageError, match=r"cannot write .*choose another place"):
        log_to(proved(), tmp_path / "none" / "m.json")
