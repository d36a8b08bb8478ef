"""From a trained network to a verified certificate, and everything that may go wrong."""

import json
from dataclasses import replace

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file
from torch import nn

from boundkit.errors import DataError, ModelError, UsageError
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


@pytest.fixture(scope="module")
def net():
    return trained(mlp, *sample())


@pytest.fixture(scope="module")
def made(net, tmp_path_factory):
    """Return a folder with a certified file and its certificate."""
    folder = tmp_path_factory.mktemp("certified")
    torch.save(net.state_dict(), folder / "net.pt")
    torch.save(mlp().state_dict(), folder / "init.pt")
    drawing = draw(
        folder / "net.pt",
        model=mlp(),
        data=sample(),
        init=str(folder / "init.pt"),
        test_data=sample(500, seed=5),
        unlabelled=sample(400, seed=6)[0],
        budget=60,
        steps=150,
        draws=4,
        out=folder / "h.pt",
    )
    return folder, drawing


def check(folder, certificate=None, weights=None, data=None, **bridge):
    found = verify(
        certificate or folder / "h.pt.certificate.json",
        weights or str(folder / "h.pt"),
        model=mlp(),
        data=data or sample(),
        **bridge or {"without_bridge": True},
    )
    return found, {one.name for one in found.checks if not one.holds}


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


def test_a_true_certificate_is_verified(made):
    found, wrong = check(made[0])

    assert wrong == set()
    assert found.passed


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"n": 599}, "sample size"),
        ({"bound": 0.01}, "bound"),
        ({"errors": 1}, "errors"),
        ({"delta": 0.9}, "delta share"),
        ({"complexity_nats": 1.0}, "complexity"),
        ({"data_sha256": "0" * 64}, "data"),
        ({"sha256_out": "0" * 64}, "weights"),
    ],
)
def test_a_changed_number_is_found(made, change, expected):
    certificate = replace(made[1].certificate, **change)

    assert expected in check(made[0], certificate)[1]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("seed",), "ab" * 32, "seed"),
        (("seed",), "not hex", "seed"),
        (("chosen",), 0, "weights are the draw"),
        (("draws",), 5, "delta share"),
        (("log_ratio",), 0.0, "log ratio"),
        (("union_nats",), 0.0, "union"),
        (("union_nats",), None, "union"),
        (("prior", "grid"), [0.1, 1.0], "prior grid"),
        (("prior", "shift_index"), 3, "weights are the draw"),
        (("prior", "sha256"), "0" * 64, "prior center"),
        (("prior", "center"), "zero", "prior center"),
        (("prior", "groups", 0, "scale_index"), 1, "log ratio"),
        (("prior", "groups", 0, "scale_count"), 2000, "prior groups"),
        (("prior", "groups", 0, "name"), "other", "counted tensors"),
        (("posterior", "sha256"), "0" * 64, "posterior"),
        (("seed_rule",), "a lucky number", "seed rule"),
    ],
)
def test_a_changed_key_is_found(made, path, value, expected):
    own = json.loads(json.dumps(document(made[1].certificate)))
    keys = {k: own[k] for k in made[1].certificate.own}
    place = keys
    for key in path[:-1]:
        place = place[key]
    if path == ("chosen",):
        value = (keys["chosen"] + 1) % keys["draws"]
    place[path[-1]] = value
    certificate = replace(made[1].certificate, own=keys)

    assert expected in check(made[0], certificate)[1]


def test_one_flipped_weight_is_found(made, tmp_path):
    state = torch.load(made[0] / "h.pt", weights_only=True)
    state["0.weight"][2, 3] *= -1
    torch.save(state, tmp_path / "h.pt")

    assert {"weights", "weights are the draw", "log ratio"} <= check(
        made[0], weights=str(tmp_path / "h.pt")
    )[1]


def test_other_data_are_found(made):
    assert "data" in check(made[0], data=sample(seed=3))[1]


@pytest.mark.parametrize("key", ["prior", "posterior", "draws", "chosen", "seed"])
def test_a_certificate_without_its_keys_is_refused(made, key):
    own = {k: v for k, v in made[1].certificate.own.items() if k != key}

    with pytest.raises(DataError, match=f"has no usable '{key}'"):
        check(made[0], replace(made[1].certificate, own=own))


@pytest.mark.parametrize(
    ("mean", "message"),
    [
        (None, "not there or not base64"),
        ("AAAA", "posterior has 0 entries, but the model has 83"),
    ],
)
def test_a_posterior_that_does_not_fit_is_refused(made, mean, message):
    own = dict(made[1].certificate.own)
    own["posterior"] = {**own["posterior"], "mean": mean}

    with pytest.raises(DataError, match=message):
        check(made[0], replace(made[1].certificate, own=own))


def test_an_init_that_is_gone_is_asked_for(made):
    own = dict(made[1].certificate.own)
    own["prior"] = {**own["prior"], "source": None}

    with pytest.raises(UsageError, match="centered at an init: give --init"):
        check(made[0], replace(made[1].certificate, own=own))


def fresh():
    return sample(400, seed=6)[0]


def both(folder, **changed):
    return {"original": folder / "net.pt", "unlabelled": fresh()} | changed


def test_the_bridge_is_recomputed(made):
    found, wrong = check(made[0], **both(made[0]))
    bridge = made[1].certificate.own["bridge"]

    assert wrong == set()
    assert found.passed
    assert found.original == (
        bridge["bound_original"],
        pytest.approx(0.05, abs=1e-15),
    )
    assert {"original weights", "fresh inputs", "disagreements"} <= {
        one.name for one in found.checks
    }


def test_a_bridge_that_is_not_recomputed_does_not_pass(made):
    found, wrong = check(made[0], without_bridge=False)

    assert wrong == set()
    assert not found.passed
    assert "the bridge" in found.unchecked[0]


def test_a_bridge_that_is_left_aside_is_told(made):
    found, _ = check(made[0])

    assert found.passed
    assert any("left aside as asked" in note for note in found.notes)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("disagreements", 0, "disagreements"),
        ("samples", 4000, "fresh sample size"),
        ("bound_original", 0.01, "bound on the original"),
        ("disagreement_bound", 0.0, "disagreement bound"),
        ("disagreement_bound", None, "disagreement bound"),
        ("delta", 0.9, "disagreement bound"),
        ("sha256", "0" * 64, "fresh inputs"),
        ("known", 1, "fresh inputs known to training"),
    ],
)
def test_a_changed_bridge_is_found(made, key, value, expected):
    own = dict(made[1].certificate.own)
    own["bridge"] = {**own["bridge"], key: value}
    certificate = replace(made[1].certificate, own=own)

    assert expected in check(made[0], certificate, **both(made[0]))[1]


def test_another_original_is_found(made):
    other = both(made[0], original=made[0] / "init.pt")

    assert {"original weights", "disagreements"} <= check(made[0], **other)[1]


def test_other_fresh_inputs_are_found(made):
    other = both(made[0], unlabelled=sample(400, seed=7)[0])

    assert "fresh inputs" in check(made[0], **other)[1]


@pytest.mark.parametrize(
    "bridge",
    [
        [],
        {"samples": 3},
        {"samples": 3, "disagreements": 4, "delta": 0.01},
        {"samples": 3, "disagreements": 1, "delta": 2.0},
        {"samples": "3", "disagreements": 1, "delta": 0.01},
    ],
)
def test_a_bridge_that_is_none_is_refused(made, bridge):
    own = {**made[1].certificate.own, "bridge": bridge or [1]}
    certificate = replace(made[1].certificate, own=own)

    with pytest.raises(DataError, match="bridge has no usable samples"):
        check(made[0], certificate, **both(made[0]))


@pytest.mark.parametrize("half", ["original", "unlabelled"])
def test_half_a_bridge_is_refused(made, half):
    given = {half: both(made[0])[half]}

    with pytest.raises(UsageError, match="give both --original and --unlabelled"):
        check(made[0], **given)


def test_a_bridge_for_a_certificate_without_one_is_refused(made):
    own = {**made[1].certificate.own, "bridge": None}

    with pytest.raises(UsageError, match="has no bridge to an original network"):
        check(made[0], replace(made[1].certificate, own=own), **both(made[0]))


def test_training_inputs_are_no_fresh_inputs(net):
    with pytest.raises(DataError, match="600 of 600 inputs are in the training sample"):
        draw(net, data=sample(), unlabelled=sample()[0], budget=600)


def test_some_known_inputs_are_told(net):
    some = torch.cat([sample()[0][:3], fresh()])
    found = draw(
        net, data=sample(), unlabelled=some, steps=0, draws=1, budget=600
    ).certificate

    assert found.own["bridge"]["known"] == 3
    assert any("3 of 403 unlabelled inputs" in told for told in found.warnings)


def test_an_init_in_memory_is_asked_for_again(net):
    found = draw(net, data=sample(), init=mlp(), steps=0, draws=1, budget=600)

    assert found.certificate.own["prior"]["source"] is None
    with pytest.raises(UsageError, match="centered at an init: give --init"):
        verify(found.certificate, dict(found.state), model=mlp(), data=sample())
    assert verify(
        found.certificate, dict(found.state), model=mlp(), data=sample(), init=mlp()
    ).passed


def test_the_batch_size_of_a_verification(made):
    with pytest.raises(UsageError, match="batch_size must be at least 1, but got 0"):
        check(made[0], batch_size=0, without_bridge=True)


def test_the_model_that_a_certificate_names_is_not_run(made):
    certificate = replace(made[1].certificate, model="evil.py:make")

    with pytest.raises(UsageError, match=r"the certificate names 'evil\.py:make'"):
        verify(certificate, str(made[0] / "h.pt"), data=sample())


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


def test_statistics_that_are_put_back_are_found(tmp_path):
    x, y = torch.randn(100, 1, 4, 4), torch.randint(2, (100,))
    net = trained(cnn, x, y, steps=5)
    drawing = draw(net, data=(x, y), steps=0, budget=600)
    state = dict(drawing.state)
    state["1.running_mean"] = state["1.running_mean"] + 1

    found = verify(drawing.certificate, state, model=cnn(), data=(x, y))

    assert "what is not counted" in {c.name for c in found.checks if not c.holds}


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


def test_an_init_that_has_seen_the_sample_is_refused(net):
    with pytest.raises(UsageError, match=r"init errs on .* it has been trained"):
        draw(net, data=sample(), init=net, budget=600)


def test_an_init_whose_batch_norm_has_counted_is_refused():
    x, y = torch.randn(100, 1, 4, 4), torch.randint(2, (100,))
    net = trained(cnn, x, y, steps=3)

    with pytest.raises(UsageError, match="BatchNorm '1' has counted 3 batches"):
        draw(net, data=(x, y), init=net, budget=600)


def test_no_training_data(net):
    with pytest.raises(UsageError, match="draw needs the training sample: give --data"):
        draw(net, data=None)


def test_no_model():
    with pytest.raises(UsageError, match="needs the model that the weights belong to"):
        draw(mlp().state_dict(), data=sample())


def test_labels_that_do_not_fit(net):
    x, y = sample()
    with pytest.raises(DataError, match="labels run from 5 to 7, but the model has 3"):
        draw(net, data=(x, y + 5))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("delta", 0),
        ("delta", 1.0),
        ("budget", 0),
        ("steps", -1),
        ("draws", 0),
        ("batch_size", 0),
    ],
)
def test_numbers_out_of_range(net, option, value):
    with pytest.raises(UsageError, match=rf"{option} must .*, but got"):
        draw(net, data=sample(), **{option: value})


@pytest.mark.parametrize(
    ("out", "message"),
    [("h.bin", "must end in .pt"), ("no/h.pt", "does not exist"), ("", "must end in")],
)
def test_a_place_that_cannot_take_the_weights(net, tmp_path, out, message):
    with pytest.raises(UsageError, match=message):
        draw(net, data=sample(), out=tmp_path / out)


def test_the_checkpoint_is_not_overwritten(made):
    path = made[0] / "net.pt"
    with pytest.raises(UsageError, match="it is the checkpoint itself"):
        draw(path, model=mlp(), data=sample(), out=path)


def test_a_certificate_is_read_back(made):
    found = read_certificate(certificate_path(made[0] / "h.pt"))

    assert isinstance(found, CertificateFile)
    assert document(found) == document(made[1].certificate)


def test_batch_statistics_are_refused():
    net = nn.Sequential(nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 3))
    with pytest.raises(ModelError, match="keeps no running statistics"):
        draw(net, data=sample())
