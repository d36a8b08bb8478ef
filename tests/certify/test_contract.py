"""Laws that every bound of the catalog obeys."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify import BOUNDS
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired

IDS = [bound.id for bound in BOUNDS]
NORM_BOUNDS = [bound for bound in IDS if bound != "holdout"]
STATUSES = {"valid", "assumed", "invalid", "unavailable"}
RNG = np.random.default_rng(0)
MARGINS = RNG.normal(1.5, 0.5, 4000)


def dense(scale=1.0, bias=False):
    module = mlp(6, 5, 1, bias=bias)
    module[0].weight.data *= scale
    return wired(module, (6,))


def local(scale=1.0):
    module = cnn()
    module[0].weight.data *= scale
    return wired(module, (1, 6))


def network_for(bound, scale=1.0):
    return dense(scale) if bound == "dense" else local(scale)


def sample(count=1, energy=1.0):
    return seen(0, np.tile(MARGINS, count), energy=energy)


CASES = {
    "dense": (dense(), sample()),
    "convolution": (local(), sample()),
    "biases": (dense(bias=True), sample()),
    "tensors alone": (stored(mlp(6, 5, 1)), told(4000)),
    "convolution alone": (stored(cnn()), told(4000)),
    "no sample": (dense(), None),
    "batch norm": (
        stored(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))),
        told(100),
    ),
    "embedding": (
        stored(nn.Sequential(nn.Embedding(9, 3), nn.Linear(3, 1))),
        told(100),
    ),
    "lstm": (stored(nn.Sequential(nn.LSTM(3, 3), nn.Linear(3, 1))), told(100)),
    "residual": (
        wired(
            type(
                "Residual",
                (nn.Module,),
                {
                    "__init__": lambda s: (
                        nn.Module.__init__(s),
                        setattr(s, "a", nn.Linear(3, 3, bias=False)),
                    )[0],
                    "forward": lambda s, x: x + s.a(x),
                },
            )(),
            (3,),
        ),
        told(100),
    ),
}


def test_ids_are_unique_and_words():
    assert len(set(IDS)) == len(IDS)
    assert all(i.isidentifier() for i in IDS)


@pytest.mark.parametrize("bound", BOUNDS, ids=IDS)
def test_every_bound_says_what_it_is(bound):
    assert bound.title
    assert bound.statement.endswith(".")
    assert bound.assumptions
    assert bound.premises
    assert bound.citation


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("bound", IDS)
def test_status_follows_from_the_assumptions(bound, case):
    network, evidence = CASES[case]
    found = certificate(bound, network, evidence)
    states = {a.holds for a in found.assumptions}

    assert found.status in STATUSES
    if False in states:
        assert found.status == "invalid"
    elif found.status != "unavailable":
        assert found.status == ("assumed" if None in states else "valid")
    if found.status in {"invalid", "unavailable"}:
        assert (found.value, found.log10, found.vacuous) == (None, None, True)
    else:
        np.testing.assert_allclose(math.log10(found.value), found.log10, rtol=1e-9)
    assert found.source == next(b for b in BOUNDS if b.id == bound).citation
    assert not any(
        isinstance(v, float) and not math.isfinite(v) for v in found.terms.values()
    )


@pytest.mark.parametrize("bound", IDS)
def test_what_is_unavailable_names_the_option(bound):
    found = certificate(bound, network_for(bound), None)

    assert found.status == "unavailable"
    assert "--" in found.note


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_traced_and_measured_is_valid(bound):
    assert certificate(bound, network_for(bound), sample()).status == "valid"


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_more_samples_lower_the_bound(bound):
    network = network_for(bound)
    values = [certificate(bound, network, sample(k)).value for k in (1, 2, 5, 25)]

    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 2


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_larger_weights_raise_the_bound(bound):
    values = [
        certificate(bound, network_for(bound, scale), sample()).value
        for scale in (0.1, 1, 3, 10, 100)
    ]

    assert values == sorted(values)
    assert values[0] < values[-1] / 2


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_larger_inputs_raise_the_bound(bound):
    network = network_for(bound)
    low, high = (certificate(bound, network, sample(energy=e)).value for e in (1, 9))

    assert low < high


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_more_risk_lowers_the_bound(bound):
    network = network_for(bound)
    values = [
        certificate(bound, network, sample(), delta=d).value
        for d in (1e-9, 0.01, 0.05, 0.3)
    ]

    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_a_free_margin_is_never_worse_than_a_fixed_one(bound):
    network = network_for(bound)
    free = certificate(bound, network, sample()).value
    fixed = [
        certificate(bound, network, sample(), gamma=g).value for g in (0.2, 1, 1.7)
    ]

    assert free <= min(fixed) * (1 + 1e-12)


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_the_scale_of_the_outputs_does_not_matter(bound):
    network = network_for(bound, 1.0)
    larger = network_for(bound, 2.0)
    evidence = sample()
    doubled = dataclasses.replace(evidence, margins=2 * evidence.margins)

    np.testing.assert_allclose(
        certificate(bound, larger, doubled).value,
        certificate(bound, network, evidence).value,
        # The grid of norms is not moved by exactly 2.
        rtol=0.03,
    )


@pytest.mark.parametrize("bound", NORM_BOUNDS)
@pytest.mark.parametrize("scale", [0.3, 1, 40])
def test_n_needed_is_where_the_bound_crosses_one(bound, scale):
    network = network_for(bound, scale)
    needed = certificate(bound, network, told(10)).terms["n_needed"]

    assert certificate(bound, network, told(needed)).value < 1
    assert certificate(bound, network, told(int(needed * 0.98))).value >= 1


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_n_needed_does_not_need_n(bound):
    network = network_for(bound)
    without = certificate(bound, network, None).terms
    with_n = certificate(bound, network, told(10)).terms

    assert without["n_needed"] == with_n["n_needed"]


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_errors_are_paid_in_full(bound):
    evidence = sample()
    wrong = dataclasses.replace(evidence, margins=-np.abs(evidence.margins))

    assert certificate(bound, network_for(bound), wrong).value >= 1


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_the_bound_is_at_least_the_training_error(bound):
    margins = np.where(np.arange(4000) < 400, -0.1, 50.0)
    found = certificate(bound, network_for(bound, 0.01), seen(0, margins))

    assert 0.1 < found.value < 0.5


@pytest.mark.parametrize("bound", NORM_BOUNDS)
def test_statements_do_not_depend_on_the_order_of_samples(bound):
    network = network_for(bound)
    evidence = sample()
    shuffled = dataclasses.replace(
        evidence, margins=np.random.default_rng(1).permutation(evidence.margins)
    )

    np.testing.assert_allclose(
        certificate(bound, network, shuffled).value,
        certificate(bound, network, evidence).value,
        rtol=1e-12,
    )


@pytest.mark.parametrize("bound", ["sparse_cnn", "toeplitz"])
def test_channels_that_do_nothing_cost_nothing(bound):
    plain = cnn()
    wider = nn.Sequential(
        nn.Conv1d(1, 5, 3, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20, 1, bias=False),
    ).double()
    for part in wider.parameters():
        nn.init.zeros_(part)
    with torch.no_grad():
        wider[0].weight[:3] = plain[0].weight
        wider[3].weight[:, :12] = plain[3].weight
    evidence = seen(0, MARGINS, positions=np.ones(6) / 6)

    np.testing.assert_allclose(
        certificate(bound, wired(wider, (1, 6)), evidence).value,
        certificate(bound, wired(plain, (1, 6)), evidence).value,
        rtol=1e-12,
    )
