from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

import boundkit
from boundkit.report.comparison_json import schema
from tests.report.comparisons import COMPARISONS, covered

FIXTURES = Path(__file__).parents[2] / "fixtures"
ZIP = str(FIXTURES / "containers/zip_bare.pt")
HALF = str(FIXTURES / "containers/bfloat16.pt")
SORTED = str(FIXTURES / "containers/single.safetensors")


@pytest.fixture
def compared(monkeypatch):
    """Replace the comparison by a hand-made one; returns the calls that were made."""
    calls = []

    def install(name="covered"):
        def compare(sources, **options):
            calls.append((sources, options))
            return COMPARISONS[name]()

        monkeypatch.setattr(boundkit, "compare", compare, raising=False)
        return calls

    return install


DEFAULTS = {
    "model": None,
    "data": None,
    "test_data": None,
    "n": None,
    "input_norm": 1.0,
    "input_shape": None,
    "delta": 0.05,
    "gamma": "auto",
    "margin_loss": None,
    "device": "auto",
    "batch_size": 256,
    "key": None,
    "trust": False,
    "progress": None,
}


def test_defaults_are_those_of_the_library(compared):
    calls = compared()

    assert run(["compare", "a.pt", "b.pt", "c.pt"]) == exits.DONE
    assert calls == [(["a.pt", "b.pt", "c.pt"], DEFAULTS)]


def test_every_option_reaches_the_library(compared):
    calls = compared()
    code = run([
        *["compare", "a.pt", "b.pt", "--model", "m:f", "--data", "d.npz"],
        *["--test-data", "t.npz", "--n", "7", "--input-norm", "2"],
        *["--input-shape", "1,28,28", "--delta", "0.01", "--gamma", "0.5"],
        *["--margin-loss", "0.1", "--device", "cpu", "--batch-size", "3"],
        *["--key", "ema", "--trust"],
    ])

    assert code == exits.DONE
    assert calls[0][1] == {
        "model": "m:f",
        "data": "d.npz",
        "test_data": "t.npz",
        "n": 7,
        "input_norm": 2.0,
        "input_shape": (1, 28, 28),
        "delta": 0.01,
        "gamma": 0.5,
        "margin_loss": 0.1,
        "device": "cpu",
        "batch_size": 3,
        "key": "ema",
        "trust": True,
        "progress": None,
    }


def test_text_is_printed_by_default(compared, capsys):
    compared()
    run(["compare", "a.pt", "b.pt"])

    assert capsys.readouterr() == (repr(covered()), "")


def test_trust_is_said_loudly(compared, capsys):
    compared()
    run(["compare", "a.pt", "b.pt", "--trust", "--quiet"])

    assert (
        "warning: --trust lets code inside the checkpoints" in capsys.readouterr().err
    )


def test_numbers_that_are_not_finite_exit_four(compared):
    compared("undefined")

    assert run(["compare", "a.pt", "b.pt"]) == exits.UNDEFINED


def test_real_files_become_json_that_satisfies_the_schema(capsys):
    code = run(["compare", ZIP, HALF, SORTED, "--n", "11800", "--format", "json"])
    made = json.loads(capsys.readouterr().out)

    assert code == exits.DONE
    jsonschema.Draft202012Validator(schema()).validate(made)
    assert [net["checkpoint"]["source"] for net in made["checkpoints"]] == [
        *(ZIP, HALF, SORTED)
    ]
    assert ["A", "C"] in made["relative"]["ranking"]


def test_several_formats_go_to_files_whole(capsys, tmp_path):
    path = tmp_path / "c.json"
    code = run(["compare", ZIP, HALF, "--format", "text", "--format", f"json={path}"])
    out, err = capsys.readouterr()

    assert code == exits.DONE
    assert out.startswith("boundkit 0.1.0 · 2 checkpoints of one architecture\n")
    assert err == f"boundkit: wrote {path}\n"
    assert json.loads(path.read_bytes())["schema"] == "boundkit.comparison/1"


@pytest.mark.parametrize("at", [0, 1])
def test_no_checkpoint_is_overwritten(at, tmp_path, capsys):
    copies = [tmp_path / "a.pt", tmp_path / "b.pt"]
    for copy in copies:
        copy.write_bytes(Path(ZIP).read_bytes())
    code = run(["compare", *map(str, copies), "--output", str(copies[at])])

    assert code == exits.USAGE
    assert "it is the checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([ZIP], exits.USAGE, "at least two checkpoints, but got 1"),
        (
            [ZIP, str(FIXTURES / "checkpoints/mlp.pt")],
            exits.USAGE,
            "'hidden.weight' is linear 100x784, not linear 8x392",
        ),
        ([ZIP, HALF, "--margin-loss", "0.3"], exits.USAGE, "margin_loss must be one"),
        ([ZIP, HALF, "--margin-loss", "0.1"], exits.USAGE, "give --data and --model"),
        ([ZIP, HALF, "--format", "yaml"], exits.USAGE, "must be one of text, json"),
        (
            [ZIP, str(FIXTURES / "containers/truncated.pt")],
            exits.UNREADABLE,
            "containers/truncated.pt: ",
        ),
        ([ZIP, "no.pt"], exits.UNREADABLE, "no.pt: no such file"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_its_exit_code(
    arguments, code, said, capsys
):
    assert run(["compare", *arguments]) == code
    out, err = capsys.readouterr()

    assert not out
    assert said in err
    assert err.count("\n") == 1
