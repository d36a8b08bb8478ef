"""The bound on the original network, recomputed and tampered with."""

from dataclasses import replace

import pytest
import torch

from boundkit.errors import DataError, UsageError
from boundkit.posthoc.drawing import draw
from tests.posthoc.checks import both, check, fresh
from tests.posthoc.nets import sample


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
