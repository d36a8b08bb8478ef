"""A certificate of a draw, recomputed and tampered with."""

import json
from dataclasses import replace

import pytest
import torch

from boundkit.errors import DataError, UsageError
from boundkit.posthoc.certificate import (
    document,
)
from boundkit.posthoc.drawing import draw
from boundkit.posthoc.verifying import verify
from tests.posthoc.checks import check
from tests.posthoc.nets import cnn, mlp, sample, trained


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


def test_the_model_that_a_certificate_names_is_not_run(made):
    certificate = replace(made[1].certificate, model="evil.py:make")

    with pytest.raises(UsageError, match=r"the certificate names 'evil\.py:make'"):
        verify(certificate, str(made[0] / "h.pt"), data=sample())


def test_statistics_that_are_put_back_are_found(tmp_path):
    x, y = torch.randn(100, 1, 4, 4), torch.randint(2, (100,))
    net = trained(cnn, x, y, steps=5)
    drawing = draw(net, data=(x, y), steps=0, budget=600)
    state = dict(drawing.state)
    state["1.running_mean"] = state["1.running_mean"] + 1

    found = verify(drawing.certificate, state, model=cnn(), data=(x, y))

    assert "what is not counted" in {c.name for c in found.checks if not c.holds}


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
