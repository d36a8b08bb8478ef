import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError

from boundkit.errors import DataError
from boundkit.lab.documents import Reproduction, read, schema, to_csv, to_json
from boundkit.lab.exhibit import Claimed, Outcome


def found(path=Path("p1-fig3.json"), **changed):
    outcome = Outcome(
        claims=(
            Claimed("rho grows", "1 -> 2", True),
            Claimed("so", "?", None, "small"),
        ),
        tables={"main": ({"a": 1, "b": np.float64("nan")}, {"a": 2, "c": "x,y"})},
        series={"rho": np.array([1.0, np.inf]), "n": np.int64(3)},
        notes=("fewer images",),
    )
    settings = {
        "figure": "p1-fig3",
        "paper": "P1",
        "title": "rho",
        "scale": "small",
        "settings": "0",
        "images": "/data",
        "device": "cpu",
        "outcome": outcome,
        "runs": ({"folder": "runs/0"},),
        "seconds": 3.5,
        "path": path,
        "fresh": True,
    }
    return Reproduction(**(settings | changed))


def test_json_is_strict_and_what_is_not_finite_is_null():
    table = json.loads(to_json(found()), parse_constant=pytest.fail)

    assert table["schema"] == "boundkit.reproduction/1"
    assert table["outcome"]["series"] == {"rho": [1.0, None], "n": 3}
    assert table["outcome"]["tables"]["main"][0]["b"] is None
    assert "path" not in table


def test_documents_satisfy_the_schema():
    Draft202012Validator.check_schema(schema())
    validator = Draft202012Validator(schema())
    table = json.loads(to_json(found()))
    validator.validate(table)
    table["outcome"]["claims"][0]["holds"] = "yes"
    with pytest.raises(ValidationError, match="'yes' is not of type"):
        validator.validate(table)


def test_it_comes_back(tmp_path):
    path = tmp_path / "p1-fig3.json"
    path.write_bytes(to_json(found()))

    again = read(path)

    assert again.outcome.claims == found().outcome.claims
    assert again.path == path
    assert not again.fresh
    assert to_json(again) == to_json(found())


@pytest.mark.parametrize("content", ["{", "{}", '{"schema": "other/1"}'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)

    with pytest.raises(DataError, match="not a result of boundkit reproduce"):
        read(path)


def test_another_schema_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(to_json(found()).replace(b"reproduction/1", b"reproduction/9"))

    with pytest.raises(DataError, match="not a result of boundkit reproduce"):
        read(path)


def test_csv_has_the_columns_of_all_rows():
    text = to_csv(found().outcome.tables["main"]).decode()

    assert text == 'a,b,c\n1,,\n2,,"x,y"\n'


def test_what_diverged_is_undefined():
    outcome = Outcome((), {"main": ()}, {}, undefined=("training 0 diverged",))

    assert found(outcome=outcome).undefined
    assert not found().undefined
