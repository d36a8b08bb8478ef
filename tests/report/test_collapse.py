"""Neural collapse in reports: the schema holds what is measured, the text its core."""

import jsonschema
import numpy as np
import pytest

from boundkit.collapsing import collapse
from boundkit.measure.collapse import MEASURES, section
from boundkit.report.json import document, schema
from boundkit.report.text import render
from boundkit.report.wording import significant
from tests.measure.collapse.samples import collapsed, drawn
from tests.report.reports import report

VALIDATOR = jsonschema.Draft202012Validator(schema())
SAMPLES = {
    "balanced": drawn((9, 9, 9), 4),
    "empty class": drawn((9, 0, 4), 4),
    "one output": drawn((9, 5), 4, outputs=1),
    "collapsed": collapsed(),
    "constant": (np.ones((4, 2)), [0, 1, 0, 1]),
    "large": drawn((1,) * 70, 3),
}


def with_collapse(train, test=None):
    return report(collapse=section(train, test))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_satisfies_the_schema(name):
    found = collapse(*SAMPLES[name])
    made = document(with_collapse(found, found))

    VALIDATOR.validate(made)
    assert not [w for w in made["warnings"] if w["code"] == "non-finite"]


def test_the_schema_names_every_measure_and_no_other():
    held = schema()["$defs"]["collapse_sample"]

    def paths(table, prefix=""):
        for name, part in table.get("properties", {}).items():
            if part == {"type": ["number", "null"]}:
                yield prefix + name
            yield from paths(part, f"{prefix}{name}.")

    assert set(paths(held)) == {one.name for one in MEASURES}


def test_a_table_of_another_shape_does_not():
    made = document(with_collapse(collapse(*SAMPLES["balanced"])))
    del made["collapse"]["mse"]["l_perp"]

    with pytest.raises(jsonschema.ValidationError, match="l_perp"):
        VALIDATOR.validate(made)


def test_the_text_shows_both_samples_side_by_side():
    train, test = (collapse(*SAMPLES[name]) for name in ("collapsed", "empty class"))
    lines = render(with_collapse(train, test), 100).splitlines()
    rows = {line[:42].strip(): line[42:].split() for line in lines if line[42:].strip()}

    assert rows["Neural collapse"] == ["training", "held-out"]
    assert rows["NC4  not the nearest mean's class"][0] == "0"
    assert rows["square loss of the last layer"][1] == significant(test["mse.total"])
    assert "cosine to difference of means" not in rows
    assert any("are left out: 1 of 3 (held-out)" in line for line in lines)


def test_a_net_with_one_output_shows_its_cosine():
    text = render(with_collapse(collapse(*SAMPLES["one output"])), 80)

    assert "cosine to difference of means" in text
    assert "held-out" not in text.split("Neural collapse")[1].splitlines()[0]


def test_without_collapse_there_is_no_table():
    assert "Neural collapse" not in render(report())
