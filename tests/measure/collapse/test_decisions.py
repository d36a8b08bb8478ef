"""NC4: the net against the nearest class mean."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from boundkit.measure.collapse import collapse_of
from boundkit.numerics.class_moments import ClassMoments
from tests.measure.collapse.samples import collapsed

FEATURES = np.array([[0.0], [1], [5], [9], [10]])
LABELS = [0, 0, 0, 1, 1]


def test_a_biased_threshold_by_hand():
    # Means 2 and 9.5: the nearest mean changes at 5.75, the net at 4 with its bias, at 0
    # without.
    found = collapse(FEATURES, LABELS, [[-1.0], [1.0]], [4.0, -4.0])

    assert found["nc4_mismatch"] == pytest.approx(1 / 5)
    assert found["nc4_mismatch_without_bias"] == pytest.approx(2 / 5)
    assert found["net_error"] == pytest.approx(1 / 5)
    assert found["ncc_error"] == 0


def test_collapsed_nets_decide_by_the_nearest_mean():
    found = collapse(*collapsed())

    assert found["nc4_mismatch"] == 0
    assert found["net_error"] == 0


def test_without_a_second_pass_there_are_no_decisions():
    import torch

    moments = ClassMoments.of(torch.tensor(FEATURES), torch.tensor(LABELS), 2)
    reasons = collapse_of(moments, [[-1.0], [1.0]]).reasons

    for name in ("nc4_mismatch", "ncc_error", "net_error", "nc1_distance"):
        assert "needs a second pass" in reasons[name]


def test_without_a_classifier_only_the_nearest_mean_decides():
    found = collapse(FEATURES, LABELS)

    assert found["ncc_error"] == 0
    assert found.reasons["nc4_mismatch"] == "needs the classifier; give its weight"
    assert "give both" in found.reasons["nc4_mismatch_without_bias"]
    assert found.reasons["net_error"] == "needs the classifier; give its weight"
