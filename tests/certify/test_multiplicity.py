"""The best of k bounds costs a k-th of delta each."""

import pytest

from boundkit.certify import BOUNDS, best
from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from tests.certify.examples import BY_ID, certificate, cnn, seen, stored, told, wired


def found(network, evidence, *names, delta=0.05):
    sizes = completed(network, norms(network))
    bounds = tuple(BY_ID[name] for name in names)

    return best(bounds, network, sizes, evidence, None, delta, None, 1.0)


def test_the_smallest_is_taken_at_its_share_of_delta():
    network, evidence = wired(cnn(), (1, 6)), seen(9000)
    one = found(network, evidence, "sparse_cnn", "toeplitz", "neyshabur2018")

    assert (one.shared.bound, one.among) == ("sparse_cnn", 3)
    assert one.shared.delta == 0.05 / 3
    assert (
        one.shared.value
        == certificate("sparse_cnn", network, evidence, delta=0.05 / 3).value
    )
    assert one.alone.value == certificate("sparse_cnn", network, evidence).value
    assert one.alone.value < one.shared.value


def test_bounds_that_do_not_apply_are_counted():
    one = found(wired(cnn(), (1, 6)), seen(9000), "sparse_cnn", "dense")

    assert one.among == 2
    assert one.shared.delta == 0.025


def test_a_single_bound_costs_nothing():
    one = found(wired(cnn(), (1, 6)), seen(9000), "sparse_cnn")

    assert one.shared.value == one.alone.value


@pytest.mark.parametrize("evidence", [None, told(100)])
def test_what_is_not_valid_is_never_the_best(evidence):
    network = stored(cnn())
    sizes = completed(network, norms(network))

    assert best(BOUNDS, network, sizes, evidence, None, 0.05, None, 1.0) is None
