"""From a trained network to a certificate, and ends that are not the planned one."""

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file
from torch import nn

from boundkit.posthoc import refinement
from boundkit.posthoc.certificate import (
    CertificateFile,
    document,
    read_certificate,
    schema,
)
from boundkit.posthoc.drawing import draw
from boundkit.posthoc.published import certificate_path
from boundkit.posthoc.verifying import verify
from tests.posthoc.nets import cnn, mlp, sample, trained


def test_the_bound_holds_and_says_something(made):
    _, drawing = made
    found = drawing.certificate
    x, y = sample(20_000, seed=9)
    fresh = mlp()
    fresh.load_state_dict(drawing.state)
    true = float((fresh(x).argmax(1) != y).float().mean())

    assert true <= found.bound < 0.6
    assert found.error <= found.bound
    assert not found.vacuous
    assert found.reference["holdout_bound"] < found.bound
    assert found.own["bridge"]["bound_original"] >= found.bound
    assert found.delta + found.own["bridge"]["delta"] == pytest.approx(0.05, abs=1e-15)


def test_the_document_keeps_to_the_schema(made):
    Draft202012Validator(schema()).validate(document(made[1].certificate))


def test_the_file_is_what_was_returned(made):
    folder, drawing = made
    stored = torch.load(folder / "h.pt", weights_only=True)

    assert stored.keys() == drawing.state.keys()
    assert all(torch.equal(stored[k], drawing.state[k]) for k in stored)


def test_two_runs_are_the_same(net):
    first, second = (
        draw(net, data=sample(), steps=20, budget=600, draws=2) for _ in range(2)
    )

    assert first.certificate.bound == second.certificate.bound
    assert all(torch.equal(first.state[k], second.state[k]) for k in first.state)


def test_a_seed_of_the_system_is_recorded_and_differs(net):
    first, second = (
        draw(net, data=sample(), steps=0, budget=600, draws=1, system_seed=True)
        for _ in range(2)
    )

    assert first.certificate.own["seed"] != second.certificate.own["seed"]
    found = verify(first.certificate, dict(first.state), model=mlp(), data=sample())
    assert found.passed
    assert any("leaves no trace" in note for note in found.notes)


def test_batch_norm_and_safetensors(tmp_path):
    torch.manual_seed(0)
    y = torch.randint(2, (200,))
    x = torch.randn(200, 1, 4, 4) + y[:, None, None, None]
    net = trained(cnn, x, y, steps=40)
    drawing = draw(
        net, data=(x, y), steps=50, budget=600, out=tmp_path / "h.safetensors"
    )
    state = load_file(tmp_path / "h.safetensors")
    again = cnn().eval()

    again.load_state_dict(state)

    wrong = int((again(x).argmax(1) != y).sum())
    assert wrong <= drawing.certificate.errors
    path = certificate_path(tmp_path / "h.safetensors")
    assert verify(
        path, str(tmp_path / "h.safetensors"), model=cnn(), data=(x, y)
    ).passed


class Memorizer(nn.Module):
    """Knows every sample by heart and errs on everything else."""

    def __init__(self, x, y):
        super().__init__()
        self.keys = nn.Parameter(x.clone())
        self.values = nn.Parameter(y.float() * 2 - 1)

    def forward(self, x):
        near = torch.cdist(x, self.keys) < 1e-3
        known = (near * self.values).sum(1)
        return torch.where(near.any(1), known, -torch.sign(x[:, 0]))[:, None]


def test_the_memorizer_is_not_certified():
    source = torch.Generator().manual_seed(0)
    x = torch.randn(100, 3, generator=source)
    y = (x[:, 0] > 0).long()

    found = draw(Memorizer(x, y), data=(x, y), steps=30, budget=600).certificate

    # Its true error probability is 1.
    assert found.bound == 1


def test_random_labels_are_vacuous():
    x, _ = sample(300)
    y = torch.randint(3, (300,), generator=torch.Generator().manual_seed(1))
    net = trained(mlp, x, y, steps=400)

    found = draw(net, data=(x, y), steps=100, budget=600).certificate

    assert found.bound >= 2 / 3
    assert found.vacuous
    assert any("vacuous" in warning for warning in found.warnings)


def test_an_interruption_keeps_the_best_so_far(net, monkeypatch):
    advance = refinement._Descent.advance

    def interrupted(self, generator):
        if self.step == 30:
            raise KeyboardInterrupt
        advance(self, generator)

    monkeypatch.setattr(refinement._Descent, "advance", interrupted)
    found = draw(net, data=sample(), budget=600).certificate

    assert found.own["stopped"] == "interrupted"
    assert found.bound < 1
    assert any("interrupted" in warning for warning in found.warnings)


def test_a_budget_that_is_too_small_is_marked(net):
    found = draw(net, data=sample(), budget=1e-3).certificate

    assert found.own["stopped"] == "budget"
    assert found.own["posterior"]["steps"] == 0
    assert any("budget" in warning for warning in found.warnings)


def test_a_loss_that_diverges_falls_back(net, monkeypatch):
    monkeypatch.setattr(refinement, "_RATE", 1e20)
    found = draw(net, data=sample(), steps=400, budget=600).certificate

    assert found.own["stopped"] == "diverged"
    assert found.bound < 1
    assert any("diverged" in warning for warning in found.warnings)


def test_a_certificate_is_read_back(made):
    found = read_certificate(certificate_path(made[0] / "h.pt"))

    assert isinstance(found, CertificateFile)
    assert document(found) == document(made[1].certificate)
