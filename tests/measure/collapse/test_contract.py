"""Laws of the whole catalog."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import boundkit.measure.collapse as package
from boundkit.collapsing import collapse
from boundkit.measure.collapse import MEASURES, collapse_of, section
from boundkit.numerics.class_moments import ClassMoments
from tests.measure.collapse.samples import Literal, collapsed, drawn

NAMES = [one.name for one in MEASURES]

CASES = {
    "balanced": drawn((20, 20, 20), 5),
    "unbalanced": drawn((30, 4, 11, 1), 5, seed=1),
    "no bias": drawn((30, 4, 11), 5, bias=False, seed=2),
    "empty class": drawn((9, 8, 0, 7), 4, seed=3),
    "few samples": drawn((2, 3, 2), 12, seed=4),
    "one sample per class": drawn((1, 1, 1, 1), 6, seed=5),
    "more classes than features": drawn((6,) * 5, 3, seed=6),
    "two classes": drawn((12, 9), 4, seed=9),
    "one output": drawn((12, 9), 4, outputs=1, seed=9),
    "collapsed": collapsed(),
    "far away": drawn((9, 12, 9), 5, offset=1e4, seed=8),
    "constant": (np.ones((6, 3)), np.arange(6) % 3, np.ones((3, 3)), np.zeros(3)),
    "zero": (np.zeros((6, 3)), np.arange(6) % 3, np.zeros((3, 3)), None),
    "one class": (np.eye(3), np.zeros(3, int), np.eye(2, 3), np.zeros(2)),
    "one sample": (np.ones((1, 1)), np.array([1]), np.ones((2, 1)), None),
}
SPREAD = [name for name in CASES if CASES[name][2].shape[0] > 1][:9]

each_case = pytest.mark.parametrize("case", CASES)


def alike(one, other, slack=1e-12):
    """Tell whether two values are the same, or both are missing."""
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=1e-9, abs=slack)


def strict(document):
    return json.loads(json.dumps(document, allow_nan=False))


@each_case
def test_every_measure_is_a_finite_number_or_has_a_reason(case):
    found = collapse(*CASES[case], weight_decay=1e-3)

    assert [one.name for one in found.findings] == NAMES
    for one in found.findings:
        assert (one.value is None) == bool(one.reason), one
        assert one.value is None or np.isfinite(one.value)


@each_case
def test_the_summary_is_strict_json(case):
    found = collapse(*CASES[case])
    summary = found.summary()

    assert strict(summary) == summary
    assert summary["n"] == len(CASES[case][0])


@pytest.mark.parametrize("case", SPREAD)
def test_values_are_those_of_the_definitions(case):
    features, labels, weight, bias = CASES[case]
    if case == "collapsed":
        features = features + 1e-3 * np.random.default_rng(0).normal(
            size=features.shape
        )
    expected = Literal(features, labels, weight, bias).measures()
    if len(set(labels)) <= 2:  # two classes: std of one pair is 0 up to rounding
        expected = {k: v for k, v in expected.items() if "equiangle" not in k}

    found = collapse(features, labels, weight, bias)

    for name, value in expected.items():
        if name == "nc4_mismatch_without_bias" and bias is None:
            value = expected["nc4_mismatch"]
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@each_case
def test_neither_order_nor_batches_matter(case):
    features, labels, weight, bias = CASES[case]
    order = np.random.default_rng(1).permutation(len(labels))

    whole = collapse(features, labels, weight, bias)
    parts = collapse(features[order], labels[order], weight, bias, batch_size=2)

    for one, other in zip(whole.findings, parts.findings, strict=True):
        if one.value is not None and case != "far away":
            assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-12), one
        assert bool(one.reason) == bool(other.reason)


@pytest.mark.parametrize("case", ["balanced", "unbalanced", "one output"])
def test_names_of_classes_do_not_matter(case):
    features, labels, weight, bias = CASES[case]
    if len(weight) == 1:
        renamed, rows, shifts = 1 - labels, -weight, -bias
    else:
        renamed, rows, shifts = len(weight) - 1 - labels, weight[::-1], bias[::-1]

    found = collapse(features, labels, weight, bias)
    other = collapse(features, renamed, rows.copy(), shifts.copy())

    for name in NAMES:
        if not name.startswith("binary.cos_") or name == "binary.cos_difference":
            assert alike(other[name], found[name]), name


@pytest.mark.parametrize("case", ["balanced", "unbalanced", "empty class"])
def test_rotating_features_and_classifier_matters_to_nothing(case):
    features, labels, weight, bias = CASES[case]
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(features.shape[1],) * 2))[
        0
    ]

    found = collapse(features, labels, weight, bias, weight_decay=0.1)
    turned = collapse(features @ turn, labels, weight @ turn, bias, weight_decay=0.1)

    for name in NAMES:
        assert alike(turned[name], found[name], 1e-11), name


def test_copies_of_the_sample_change_nothing():
    features, labels, weight, bias = CASES["unbalanced"]

    once = collapse(features, labels, weight, bias, weight_decay=0.1)
    twice = collapse(
        np.tile(features, (3, 1)), np.tile(labels, 3), weight, bias, weight_decay=0.1
    )

    for name in NAMES:
        if name not in {
            "snr.clock_largest",
            "snr.clock_smallest",
        }:  # time is N times slower
            assert alike(twice[name], once[name]), name


def test_a_subspace_that_holds_means_and_classifier_is_enough_for_most():
    features, labels, weight, bias = drawn((9, 12, 8), 10)
    moments = ClassMoments.of(torch.tensor(features), torch.tensor(labels), 3)
    rows = np.vstack([moments.mean - moments.mean.mean(0), weight])
    basis = torch.linalg.qr(torch.tensor(rows).mT)[0][:, :6]
    inside = ClassMoments(
        moments.count,
        moments.mean,
        moments.spread,
        basis.mT @ moments.within @ basis,
        basis,
    )

    full, part = collapse_of(moments, weight, bias), collapse_of(inside, weight, bias)

    missing = {name for name in NAMES if part[name] is None and full[name] is not None}
    assert missing == {
        name
        for name in NAMES
        if name.startswith(("mse.l_", "snr.infinite", "snr.rank", "snr.ratio"))
        or name
        in {"nc1_snr", "nc1_pinv_nuclear", "nc1_pinv_frobenius", "mse.perp_share"}
    }
    for name in ("mse.l_nc1", "mse.perp_share", "snr.*", "eigenvalues.within"):
        assert "10 x 10 numbers; it was collected in the span" in part.reasons[name]
    for name in set(NAMES) - missing:
        assert alike(part[name], full[name]), name
    assert any("in the span of class means" in each for each in part.notices)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_span_that_holds_all_samples_says_all(bias, offset):
    features, labels, weight, shift = drawn((3, 4, 2), 20, bias=bias, offset=offset)

    whole, span = (
        collapse(features, labels, weight, shift, weight_decay=0.01, scatter=scatter)
        for scatter in ("whole", "span")
    )

    for name in NAMES:
        assert alike(span[name], whole[name], 1e-9 if not offset else 1e-6), name
    assert span.reasons == whole.reasons
    assert span.notices == whole.notices
    np.testing.assert_allclose(
        span["eigenvalues.within"], whole["eigenvalues.within"], rtol=1e-8, atol=1e-12
    )


def test_a_classifier_outside_the_subspace_is_noticed():
    features, labels, weight, _ = drawn((9, 9, 9), 10)
    moments = ClassMoments.of(torch.tensor(features), torch.tensor(labels), 3)
    basis = torch.linalg.svd(moments.mean - moments.mean.mean(0))[2][:2].mT
    inside = ClassMoments(
        moments.count, moments.mean, moments.spread,
        basis.mT @ moments.within @ basis, basis,
    )  # fmt: skip

    found = collapse_of(inside, weight, targets="centered")

    assert found["nc1_pinv"] == pytest.approx(
        collapse_of(moments)["nc1_pinv"], rel=1e-10
    )
    assert "collected in the span" in found.reasons["predictions.xu2023.*"]


def test_the_section_holds_both_samples_and_the_conventions():
    found = collapse(*CASES["balanced"])
    made = section(found, None)

    assert made["test"] is None
    values = {k: v for k, v in made.items() if k not in {"test", "conventions"}}

    assert values == found.summary()
    assert list(made["conventions"]) == NAMES
    assert strict(made) == made


def test_the_section_holds_the_layer_peeled_measures_of_each_sample():
    found = collapse(*CASES["balanced"])
    made = section(found, found, {"test": {"margin_efficiency": 0.5}})

    assert "ulpm" not in made
    assert made["test"]["ulpm"] == {"margin_efficiency": 0.5}


def test_every_formula_of_every_file_is_in_the_catalog():
    here = Path(package.__file__).parent
    written = [
        name
        for path in here.glob("*.py")
        for name in re.findall(r'@formula\(\s*"([^"]+)"', path.read_text("utf-8"))
    ]

    assert sorted(written) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("one", MEASURES, ids=NAMES)
def test_every_formula_says_how_it_is_counted_and_whose_it_is(one):
    assert len(one.convention) > 20
    assert re.search(r"P[0-4]\b|\(20\d\d\)", one.source), one.source


def test_every_formula_is_documented():
    text = (Path(package.__file__).parents[3] / "docs" / "collapse.md").read_text(
        "utf-8"
    )
    missing = [name for name in NAMES if f"`{name}`" not in text]

    assert not missing
