"""``code`` as it is typed."""

import json

import numpy as np
import pytest
import torch
from boundkit_cli import exits
from boundkit_cli.app import run
from torch import nn

MODEL = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("typed")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    x = torch.randn(800, 6)
    y = (x[:, 0] > 0).long()
    adam = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(60):
        adam.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        adam.step()
    torch.save(net.state_dict(), place / "net.pt")
    (place / "net.py").write_text(MODEL)
    np.savez(place / "train.npz", x=x.numpy(), y=y.numpy())
    return place


def options(folder):
    return ["--model", f"{folder}/net.py:make", "--data", f"{folder}/train.npz"]


def test_code_then_verify_then_tamper(folder, capsys):
    out = folder / "coded.pt"
    done = run([
        "code",
        f"{folder}/net.pt",
        *options(folder),
        "--budget",
        "1s",
        "--out",
        f"{out}",
    ])
    told = capsys.readouterr()
    certificate = folder / "coded.pt.certificate.json"
    checked = run(["verify", f"{certificate}", f"{out}", *options(folder)])

    assert (done, checked) == (exits.DONE, exits.DONE)
    assert "the file coded.pt, not the checkpoint" in told.out
    assert "bits" in told.out
    text = json.loads(certificate.read_text())
    certificate.write_text(json.dumps(text | {"errors": text["errors"] + 1}))
    failed = run(["verify", f"{certificate}", f"{out}", *options(folder)])
    assert failed == exits.GATE_FAILED


def test_the_certificate_can_be_printed(folder, capsys):
    done = run([
        "code",
        f"{folder}/net.pt",
        *options(folder),
        "--budget",
        "0.5s",
        "--lowrank",
        "1",
        "--json",
    ])
    found = json.loads(capsys.readouterr().out)

    assert done == exits.DONE
    assert found["kind"] == "code"
    assert found["sha256_out"] is None


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--lowrank", "most"], "lowrank must be auto, none or a rank"),
        (["--lowrank", "0"], "lowrank must be auto, none or a rank"),
        (["--out", "weights.bin"], "its name must end in"),
    ],
)
def test_wrong_usage_is_one_line(folder, capsys, extra, message):
    done = run(["code", f"{folder}/net.pt", *options(folder), *extra])
    said = capsys.readouterr().err

    assert done == exits.USAGE
    assert message in said
    assert said.count("\n") == 1


def test_without_data_there_is_no_certificate(folder, capsys):
    done = run(["code", f"{folder}/net.pt", "--model", f"{folder}/net.py:make"])

    assert done == exits.USAGE
    assert "give --data" in capsys.readouterr().err
