"""Certificates as JSON: there and back, held to the schema, trusted in nothing."""

import json

import pytest
from jsonschema import Draft202012Validator

from boundkit.errors import DataError
from boundkit.posthoc.certificate import (
    CertificateFile,
    document,
    parsed,
    read_certificate,
    rendered,
    schema,
)


def certificate(**changed):
    values = {
        "kind": "holdout",
        "certifies": "the checkpoint that was given, as it is",
        "bound": 0.1,
        "delta": 0.05,
        "n": 100,
        "errors": 3,
        "classes": 3,
        "chance_error": 0.6,
        "complexity_nats": 0.0,
        "model": "net.py:make",
        "sha256_in": "a" * 64,
        "sha256_out": None,
        "data_sha256": "b" * 64,
        "premises": ("i.i.d.",),
        "own": {"selections": 1},
    }
    return CertificateFile(**values | changed)


def test_the_schema_is_one():
    Draft202012Validator.check_schema(schema())


def test_there_and_back():
    found = parsed(json.loads(rendered(certificate())), "c.json")

    assert document(found) == document(certificate())
    Draft202012Validator(schema()).validate(document(found))


@pytest.mark.parametrize(
    ("bound", "classes", "vacuous"),
    [(0.66, 3, False), (0.67, 3, True), (0.5, 2, True), (0.49, 1, False)],
)
def test_vacuous_is_no_better_than_guessing(bound, classes, vacuous):
    assert certificate(bound=bound, classes=classes).vacuous is vacuous


def test_numbers_that_are_not_finite_become_null():
    found = certificate(reference={"holdout_bound": float("nan")})

    assert document(found)["reference"] == {"holdout_bound": None}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "other"),
        ("bound", 1.5),
        ("bound", "0.1"),
        ("bound", True),
        ("delta", 0),
        ("n", 0),
        ("n", 10.5),
        ("errors", -1),
        ("premises", [1]),
        ("data_sha256", None),
        ("reference", []),
        ("complexity_nats", None),
    ],
)
def test_a_value_that_no_certificate_has_is_refused(key, value):
    found = document(certificate()) | {key: value}

    with pytest.raises(DataError, match=rf"c\.json: {key} is .*; make it again"):
        parsed(found, "c.json")


def test_more_errors_than_samples_are_refused():
    found = document(certificate()) | {"errors": 101}

    with pytest.raises(DataError, match="errors is 101 of 100 samples"):
        parsed(found, "c.json")


@pytest.mark.parametrize("found", [[], {}, {"schema": "boundkit.report/1"}, None])
def test_another_document_is_refused(found):
    with pytest.raises(DataError, match=r"not a boundkit\.certificate/1 document"):
        parsed(found, "c.json")


@pytest.mark.parametrize("text", ["", "{", '{"bound": NaN}', "[" * 100_000])
def test_broken_json_is_refused(tmp_path, text):
    path = tmp_path / "c.json"
    path.write_text(text)

    with pytest.raises(DataError, match="not a certificate"):
        read_certificate(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_certificate(tmp_path / "none.json")


def test_a_file_beyond_all_measure(tmp_path, monkeypatch):
    monkeypatch.setattr("boundkit.posthoc.certificate._LARGEST", 3)
    path = tmp_path / "c.json"
    path.write_text("{   }")

    with pytest.raises(DataError, match="larger than any certificate"):
        read_certificate(path)
