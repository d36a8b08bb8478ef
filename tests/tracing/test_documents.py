"""JSON as its schema says, and CSV that reads back."""

import io
import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

import boundkit
from boundkit.tracing.documents import document, render, schema, table
from boundkit.tracing.formats import TRACE_FORMATS
from tests.sweeping.nets import nets
from tests.tracing.runs import EPOCHS, bundled


def check(text):
    found = json.loads(text, parse_constant=pytest.fail)
    Draft202012Validator(schema()).validate(found)
    return found


def test_the_schema_is_one():
    Draft202012Validator.check_schema(schema())


def test_the_bundled_run_is_as_the_schema_says():
    found = check(render(bundled()))

    assert [one["at"] for one in found["checkpoints"]] == list(EPOCHS)
    assert found["order"] == {"axis": "epoch", "source": "'epoch' in the checkpoints"}
    assert found["terminal_phase"]["began"] == 96
    assert found["signal_to_noise"]["fit"]["c1"] == 80 * 16
    assert len(found["signal_values"]) == 18
    assert found["checkpoints"][0]["layers"][0]["name"] == "conv.weight"


def test_a_run_without_data_and_with_failures_is_as_the_schema_says(tmp_path):
    nets(tmp_path, 4)
    (tmp_path / "epoch_2.safetensors").write_bytes(b"broken")

    found = check(render(boundkit.trace(tmp_path, only=("norms",), jobs=1)))

    assert found["terminal_phase"] is None
    assert found["signal_to_noise"]["fit"] is None
    assert found["signal_to_noise"]["reason"].startswith("needs features")
    assert found["checkpoints"][2]["status"] == "failed"
    assert found["checkpoints"][2]["layers"] == []


def test_numbers_that_are_not_finite_are_null_and_told():
    trace = bundled()
    flow = replace(trace.flow, r2_free=math.nan)

    found = check(render(replace(trace, flow=flow)))

    assert found["signal_to_noise"]["fit"]["r2_free"] is None
    assert "r2_free" in found["warnings"][0]["message"]


def test_notices_are_warnings():
    found = document(replace(bundled(), notices=("look here",)))

    assert found["warnings"] == [
        {"code": "trace", "message": "look here", "tensor": None}
    ]


def test_csv_reads_back():
    frame = pd.read_csv(io.StringIO(table(bundled())))

    assert frame["epoch"].tolist() == list(EPOCHS)
    assert frame["collapse.nc1_pinv"].notna().all()
    assert not [name for name in frame if "conventions" in name or "reasons" in name]


def test_the_formats_are_those_of_the_help():
    assert [each.name for each in TRACE_FORMATS] == ["text", "json", "csv", "html"]
