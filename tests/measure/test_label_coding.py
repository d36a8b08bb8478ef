"""Labels fit the outputs of a net, in one coding."""

import pytest
import torch

from boundkit.errors import DataError
from boundkit.measure.label_coding import classes_of, label_coding, require_one_coding


def test_codings_are_told_apart():
    assert label_coding(torch.tensor([-1, 1]), 1, "d", 0) == {-1}
    assert label_coding(torch.tensor([0, 1]), 2, "d", 0) == {0}
    assert label_coding(torch.tensor([1, 1]), 2, "d", 0) == frozenset()


@pytest.mark.parametrize(
    ("labels", "outputs", "match"),
    [
        ([0, 3], 3, r"d: y\[11\] is 3, but the net has 3 output\(s\).*0\.\.2"),
        ([-1, 1], 3, r"y\[10\] is -1"),
        ([1, 2], 1, r"y\[11\] is 2.*-1/\+1"),
    ],
)
def test_labels_that_the_net_has_no_class_for_are_named(labels, outputs, match):
    with pytest.raises(DataError, match=match):
        label_coding(torch.tensor(labels), outputs, "d", 10)


def test_two_codings_at_once_are_refused():
    require_one_coding(frozenset({-1}), "d")

    with pytest.raises(DataError, match="hold both -1 and 0"):
        require_one_coding(frozenset({-1, 0}), "d")


def test_classes_count_from_zero():
    assert classes_of(torch.tensor([-1, 1, 1])).tolist() == [0, 1, 1]
    assert classes_of(torch.tensor([2, 0])).tolist() == [2, 0]
