"""Hold-out certificates: exact coverage, and their verification."""

import math
from dataclasses import replace

import pytest
import torch
from jsonschema import Draft202012Validator

from boundkit.errors import UsageError
from boundkit.numerics.binomial_tail import binomial_upper
from boundkit.posthoc.certificate import document, schema
from boundkit.posthoc.holding_out import holdout
from boundkit.posthoc.verifying import verify
from tests.posthoc.nets import mlp, sample, trained


@pytest.fixture(scope="module")
def net():
    return trained(mlp, *sample())


@pytest.mark.parametrize("p", [0.01, 0.1, 0.37, 0.5, 0.9])
@pytest.mark.parametrize("m", [20, 60])
def test_coverage_is_exact(p, m):
    covered = sum(
        math.comb(m, k) * p**k * (1 - p) ** (m - k)
        for k in range(m + 1)
        if binomial_upper(k, m, math.log(0.05)) >= p
    )

    assert covered >= 0.95


def test_errors_are_those_of_the_net_as_it_is(net):
    x, y = sample(500, seed=4)
    found = holdout(net, data=(x, y), selections=3)

    assert found.errors == int((net(x).argmax(1) != y).sum())
    assert found.bound == binomial_upper(found.errors, 500, math.log(0.05 / 3))
    assert found.bound > holdout(net, data=(x, y)).bound
    Draft202012Validator(schema()).validate(document(found))


def test_a_round_trip_and_tampering(net, tmp_path):
    path, data = tmp_path / "net.pt", sample(500, seed=4)
    torch.save(net.state_dict(), path)
    found = holdout(path, model=mlp(), data=data, out=tmp_path / "c.json")

    def wrong(certificate):
        done = verify(certificate, str(path), model=mlp(), data=data)
        return {check.name for check in done.checks if not check.holds}

    assert wrong(tmp_path / "c.json") == set()
    assert wrong(replace(found, errors=found.errors - 1)) == {"errors", "bound"}
    assert wrong(replace(found, delta=0.5)) == {"bound"}
    assert wrong(replace(found, own={"selections": 2})) == {"bound"}


def test_selections_that_are_not_there(net):
    data = sample(100, seed=4)
    found = replace(holdout(net, data=data), own={})

    with pytest.raises(UsageError, match="how many selections"):
        verify(found, net, data=data)


def test_no_samples(net):
    with pytest.raises(UsageError, match="that training has not seen: give --data"):
        holdout(net, data=None)


@pytest.mark.parametrize(
    ("option", "value"), [("delta", 1), ("selections", 0), ("batch_size", 0)]
)
def test_numbers_out_of_range(net, option, value):
    with pytest.raises(UsageError, match=rf"{option} must .*, but got"):
        holdout(net, data=sample(), **{option: value})


def test_verification_needs_batches(net):
    with pytest.raises(UsageError, match="batch_size must be at least 1"):
        verify(holdout(net, data=sample(50)), net, data=sample(50), batch_size=0)
