"""Noise in a report: the table, the schema, and what is left out."""

from __future__ import annotations

import copy
import re

import jsonschema
import pytest

from boundkit.measure.noise.findings import COLUMNS
from boundkit.report.json import document, schema
from boundkit.report.sections.noise_table import noise_table
from boundkit.report.spans import cells, plain
from tests.measure.noise.nets import cnn, measured, mlp, sample, stored
from tests.report.reports import report

SCALAR = measured(
    mlp(4, 5, 1),
    *sample(30, 4),
    batch=8,
    sample=20,
    earlier=stored(mlp(4, 5, 1)),
    earlier_module=mlp(4, 5, 1),
).summary()
CLASSES = measured(cnn(2), *sample(9, 1, 6, classes=2), batch=2).summary()


def shown(table, width=100):
    return plain(noise_table(report(noise=table), width))


def said(table, width=100):
    return " ".join(shown(table, width).split())


@pytest.mark.parametrize("table", [SCALAR, CLASSES])
def test_the_schema_holds(table):
    jsonschema.Draft202012Validator(schema()).validate(document(report(noise=table)))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["layers"]["0.weight"].pop("signal"),
        lambda t: t["layers"]["0.weight"].update(more=1),
        lambda t: t["layers"]["0.weight"].update(gradient_noise=-1),
        lambda t: t["layers"]["0.weight"]["reasons"].update(signal=None),
        lambda t: t.pop("total"),
        lambda t: t["correlation"].update(stable_rank=2),
    ],
)
def test_the_schema_is_strict(change):
    table = copy.deepcopy(SCALAR)
    change(table)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(
            document(report(noise=table))
        )


def test_the_schema_knows_every_column():
    known = schema()["$defs"]["noise_layer"]["required"]

    assert known == [*COLUMNS, "reasons"]


def test_without_noise_there_is_no_table():
    assert noise_table(report(), 100) == ()
    assert noise_table(report(noise={"layers": {}}), 100) == ()


def test_the_table_says_what_was_measured():
    assert said(SCALAR).startswith(
        "Noise Minibatches of 8; gradients of 20 of 30 training samples; square loss,"
        " eval mode. layer noise signal noise scale update 0.weight "
    )
    assert "gradients of 9 training samples; cross-entropy loss" in said(CLASSES)


def test_numbers_carry_their_standard_errors():
    table = copy.deepcopy(CLASSES)
    table["layers"]["0.weight"] |= {
        "gradient_noise": 0.125,
        "gradient_noise_stderr": 0.013,
        "signal": None,
    }

    assert "0.weight 0.125 ± 0.013 - " in said(table)


def test_what_no_layer_has_is_left_out_with_the_reason():
    assert "update_norm: defined for one output, but the net has 2." in said(CLASSES)
    assert "Lemma 8" not in shown(CLASSES, 200)
    assert "Lemma 8" in shown(SCALAR, 200)


def test_a_number_that_says_nothing_is_not_shown():
    # A 3 x 3 weight is at distance 0 from rank 8, as every one of its shape is.
    assert CLASSES["layers"]["0.weight"]["distance_to_rank_2p"] == 0
    assert "to rank 2P" not in shown(CLASSES, 200)


def test_all_layers_together_come_last():
    assert "all layers" in shown(SCALAR)


def test_correlation_and_jitter_are_said():
    table = copy.deepcopy(SCALAR)
    table["correlation"]["stable_rank"] = 0.5
    table["margin_jitter"]["relative"] = 0.25

    assert "Rank correlation of noise with stable rank over layers: 0.50." in said(
        table
    )
    assert "Margins moved by 0.250 of their size since the earlier checkpoint." in said(
        table
    )


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_lines_stay_within_the_width_and_names_are_escaped(width):
    table = copy.deepcopy(SCALAR)
    table["layers"] = {
        f"{'a' * 80}\x1b[31m{i}": table["layers"]["0.weight"] for i in range(40)
    }
    lines = shown(table, width).splitlines()

    assert max(map(cells, lines)) <= width
    assert not any("\x1b" in line for line in lines)
    assert "… 14 layers more (in --format json)" in shown(table, width)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_columns_never_touch(width):
    table = copy.deepcopy(SCALAR)
    row = table["layers"]["0.weight"]
    row |= {"noise": 0.000170, "noise_stderr": 0.000057}
    row |= {"signal": -0.000558, "signal_stderr": 0.00022}
    lines = shown(table, width).splitlines()
    (titles,) = (line for line in lines if line.startswith("  layer  "))
    (first,) = (line for line in lines if line.startswith("  0.weight"))
    many = len(re.split(r"\s{2,}", titles.strip()))

    assert len(re.split(r"\s{2,}", first.strip())) == many
    assert "  -0.000558 ± 0.00022" in first


def test_reasons_that_differ_are_pointed_to():
    table = copy.deepcopy(SCALAR)
    for at, row in enumerate(table["layers"].values()):
        row["rank_bound"] = 100.0
        row["reasons"] = {"rank_bound": f"no rank exceeds {at}"}

    assert "rank_bound: of no layer; why is in --format json." in said(table)
