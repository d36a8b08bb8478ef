from __future__ import annotations

import json

import jsonschema
import pytest

from boundkit.report.comparison_json import document, render, schema
from boundkit.report.escape import has_hidden
from tests.report.comparisons import COMPARISONS, covered, undefined

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

each_comparison = pytest.mark.parametrize("name", COMPARISONS)


def strict(text):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_a_schema_that_stands_by_itself():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    used = {
        word.removeprefix("#/$defs/")
        for word in json.dumps(SCHEMA).split('"')
        if word.startswith("#/")
    }

    assert used <= SCHEMA["$defs"].keys()


@each_comparison
def test_every_comparison_satisfies_the_schema(name):
    VALIDATOR.validate(document(COMPARISONS[name]()))


@pytest.mark.parametrize(
    "path", [("relative", "status"), ("checkpoints", 0, "rank"), ("pairs", 0, "order")]
)
def test_the_schema_sees_a_wrong_value(path):
    made = document(covered())
    *way, last = path
    place = made
    for step in way:
        place = place[step]
    place[last] = "perhaps"

    with pytest.raises(jsonschema.ValidationError, match="perhaps"):
        VALIDATOR.validate(made)


@each_comparison
def test_the_text_is_the_document_and_safe_to_look_at(name):
    made = COMPARISONS[name]()
    text = render(made)

    assert strict(text) == strict(json.dumps(document(made)))
    assert not any(has_hidden(line) for line in text.split("\n"))


def test_what_is_compared_stands_in_the_document():
    made = document(covered())
    first, second, third = made["checkpoints"]

    assert list(made) == [
        "schema",
        "boundkit",
        "conventions",
        "checkpoints",
        "layers",
        "relative",
        "pairs",
        "agreements",
        "certificates",
        "warnings",
        "seconds",
    ]
    assert [net["label"] for net in (first, second, third)] == ["A", "B", "C"]
    assert [net["rank"] for net in (first, second, third)] == [2, 1, 3]
    assert made["relative"]["ranking"] == [["B"], ["A"], ["C"]]
    assert made["relative"]["margin_loss"] == 0.01
    assert made["pairs"][0] == {
        "first": "A",
        "second": "B",
        "order": 1,
        "log10_factor": pytest.approx(0.2771212547, rel=1e-9),  # log10(3) - 0.2
        "test_order": 1,
    }
    assert made["layers"][0]["log10_ratio_to_first"] == pytest.approx([0, 0.1, 0.3])
    assert [row["bound"] for row in made["certificates"]] == [
        "sparse_cnn",
        "dense",
        "holdout",
    ]


def test_numbers_that_are_not_defined_are_null():
    made = document(undefined())

    assert made["checkpoints"][0]["rank"] is None
    assert made["relative"]["ranking"] == []
    assert made["pairs"][0]["order"] is None
