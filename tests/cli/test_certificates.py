"""``draw``, ``holdout`` and ``verify`` as they are typed."""

import json

import numpy as np
import pytest
import torch
from boundkit_cli import exits
from boundkit_cli.app import run
from jsonschema import Draft202012Validator

from boundkit.posthoc.certificate import schema
from boundkit.posthoc.statements import TERMS
from tests.posthoc.nets import mlp, sample, trained

MODEL = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("typed")
    x, y = sample(300)
    torch.save(trained(mlp, x, y).state_dict(), place / "net.pt")
    (place / "net.py").write_text(MODEL)
    np.savez(place / "train.npz", x=x.numpy(), y=y.numpy())
    x, y = sample(200, seed=3)
    np.savez(place / "test.npz", x=x.numpy(), y=y.numpy())
    np.savez(place / "fresh.npz", x=x.numpy())
    return place


def options(folder, data="train.npz"):
    return ["--model", f"{folder}/net.py:make", "--data", f"{folder}/{data}"]


def test_draw_then_verify_then_tamper(folder, capsys):
    out = folder / "h.pt"
    bridge = [
        "--unlabelled",
        f"{folder}/fresh.npz",
        "--test-data",
        f"{folder}/test.npz",
    ]
    code = run([
        "draw",
        f"{folder}/net.pt",
        *options(folder),
        *bridge,
        "--steps",
        "30",
        "--draws",
        "2",
        "--budget",
        "10m",
        "--out",
        f"{out}",
    ])
    said = capsys.readouterr()

    assert code == exits.DONE
    assert "With probability 96 %, the error probability is at most" in said.out
    assert "It is about the file h.pt, not the checkpoint" in said.out
    assert "With probability 95 %, the original net errs on at most" in said.out
    assert "hold-out bound" in said.out
    assert "wrote" in said.err

    certificate = f"{out}.certificate.json"
    again = ["verify", certificate, f"{out}", *options(folder)]
    whole = ["--original", f"{folder}/net.pt", "--unlabelled", f"{folder}/fresh.npz"]
    assert run([*again, *whole]) == exits.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "Verified: with probability 96 %" in said
    assert "with probability 95 %, the original net errs on at most" in said

    assert run(again) == exits.GATE_FAILED
    said = " ".join(capsys.readouterr().out.split())
    assert "NOT VERIFIED in full" in said
    assert "give --original and --unlabelled, or --without-bridge" in said

    assert run([*again, "--without-bridge"]) == exits.DONE
    assert "left aside as asked" in " ".join(capsys.readouterr().out.split())

    changed = json.loads((folder / "h.pt.certificate.json").read_text()) | {
        "bound": 0.0
    }
    (folder / "changed.json").write_text(json.dumps(changed))
    code = run(["verify", f"{folder}/changed.json", f"{out}", *options(folder), "-q"])
    assert code == exits.GATE_FAILED
    assert "NOT VERIFIED: 1 of" in capsys.readouterr().out


def test_json_on_stdout_is_the_certificate(folder, capsys):
    code = run([
        "draw",
        f"{folder}/net.pt",
        *options(folder),
        "--prior",
        "zero",
        "--steps",
        "0",
        "--draws",
        "1",
        "--budget",
        "600",
        "--json",
    ])

    assert code == exits.DONE
    Draft202012Validator(schema()).validate(json.loads(capsys.readouterr().out))


def test_holdout(folder, capsys):
    arguments = ["holdout", f"{folder}/net.pt", *options(folder, "test.npz")]
    assert run([*arguments, "--out", f"{folder}/c.json"]) == exits.DONE
    assert "of 200 held-out samples" in " ".join(capsys.readouterr().out.split())
    assert run([*arguments, "--json", "--selections", "2"]) == exits.DONE
    assert json.loads(capsys.readouterr().out)["selections"] == 2
    verified = ["verify", f"{folder}/c.json", f"{folder}/net.pt"]
    assert run([*verified, *options(folder, "test.npz")]) == exits.DONE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", "net.pt", "--prior", "one"], "give --prior zero, or --init CKPT"),
        (["draw", "net.pt", "--budget", "soon"], "a time such as 60s or 2m"),
        (["draw", "net.pt"], "draw needs the training sample"),
        (
            ["verify", "c.json", "net.pt"],
            "give the sample that the certificate rests on",
        ),
        (["holdout", "net.pt"], "samples that training has not seen"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, capsys):
    assert run(arguments) == exits.USAGE
    said = capsys.readouterr().err

    assert message in said
    assert said.count("\n") == 1


def test_a_certificate_that_is_none(folder, capsys):
    code = run(["verify", f"{folder}/net.py", f"{folder}/net.pt", *options(folder)])

    assert code == exits.UNREADABLE
    assert "not a certificate" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["draw", "code", "holdout"])
def test_they_are_explained(name, capsys):
    assert run(["explain", name]) == exits.DONE
    said = capsys.readouterr().out

    assert "With probability at least 1 - delta" in said
    assert f"Terms, as `boundkit {name}` writes them" in said
    # Every key that only this kind has, as the schema lists them.
    listed = {key for line in TERMS[name] for key in line[0].split(", ")}
    assert set(schema()["$defs"][name]["required"]) <= listed
    assert all(f"- {line[0]}: " in said for line in TERMS[name])


def test_other_bounds_have_no_terms(capsys):
    assert run(["explain", "dense"]) == exits.DONE
    assert "Terms, as" not in capsys.readouterr().out
