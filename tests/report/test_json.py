from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath

import jsonschema
import numpy as np
import pytest

from boundkit.report.escape import has_hidden
from boundkit.report.json import SPECTRAL_COLUMNS, document, render, schema
from boundkit.report.model import Certificates, Rho
from tests.report.reports import REPORTS, certificate, proved, report

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

each_report = pytest.mark.parametrize("name", REPORTS)


def strict(text):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@each_report
def test_every_report_satisfies_the_schema(name):
    VALIDATOR.validate(document(REPORTS[name]()))


@each_report
def test_the_text_is_the_document(name):
    made = REPORTS[name]()

    assert strict(render(made)) == document(made)


@each_report
def test_the_text_is_safe_to_look_at(name):
    lines = render(REPORTS[name]()).encode("utf-8").decode("utf-8").split("\n")

    assert not any(has_hidden(line) for line in lines)


def test_keys_stand_in_the_order_of_the_contract():
    assert list(document(proved())) == [
        "schema",
        "boundkit",
        "checkpoint",
        "conventions",
        "ledger",
        "coverage",
        "layers",
        "rho",
        "measurements",
        "certificates",
        "margins",
        "collapse",
        "noise",
        "warnings",
        "seconds",
    ]


def test_a_layer_has_all_thirteen_columns():
    layer = document(report())["layers"][0]

    assert len({"rho", "log10_rho", *SPECTRAL_COLUMNS}) == 13
    assert {"rho", "log10_rho", *SPECTRAL_COLUMNS} <= layer.keys()
    assert layer["spectral_norm"] == 1.9
    assert layer["nuclear_norm"] is None


def test_rho_counts_its_factors():
    folded = document(REPORTS["deep"]())["rho"]

    assert folded == {
        "stored": {"log10": 4417.2, "value": None},
        "folded": {"log10": 2.0, "value": 100.0},
        "layers": 500,
    }
    assert document(report())["rho"]["folded"] is None


def test_certificates_carry_vacuous():
    made = {one["bound"]: one for one in document(proved())["certificates"]}

    assert not made["sparse_cnn"]["vacuous"]
    assert made["toeplitz"]["vacuous"]
    assert made["bartlett2017"]["value"] is None
    assert made["bartlett2017"]["log10"] == 400.2


def test_a_number_that_is_not_finite_is_null_and_named():
    made = report(margins={"deep": {"mean": float("nan")}, "all": [1.0, float("inf")]})

    found = document(made)

    assert found["margins"] == {"deep": {"mean": None}, "all": [1.0, None]}
    assert [(w["code"], w["message"]) for w in found["warnings"]] == [
        ("non-finite", "margins.deep.mean is not finite; it stands as null"),
        ("non-finite", "margins.all[1] is not finite; it stands as null"),
    ]
    VALIDATOR.validate(found)


def test_an_overflow_with_its_logarithm_beside_it_is_no_warning():
    large = certificate(value=float("inf"), log10=400.0)

    found = document(
        report(certificates=Certificates((large,)), rho_stored=Rho(999.0, float("inf")))
    )

    assert found["certificates"][0]["value"] is None
    assert found["rho"]["stored"] == {"log10": 999.0, "value": None}
    assert found["warnings"] == []


def test_arrays_and_foreign_scalars_become_plain():
    made = report(
        noise={
            "array": np.array([1.0, 2.0]),
            "single": np.float32(0.5),
            "count": np.int64(3),
            "flag": np.bool_(True),
            "path": PurePosixPath("a/b"),
            "tuple": (1, None),
        }
    )

    assert document(made)["noise"] == {
        "array": [1.0, 2.0],
        "single": 0.5,
        "count": 3,
        "flag": True,
        "path": "a/b",
        "tuple": [1, None],
    }


def test_a_lone_surrogate_is_spelled_out():
    made = report(checkpoint=replace(report().checkpoint, source="a\udcff.pt"))

    assert strict(render(made))["checkpoint"]["source"] == r"a\udcff.pt"


def test_terminal_commands_in_names_are_json_escapes():
    made = report(checkpoint=replace(report().checkpoint, source="\x1b[2J\u202eé\x9b"))

    text = render(made)

    assert r'"source": "\u001b[2J\u202eé\u009b"' in text
    assert strict(text)["checkpoint"]["source"] == "\x1b[2J\u202eé\x9b"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"coverage": 1.5},
        {"schema": "boundkit.report/2"},
        {"layers": [{"name": "x"}]},
        {"certificates": [{"status": "maybe"}]},
        {"seconds": {"total": None}},
    ],
)
def test_the_schema_is_strict(change):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document(report()) | change)


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_the_schema_requires_every_key(key):
    found = document(report())
    del found[key]

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required"):
        VALIDATOR.validate(found)


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        ("valid", {"holds": None}),
        ("valid", {"holds": False}),
        ("assumed", {"holds": True}),
        ("invalid", {"holds": None, "value": None}),
        ("invalid", {"holds": False, "value": 0.5}),
        ("unavailable", {"holds": True, "value": None, "note": ""}),
    ],
)
def test_the_schema_ties_a_status_to_its_assumptions(status, changes):
    made = certificate(status=status, value=changes.get("value", 0.5))
    found = document(report(certificates=Certificates((made,))))
    found["certificates"][0]["assumptions"][0]["holds"] = changes["holds"]

    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(found)
