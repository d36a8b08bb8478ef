"""The judges of P1's figures, on outcomes whose verdict is known."""

import math
from pathlib import Path

import numpy as np
import pytest

from boundkit.lab.figures import (
    p1_fig4,
    p1_fig5,
    p1_fig6,
    p1_fig8,
    p1_fig9,
    p1_fig10,
    p1_low_rank,
    p1_sgd_noise,
)
from boundkit.lab.figures.xu2023_dense import BATCHES, DECAYS, cases, every
from boundkit.lab.figures.xu2023_few import mean_and_error, rho_of, three
from boundkit.lab.figures.xu2023_inits import INITS
from boundkit.lab.figures.xu2023_sizes import COUNTS, SIX, THREE, recipes_of
from boundkit.lab.runs import Run

NAN = math.nan


def test_mean_and_standard_error():
    mean, error = mean_and_error([1.0, 2.0, 3.0])

    assert mean == 2
    np.testing.assert_allclose(error, 1 / math.sqrt(3), rtol=1e-12)
    assert mean_and_error([2.0])[0] == 2
    assert math.isnan(mean_and_error([2.0])[1])
    assert all(map(math.isnan, mean_and_error([])))


@pytest.mark.parametrize(("stored", "rho"), [(2.5, 2.5), (-2.5, 2.5), (None, NAN)])
def test_rho_is_a_product_of_norms(stored, rho):
    rows = ({"rho": 1.0}, {"rho": stored})
    run = Run(Path("nowhere"), three("test", "inits"), (1, 28, 28), rows, None, 1.0)

    np.testing.assert_equal(rho_of(run), rho)
    assert rho_of(run, 0) == 1


def test_the_papers_scale_has_the_papers_net():
    assert three("paper", "labels", noise=0.4).net == "xu2023_six"
    assert three("paper", "labels", noise=0.4).n == 10_000
    assert {r.net for r in recipes_of(SIX, "paper")} == {"xu2023_six"}
    assert {r.batch for r in recipes_of(THREE, "paper")} == {32}
    assert {r.init for r in recipes_of(THREE, "paper")} == {0.1}


def test_sizes_and_batches_take_the_same_number_of_steps():
    sizes = {r.epochs * (r.n // r.batch) for r in recipes_of(THREE, "small")}
    dense = {r.epochs * (r.n // r.batch) for r in every("small")}

    assert max(sizes) - min(sizes) < 0.02 * max(sizes)
    assert dense == {1500}
    assert len(every("small")) == len(cases("small"))


# Figure 4.


def noisy(values, errors=0.1, fitting=3):
    return [
        {
            "noise": share,
            "runs": 3,
            "fitting": fitting,
            "rho": value,
            "rho_stderr": errors,
        }
        for share, value in zip((0.2, 0.4, 0.6, 0.8), values, strict=True)
    ]


@pytest.mark.parametrize(
    ("values", "sign", "holds", "reason"),
    [
        ([1.0, 2.0, 3.0, 4.0], 1, True, ""),
        ([1.0, 3.0, 2.95, 4.0], 1, True, "1 of 3 steps go back, within noise"),
        ([1.0, 4.0, 2.0, 4.0], 1, False, "not at every step"),
        ([4.0, 3.0, 2.0, 1.0], 1, False, "it is the other way"),
        ([4.0, 3.0, 2.0, 1.0], -1, True, ""),
        ([1.0, 1.0, 1.1, 1.1], 1, None, "it changes by 0.1"),
    ],
)
def test_trends_with_random_labels(values, sign, holds, reason):
    found = p1_fig4._trend(noisy(values), "rho", "rho grows", sign)

    assert found.holds is holds
    assert reason in found.reason


def test_nets_that_do_not_fit_random_labels_say_nothing():
    unfit = p1_fig4._trend(noisy([1.0, 2.0, 3.0, 4.0], fitting=1), "rho", "", 1)
    some = noisy([1.0, 2.0, 3.0, 4.0])
    some[-1]["fitting"] = 0

    assert unfit.holds is None
    assert "1 of 3" in unfit.measured
    partly = p1_fig4._trend(some, "rho", "", 1)
    assert partly.holds is None
    assert partly.reason == "not all shares have fitting runs"


# Figure 5.


def scattered(slope, noise=0.0, fits=True):
    wiggle = np.random.default_rng(0).normal(size=12) * noise
    return [
        {
            "init": float(at // 3),
            "inverse_rho": 0.2 + 0.01 * (at // 3),
            "test_accuracy": 90 + slope * 0.01 * (at // 3) + wiggle[at],
            "fits": fits,
        }
        for at in range(12)
    ]


def test_a_line_through_means_over_runs():
    fit = p1_fig5._fitted(scattered(-20.0, noise=1e-3))

    np.testing.assert_allclose(fit["slope"], -20, rtol=0.05)
    assert len(fit["points"]) == 4
    assert p1_fig5._fitted(scattered(-20.0, fits=False)) is None


@pytest.mark.parametrize(
    ("slope", "r2", "p", "related", "unrelated"),
    [
        (-20.0, 0.99, 0.01, True, False),
        (20.0, 0.99, 0.01, False, False),
        (-1.0, 0.01, 0.9, None, True),
        (-10.0, 0.6, 0.2, None, None),
    ],
)
def test_whether_accuracy_falls_with_the_margin(slope, r2, p, related, unrelated):
    fit = {"slope": slope, "r2": r2, "p": p, "p_permutation": p, "points": [1] * 4}

    assert p1_fig5._related(fit, []).holds is related
    assert p1_fig5._unrelated(fit, []).holds is unrelated


def test_no_line_without_fitting_runs():
    rows = scattered(0.0, fits=False)

    assert p1_fig5._related(None, rows).holds is None
    assert "0 of 12 runs fit" in p1_fig5._unrelated(None, rows).measured


# Figures 6 and 7.


def sized(sparse=(8.0, 2.0), rho=(0.5, 0.2), dense=(900.0, 300.0), count=(90.0, 30.0)):
    return [
        {
            "N": n,
            "sparse_cnn": sparse[at],
            "sparse_cnn_stderr": 0.1,
            "rho_over_sqrt_n": rho[at],
            "toeplitz": dense[at],
            "parameters": count[at],
        }
        for at, n in enumerate((100, 1000))
    ]


def test_how_far_bounds_are_from_saying_something():
    assert p1_fig6._by_an_order(sized()).holds is True
    assert p1_fig6._by_an_order(sized(sparse=(80.0, 20.0))).holds is False
    assert p1_fig6._by_an_order(sized(sparse=(NAN, 2.0))).holds is None
    better = p1_fig6._by_an_order(sized(sparse=(8.0, 0.9)))
    assert better.holds is True
    assert "not even vacuous" in better.reason
    assert p1_fig6._almost(sized()).holds is True
    assert "10 times larger" in p1_fig6._almost(sized()).reason
    assert p1_fig6._almost(sized(rho=(9.0, 3.0))).holds is False


def test_bounds_are_compared():
    assert p1_fig6._looser(sized()).holds is True
    few = p1_fig6._looser(sized(count=(6.0, 2.0)))
    assert few.holds is True
    assert "not if constants count" in few.reason
    assert p1_fig6._looser(sized(count=(2.0, 1.0))).holds is False
    assert p1_fig6._sparse(sized()).holds is True
    assert p1_fig6._sparse(sized(dense=(90.0, 30.0))).holds is False
    assert p1_fig6._sparse(sized(dense=(1.0, 1.0))).reason == "they are not smaller"


def test_whether_a_bound_falls_with_n():
    assert p1_fig6._falls(sized(), "sparse_cnn", "bound").holds is True
    assert p1_fig6._falls(sized((2.0, 8.0)), "sparse_cnn", "bound").holds is False
    assert p1_fig6._falls(sized((2.0, 1.9)), "sparse_cnn", "bound").holds is None
    assert p1_fig6._falls(sized((2.0, NAN)), "sparse_cnn", "bound").holds is None


def test_more_images_are_among_the_sizes():
    assert list(COUNTS["small"]) == sorted(COUNTS["small"])


# Figure 8.


def histogram_rows(deviations, mean=0.99, above=0.0, error=0.0):
    return [
        {
            "epoch": at,
            "mean": mean,
            "deviation": deviation,
            "rho": 5.0,
            "least": 0.1,
            "largest": 1.0,
            "train_error": error,
            "share_above_1": above,
            "samples": 100,
        }
        for at, deviation in enumerate(deviations)
    ]


@pytest.mark.parametrize(
    ("deviations", "holds"),
    [
        ([0.0, 1.0, 0.5, 0.1], True),
        # An earlier one was narrower.
        ([0.0, 1.0, 0.05, 0.1], False),
        ([0.0, 1.0, 0.9, 0.8], False),
        # Still widening.
        ([0.0, 0.1, 0.5, 1.0], None),
    ],
)
def test_histograms_narrow(deviations, holds):
    assert p1_fig8._narrows(histogram_rows(deviations)).holds is holds


def test_margins_become_equal():
    assert p1_fig8._concentrated(histogram_rows([1.0, 0.01])).holds is True
    wide = p1_fig8._concentrated(histogram_rows([1.0, 0.5], error=0.03))
    assert wide.holds is False
    assert "does not fit" in wide.reason
    assert p1_fig8._concentrated(histogram_rows([0.1], mean=0.0)).holds is None


def test_weight_decay_keeps_margins_below_the_target():
    found = p1_fig8._below_one(histogram_rows([0.01], mean=0.9))

    assert found.holds is True
    # 1 - 0.001 / (0.18^2 + 0.001).
    assert "Lemma 6 says 0.9701" in found.measured
    assert p1_fig8._below_one(histogram_rows([0.1], mean=0.99)).holds is None
    assert p1_fig8._below_one(histogram_rows([0.01], mean=1.1)).holds is False
    assert p1_fig8._below_one(histogram_rows([0.01], mean=-1.0)).holds is None


def test_histograms_share_their_bins():
    found = p1_fig8._histograms(
        (0, 5, 9), [np.zeros(4), np.array([0.0, 1, 2, 3]), np.full(4, np.nan)]
    )

    assert [one["epoch"] for one in found] == [5]
    assert sum(found[0]["counts"]) == 4


# Figure 9, and random labels.


def course(values, errors=(0.5, 0.0, 0.0)):
    return {"epoch": [0, 1, 2], "train_error": list(errors), "nc1_pinv": values}


@pytest.mark.parametrize(
    ("runs", "holds"),
    [
        ([course([9, 1.0, 0.1]), course([9, 2.0, 0.1])], True),
        ([course([9, 0.1, 1.0])], False),
        # Nothing is left to fall.
        ([course([9, 1e-7, 2e-7])], True),
        # Less than half.
        ([course([9, 1.0, 0.9])], False),
        ([course([9, 1.0, 0.1]), course([9, 0.1, 0.2])], None),
        # What never fits its labels does not count.
        ([course([9, 1.0, 0.1]), course([9, 0.1, 0.2], (0.5, 0.5, 0.5))], True),
        ([course([9, 1.0, 0.1], (0.5, 0.5, 0.0))], None),
        ([course([9, None, 0.1])], None),
    ],
)
def test_collapse_after_the_labels_are_fitted(runs, holds):
    found = p1_fig9._collapses("it falls", "nc1_pinv", runs)

    assert found.holds is holds
    assert bool(found.reason) is (holds is not True)


# Figure 10.


def inits(means, relative=0.01):
    """Return rows of three seeds; means by weight decay, one a shared scale."""
    shared = p1_fig10._SHARED
    return [
        {
            "decay": decay,
            "init": init,
            "seed": seed,
            "mean": mean * (1 + 1e-4 * seed),
            "relative": relative * (1 + at) * (1 + 1e-3 * seed),
            "fits": True,
        }
        for at, decay in enumerate(INITS)
        for init, mean in zip(shared, means[at], strict=True)
        for seed in range(3)
    ]


def test_weight_decay_brings_margins_together():
    assert p1_fig10._SHARED == (0.9, 1.0, 1.3)
    near, far = [1.0, 1.01, 1.02], [0.5, 0.6, 0.8]

    assert p1_fig10._one_value(inits([near, far])).holds is True
    assert p1_fig10._one_value(inits([far, near])).holds is False
    assert p1_fig10._one_value(inits([near, near])).holds is None
    assert p1_fig10._one_value([]).holds is None


def test_margins_without_weight_decay_are_smaller_and_alike():
    rows = inits([[1.0] * 3, [0.5] * 3])

    assert p1_fig10._smaller(rows).holds is True
    assert p1_fig10._smaller(inits([[0.5] * 3, [1.0] * 3])).holds is False
    assert p1_fig10._smaller(inits([[1.0] * 3, [1.0] * 3])).holds is None
    # The deviation is twice as large without weight decay in these rows.
    assert p1_fig10._noisier(rows).holds is False
    assert p1_fig10._zero(rows).holds is True
    assert p1_fig10._zero(inits([[1.0] * 3, [0.5] * 3], 0.2)).holds is False
    assert p1_fig10._zero([]).holds is None


# Low rank.


def dense_rows(rank):
    return [
        {
            "batch": batch,
            "decay": decay,
            "seed": seed,
            "stable_rank": rank(batch, decay, seed),
        }
        for batch, decay, seed in cases("small")
    ]


def test_ranks_are_compared_in_pairs():
    pairs = (DECAYS[-1], DECAYS[0])

    lower = dense_rows(lambda batch, decay, seed: 5 + seed - 100 * decay)
    assert p1_low_rank._lower("", lower, "decay", pairs).holds is True
    assert "6 pairs" in p1_low_rank._lower("", lower, "decay", pairs).measured
    higher = dense_rows(lambda batch, decay, seed: 5 + seed + 100 * decay)
    assert p1_low_rank._lower("", higher, "decay", pairs).holds is False
    same = dense_rows(lambda batch, decay, seed: 5.0 + batch)
    assert p1_low_rank._lower("", same, "decay", pairs).holds is None
    sizes = (BATCHES["small"][0], BATCHES["small"][-1])
    assert p1_low_rank._lower("", same, "batch", sizes).holds is True
    assert p1_low_rank._lower("", same[:2], "batch", sizes).holds is None


def layer(update, rank, residual=0.5, numerical=30.0):
    return {
        "fits": True,
        "update_norm": update,
        "stable_rank": rank,
        "lemma8_residual": residual,
        "lemma8_norm": 1.0,
        "s3_over_s1": 0.3,
        "numerical_rank": numerical,
    }


def test_updates_reflect_ranks():
    along = [layer(at, at) for at in range(1, 9)]
    against = [layer(at, 9 - at) for at in range(1, 9)]
    mixed = [layer(at, (3 * at) % 8) for at in range(1, 9)]

    assert p1_low_rank._reflects(along).holds is True
    assert p1_low_rank._reflects(against).holds is False
    assert p1_low_rank._reflects(mixed).holds is None
    assert p1_low_rank._reflects(along[:3]).holds is None


def test_no_weights_suit_all_minibatches():
    assert p1_low_rank._no_equilibrium([layer(1.0, 5.0)]).holds is True
    assert p1_low_rank._no_equilibrium([layer(1.0, 5.0, 1e-6)]).holds is False
    assert p1_low_rank._no_equilibrium([]).holds is None


def test_nets_of_rank_two():
    def run(*numerical):
        about = {"batch": 5, "decay": 0.01, "seed": len(numerical)}
        return [layer(1.0, 1.0, 0.5, rank) | about for rank in numerical]

    assert p1_low_rank._not_all_small(run(2.0, 9.0)).holds is True
    assert p1_low_rank._not_all_small(run(2.0, 2.0)).holds is False
    assert p1_low_rank._not_all_small([]).holds is None


# Noise of SGD.


def noise(*updates, loss=1e-5, deviation=0.01):
    return [
        {"update_norm": update, "loss": loss, "relative_deviation": deviation}
        for update in updates
    ]


def test_noise_stays_with_weight_decay():
    assert p1_sgd_noise._stays([noise(1.0, 0.5)]).holds is True
    assert p1_sgd_noise._stays([noise(1.0, 1e-6)]).holds is False
    assert p1_sgd_noise._stays([noise(1.0, None)]).holds is None


def test_noise_vanishes_without_weight_decay():
    decaying = [noise(1.0, 0.5), noise(1.0, 0.4)]

    assert p1_sgd_noise._vanishes([noise(1.0, 1e-3)], decaying).holds is True
    assert p1_sgd_noise._vanishes([noise(1.0, 0.3)], decaying).holds is False
    some = [noise(1.0, 1e-3), noise(1.0, 0.3)]
    assert p1_sgd_noise._vanishes(some, decaying).holds is None
    early = p1_sgd_noise._vanishes([noise(1.0, 0.3, loss=0.1)], decaying)
    assert early.holds is None
    assert "not interpolated yet" in early.reason
    assert p1_sgd_noise._vanishes([], decaying).holds is None


def test_margins_spread_with_weight_decay():
    wide = [noise(1.0, deviation=0.2), noise(1.0, deviation=0.21)]
    narrow = [noise(1.0, deviation=0.01), noise(1.0, deviation=0.02)]

    assert p1_sgd_noise._spread(narrow, wide).holds is True
    assert p1_sgd_noise._spread(wide, narrow).holds is False
    assert p1_sgd_noise._spread(wide, wide).holds is None
    assert p1_sgd_noise._spread(wide[:1], narrow).holds is None
