from __future__ import annotations

import math

import pytest

from boundkit.errors import UsageError
from boundkit.relative import relative
from boundkit.report.model import Rho
from boundkit.types import Notice
from tests.report.reports import report, row

TRACED = {
    "architecture": "traced",
    "structure": {"ReLU": 1, "max pooling": 1},
}


def margins(*quantiles, error=None):
    names = ("min", "q01", "q05", "q10", "median")
    table = dict(zip(names, quantiles, strict=True))
    return table if error is None else table | {"test": {"train_error": error}}


def net(log10=1.0, table=None, **changes):
    conventions = {**report().conventions, **TRACED, **changes.pop("conventions", {})}
    return report(
        rho_stored=Rho(log10, None if log10 is None else 10.0**log10),
        margins=table,
        conventions=conventions,
        **changes,
    )


def compared(*nets, margin_loss=None, ran_alike=True):
    labels = "ABCDEFG"[: len(nets)]
    return relative(labels, nets, margin_loss, ran_alike=ran_alike)


def test_rho_over_gamma_at_the_smallest_level_where_every_margin_is_positive():
    a = net(2.0, margins(0.1, 0.2, 0.25, 0.5, 1.0, error=0.02))
    b = net(1.0, margins(-1.0, 0.0, 0.01, 0.1, 1.0, error=0.03))
    found = compared(a, b)

    assert found.chosen.margin_loss == 0.05
    assert found.chosen.margins == (0.25, 0.01)
    assert found.chosen.log10_ratios == pytest.approx((2 + math.log10(4), 3.0))
    assert found.chosen.ranking == (("A",), ("B",))
    assert [level.margin_loss for level in found.levels] == [0.05, 0.1, 0.5]
    assert found.levels[-1].ranking == (("B",), ("A",))
    assert found.test_errors == (0.02, 0.03)
    assert found.status == "valid"


def test_a_level_that_is_asked_for_is_taken_even_if_a_margin_is_not_positive():
    a = net(2.0, margins(0.1, 0.2, 0.25, 0.5, 1.0))
    b = net(1.0, margins(-1.0, 0.0, 0.01, 0.1, 1.0))
    found = compared(a, b, margin_loss=0.01)

    assert found.chosen.margins == (0.2, None)
    assert found.chosen.ranking == (("A",),)


def test_where_no_level_suits_all_the_median_ranks_the_rest():
    bad = net(1.0, margins(-5.0, -4.0, -3.0, -2.0, -1.0))
    good = net(1.0, margins(0.1, 0.2, 0.25, 0.5, 1.0))
    found = compared(bad, good)

    assert found.chosen.margin_loss == 0.5
    assert found.chosen.ranking == (("B",),)


def test_without_data_margin_one_is_assumed_and_said():
    found = compared(net(2.0), net(1.0))

    assert found.chosen.margin_loss is None
    assert found.chosen.margins == (1.0, 1.0)
    assert found.chosen.log10_ratios == (2.0, 1.0)
    assert found.status == "assumed"
    assert [a.name for a in found.assumptions if a.holds is None] == [
        "one training sample",
        "one margin loss",
    ]


def test_a_held_out_sample_alone_gives_no_margins():
    table = {"test": {"train_error": 0.5, "min": 1.0}}
    found = compared(net(1.0, table), net(2.0, table))

    assert found.chosen.margin_loss is None
    assert found.test_errors == (0.5, 0.5)


@pytest.mark.parametrize("share", [0.2, -1, math.nan])
def test_a_level_that_reports_do_not_hold_is_refused(share):
    table = margins(0.1, 0.2, 0.25, 0.5, 1.0)

    with pytest.raises(
        UsageError, match=r"must be one of 0, 0\.01, 0\.05, 0\.1, 0\.5, b"
    ):
        compared(net(1.0, table), net(2.0, table), margin_loss=share)


def test_a_level_without_data_is_refused():
    with pytest.raises(
        UsageError, match="needs the margins of a training sample: give"
    ):
        compared(net(), net(), margin_loss=0.05)


def test_folded_norms_are_compared_where_every_net_has_them():
    a, b = net(1.0, rho_folded=Rho(3.0, 1e3)), net(2.0, rho_folded=Rho(2.0, 1e2))

    assert compared(a, b).compared == "folded"
    assert compared(a, b).chosen.ranking == (("B",), ("A",))
    assert compared(a, net(2.0)).compared == "stored"
    assert compared(a, net(2.0)).chosen.ranking == (("A",), ("B",))


def test_a_net_of_zero_or_undefined_rho_is_not_ranked():
    assert compared(net(None), net(1.0)).chosen.ranking == (("B",),)


def state(*nets, name="rho factors out of the network", **options):
    found = compared(*nets, **options)
    return next(a for a in found.assumptions if a.name == name)


def test_a_learned_tensor_outside_rho_breaks_the_theorem():
    biased = net(ledger=(row("fc.bias", (4,)),))

    assert state(net(), biased).holds is False
    assert state(net(), biased).detail == "fc.bias is learned and no factor of rho"
    assert compared(net(), biased).status == "invalid"


@pytest.mark.parametrize(
    "sort", ["residual additions", "attention", "other operations"]
)
def test_what_is_not_homogeneous_in_every_layer_breaks_the_theorem(sort):
    made = net(conventions={"structure": {"ReLU": 2, sort: 1}})

    assert state(made, made).detail == f"the graph has {sort}"
    assert state(made, made).holds is False


def test_a_probe_that_disagrees_leaves_the_assumption_open():
    doubted = net(warnings=(Notice("probe-disagrees", "f(2x) is not 2 f(x)"),))

    assert state(net(), doubted).holds is None


def test_without_an_architecture_nothing_about_it_is_taken_as_checked():
    bare = net(conventions={"architecture": "not known", "structure": {}})

    assert state(bare, bare).holds is None
    assert state(bare, bare, name="one architecture").holds is None


def test_reports_made_elsewhere_may_be_of_another_sample():
    nets = [net(1.0, margins(0.1, 0.2, 0.25, 0.5, 1.0))] * 2

    assert state(*nets, name="one training sample", ran_alike=False).holds is None
    assert state(*nets, name="one training sample").holds is True


def test_a_buffer_or_a_second_name_outside_rho_breaks_nothing():
    counter = net(ledger=(row("bn.num_batches", (), parameter=False),))

    assert state(net(), counter).holds is True
