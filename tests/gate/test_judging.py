from __future__ import annotations

import pytest

from boundkit.gate.judging import judged
from boundkit.gate.reading import parse
from boundkit.types import Notice
from tests.gate.documents import stored


def findings(policy, document=None, baseline=None):
    return judged(parse(policy, "p.toml"), document or stored(), baseline).findings


def only(policy, document=None, baseline=None):
    (found,) = findings(policy, document, baseline)
    return found


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        ("max = 0.2631", True),
        ("max = 0.263", False),
        ("min = 0.2631", True),
        ("min = 0.264", False),
    ],
)
def test_a_limit_includes_its_edge(limit, passed):
    assert only(f"[certificates.sparse_cnn]\n{limit}\n").passed is passed


def test_a_failure_says_by_how_much_and_on_which_line():
    found = only("[certificates.sparse_cnn]\nmax = 0.2\n")

    assert not found.passed
    assert found.asked == "at most 0.2"
    assert found.found == "0.2631"
    assert found.why == "0.0631 (32%) above what is allowed"
    assert found.line == 1


@pytest.mark.parametrize(
    ("limit", "before", "passed"),
    [
        ("max_increase = 0.02", 0.25, True),
        ("max_increase = 0.01", 0.25, False),
        ("max_decrease = 0.1", 0.3, True),
        ("max_decrease = 0.01", 0.3, False),
        ("max_ratio = 1.1", 0.25, True),
        ("max_ratio = 1.01", 0.25, False),
    ],
)
def test_relative_limits_are_held_against_the_baseline(limit, before, passed):
    older = stored()
    older["certificates"][0]["value"] = before
    found = only(f"[best]\n{limit}\n", baseline=older)

    assert found.passed is passed
    assert found.found == f"0.2631 (baseline {before})"


def test_what_the_baseline_lacks_passes_only_where_it_is_optional():
    older = stored("bare")
    policy = "[certificates.sparse_cnn]\nmax_increase = 0.1\n"
    hard, soft = (
        only(policy + more, baseline=older) for more in ("", "optional = true\n")
    )

    assert not hard.passed
    assert hard.why == "the baseline does not have it: no value there"
    assert soft.passed


def test_a_bound_beyond_a_float_is_larger_than_every_limit():
    found = only("[certificates.bartlett2017]\nmax = 1e300\n")

    assert not found.passed
    assert found.found == "inf"
    assert found.why == "it is not finite"


def test_a_bound_without_a_value_fails_with_its_reason():
    found = only("[certificates.sparse_cnn]\nmax = 1\n", stored("unavailable"))

    assert not found.passed
    assert found.found == "nothing"
    assert "it is unavailable: the training-set size is missing" in found.why


def test_a_status_is_required():
    policy = '[certificates.galanti2023]\nstatus = ["valid", "assumed"]\n'
    found = only(policy)

    assert not found.passed
    assert (found.asked, found.found) == ("status valid or assumed", "invalid")


def test_a_bound_that_does_not_exist_fails():
    found = only("[certificates.sparse]\nmax = 1\n")

    assert not found.passed
    assert "no such bound; boundkit explain lists them" in found.why


def test_the_best_bound_is_the_smallest_valid_one_but_no_reference():
    assert only("[best]\nmax = 0.3\n").rule == "best (sparse_cnn)"


def test_without_a_valid_bound_best_fails():
    found = only("[best]\nmax = 1\n", stored("assumed"))

    assert not found.passed
    assert found.why == "no certificate is valid"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rho.stored.log10", 0.84362),
        ("margins.min", -0.2),
        ("margins.separable", 0.0),
        ("measurements.dense_printed", 0.031),
        ("certificates.sparse_cnn.terms.gamma", 0.742),
        ("layers.cv.0.weight.rho", 2.31),
        ("checkpoint.parameters", 16640.0),
    ],
)
def test_any_number_of_the_report_has_a_path(path, value):
    exact = f'[values]\n"{path}" = {{min = {value}, max = {value}}}\n'

    assert all(found.passed for found in findings(exact))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("collapse.nc1_pinv", "that part was not computed"),
        ("margins.maen", "margins.maen is not in the report"),
        ("measurements.x", "there is no measurement 'x'"),
        ("rho.folded.log10", "that part was not computed"),
        ("checkpoint.source", "checkpoint.source is not a number"),
        ("layers.cv.0.weight.alpha", "alpha is null"),
    ],
)
def test_a_number_that_is_not_there_fails_and_says_why(path, why):
    found = only(f'[values]\n"{path}" = {{max = 1}}\n')

    assert not found.passed
    assert why in found.why


def test_layers_are_held_one_by_one():
    found = findings('[[layers]]\nname = "*.weight"\nrho = {max = 3}\n')

    assert [(one.rule, one.passed) for one in found] == [
        ("layers.cv.0.weight.rho", True),
        ("layers.fc.weight.rho", False),
    ]


def test_a_pattern_that_fits_no_layer_fails():
    found = only('[[layers]]\nname = "conv*"\nrho = {max = 3}\n')

    assert not found.passed
    assert found.why == "no layer of the report has such a name"


def test_layers_are_held_against_those_of_the_baseline():
    older = stored()
    older["layers"][0]["rho"] = 2.0
    policy = '[[layers]]\nname = "cv*"\nrho = {max_ratio = 1.1}\n'

    assert not only(policy, baseline=older).passed
    assert only(policy, baseline=stored()).passed


def test_warnings_are_forbidden_by_pattern_unless_they_are_allowed():
    odd = stored(
        warnings=(Notice("alias", "a is b"), Notice("non-finite", "c has NaN"))
    )
    policy = '[warnings]\nforbid = ["*"]\nallow = ["al*"]\n'
    found = only(policy, odd)

    assert (found.passed, found.found, found.why) == (False, "non-finite", "c has NaN")
    assert only(policy, stored()).passed


def test_a_number_that_is_optional_may_be_missing_but_not_wrong():
    policy = '[values]\n"margins.mean" = {max = 0.5, optional = true}\n'

    assert only(policy, stored("bare")).passed
    assert not only(policy).passed
