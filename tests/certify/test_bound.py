"""How a rule's answer becomes a certificate."""

import math
from dataclasses import replace

import pytest

from boundkit.certify.bound import Missing, Outcome, evaluate
from boundkit.types import Assumption, Norms
from tests.certify.examples import BY_ID, mlp, stored

HOLDS, OPEN, FAILS = (
    Assumption("a", holds=state, detail="") for state in (True, None, False)
)


def judged(answer):
    def rule(network, norms, evidence, held_out, delta, gamma, input_norm):
        if isinstance(answer, Exception):
            raise answer
        return answer

    bound = replace(BY_ID["dense"], rule=rule)
    return evaluate(bound, stored(mlp(2, 1)), Norms({}, {}), None, None, 0.1, None, 1.0)


@pytest.mark.parametrize(
    ("assumptions", "status"),
    [
        ((HOLDS,), "valid"),
        ((HOLDS, OPEN), "assumed"),
        ((), "valid"),
    ],
)
def test_status_is_that_of_the_weakest_assumption(assumptions, status):
    found = judged(Outcome(-1.0, {"K_L": 1.0}, assumptions))

    assert (found.status, found.value, found.log10) == (status, 0.1, -1)
    assert (found.delta, found.terms["K_L"], found.vacuous) == (0.1, 1.0, False)


def test_a_failed_assumption_takes_the_value():
    found = judged(Outcome(-1.0, {}, (OPEN, FAILS, HOLDS), "mend it"))

    assert (found.status, found.value, found.log10) == ("invalid", None, None)
    assert found.note == "mend it"


def test_no_value_is_invalid():
    assert judged(Outcome(None, {}, (HOLDS,))).status == "invalid"


def test_what_overflows_keeps_its_logarithm():
    found = judged(Outcome(636.0, {}, (HOLDS,)))

    assert (found.status, found.value, found.log10) == ("valid", None, 636)
    assert found.vacuous


def test_a_bound_of_zero_has_no_logarithm():
    found = judged(Outcome(-math.inf, {}, (HOLDS,)))

    assert (found.value, found.log10) == (0, None)


def test_one_is_vacuous():
    assert judged(Outcome(0.0, {}, (HOLDS,))).vacuous


def test_what_is_missing_is_told_with_what_is_known():
    found = judged(Missing("give --n", {"n_needed": 7}, (OPEN,)))

    assert (found.status, found.value, found.note) == ("unavailable", None, "give --n")
    assert found.terms["n_needed"] == 7


def test_a_failed_assumption_weighs_more_than_a_missing_input():
    assert judged(Missing("give --n", {}, (FAILS,))).status == "invalid"
