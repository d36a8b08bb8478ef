"""The judges of P0's figures, on runs whose verdict is known."""

from pathlib import Path

import numpy as np
import pytest

from boundkit.lab.figures.p0_fig2 import _deeper, _robust, _steady
from boundkit.lab.figures.p0_fig3 import _averaged, _depend, _Margins, _narrow
from boundkit.lab.figures.p0_fig3 import _robust as _robust_margins
from boundkit.lab.figures.p0_fig4 import _learned, _narrowest, _shrinks, _thinned
from boundkit.lab.figures.p0_fig5 import _falls, _trivial
from boundkit.lab.figures.poggio2021_runs import recipe_of
from boundkit.lab.runs import Run


def run(rhos, loss=0.1):
    rows = [
        {"epoch": at, "rho": rho, "log10_rho": float(np.log10(rho)), "loss": loss}
        for at, rho in enumerate(rhos)
    ]
    recipe = recipe_of("test", 0.01, 0.0)
    return Run(Path("nowhere"), recipe, (1, 28, 28), tuple(rows), None, 1.0)


@pytest.mark.parametrize(
    ("rhos", "up", "holds"),
    [
        ([1.0, 2.0, 3.0], True, True),
        ([1.0, 3.0, 2.0], True, False),
        ([3.0, 2.0, 1.0], False, True),
        ([3.0, 2.0, 2.5], False, False),
    ],
)
def test_rho_has_to_go_one_way_in_every_run(rhos, up, holds):
    steady = [1.0, 2.0, 4.0] if up else [4.0, 2.0, 1.0]

    assert _steady([run(steady), run(rhos)], up=up).holds is holds


def test_what_goes_the_other_way_is_said():
    found = _steady([run([1.0, 4.0, 2.0])], up=True)

    # From 4 to 2 is a factor of 2 against the claim.
    assert "by a factor of up to 2" in found.reason


def cases(small_free, large_free, small_decaying=(2.0, 2.1), large_decaying=(2.1, 2.2)):
    return {
        (0.01, 0.0): [
            run([x], loss) for x, loss in zip((1, 1), small_free, strict=True)
        ],
        (5.0, 0.0): [
            run([x], loss) for x, loss in zip((90, 99), large_free, strict=True)
        ],
        (0.01, 0.01): [run([x]) for x in small_decaying],
        (5.0, 0.01): [run([x]) for x in large_decaying],
    }


def test_which_initialization_reaches_a_smaller_loss():
    assert _deeper(cases((0.01, 0.011), (0.1, 0.11))).holds is True
    assert _deeper(cases((0.1, 0.11), (0.01, 0.011))).holds is False
    assert _deeper(cases((0.01, 1.0), (0.02, 2.0))).holds is None


def test_robustness_compares_ratios_with_and_without_decay():
    same = ((0.1, 0.1), (0.1, 0.1))

    assert _robust(cases(*same), "rho", "rho").holds is True
    assert _robust(cases(*same, large_decaying=(9e4, 1e5)), "rho", "rho").holds is False


def margins(level, width):
    values = level * (1 + width * np.linspace(-1, 1, 101))
    return _Margins(values, values / 2)


def found(decaying, free):
    return {
        (decay, init): [margins(level * (1 + 0.01 * seed), width) for seed in range(2)]
        for decay, levels in ((0.01, decaying), (0.0, free))
        for init, (level, width) in zip((0.1, 5.0), levels, strict=True)
    }


def test_margins_that_depend_on_the_initialization():
    clear = found([(1.0, 0.1), (1.1, 0.12)], [(1.0, 0.5), (9.0, 0.6)])

    assert _robust_margins(clear).holds is True
    assert _depend(clear).holds is True
    assert _narrow(clear).holds is True


def test_margins_that_do_not():
    turned = found([(1.0, 0.5), (9.0, 0.6)], [(1.0, 0.1), (1.0, 0.12)])

    assert _robust_margins(turned).holds is False
    assert _depend(turned).holds is None
    assert _narrow(turned).holds is False


def test_a_training_that_diverged_has_no_margins():
    lost = found([(1.0, 0.1), (1.1, 0.12)], [(1.0, 0.5), (9.0, 0.6)])
    lost[0.0, 5.0] = [_Margins(None, None)] * 2

    assert _depend(lost).holds is None
    assert _robust_margins(lost).holds is None
    assert _averaged(lost[0.0, 5.0], "rho") is None


def test_margins_are_averaged_rank_by_rank():
    runs = [
        _Margins(np.linspace(0, 1, 401), None),
        _Margins(np.linspace(2, 3, 201), None),
    ]

    np.testing.assert_allclose(
        _averaged(runs, "rho"), np.linspace(1, 2, 41), rtol=1e-12, atol=0
    )


def row(epoch, deviation, relative):
    return {"epoch": epoch, "deviation": deviation, "deviation_over_mean": relative}


@pytest.mark.parametrize(
    ("end", "holds"), [((0.5, 0.2), True), ((2.0, 0.2), None), ((2.0, 2.0), False)]
)
def test_the_distribution_narrows_in_itself_and_beside_its_mean(end, holds):
    rows = [row(1, 1.0, 1.0), row(9, *end)]

    assert _shrinks(rows).holds is holds


def test_the_last_epoch_is_compared_with_all_before():
    rows = [row(1, 1.0, 1.0), row(5, 0.1, 0.15), row(9, 0.2, 0.2)]

    found = _narrowest(rows)

    assert found.holds is False
    assert "(epoch 5)" in found.measured
    assert _narrowest([*rows, row(20, 0.05, 0.1)]).holds is True
    assert _narrowest([*rows, row(20, 0.5, 0.1)]).holds is None
    assert _narrowest(rows[:1]).holds is None


@pytest.mark.parametrize(
    ("errors", "first"), [((0.5, 0.1, 0.2, 0.0), 1), ((0.5, None), 2), ((), 0)]
)
def test_epochs_count_once_the_net_has_learned_something(errors, first):
    assert _learned([{"train_error": each} for each in errors]) == first


def test_some_epochs_are_drawn_and_the_last_is_one():
    series = [{"epoch": at} for at in range(18)]
    drawn = [one["epoch"] for one in _thinned(series)]

    assert len(drawn) == 7
    assert (drawn[0], drawn[-1]) == (0, 17)
    assert _thinned(series[:1]) == series[:1]
    assert _thinned([]) == []


def test_collapse_is_judged_once_the_error_is_zero():
    lines = {"epoch": [0, 10, 20], "NC1": [9.0, 1.0, 0.5]}

    assert _falls("it falls", lines, "NC1", 10).holds is True
    assert _falls("it falls", lines | {"NC1": [9, 0.5, 1.0]}, "NC1", 10).holds is False
    slight = _falls("it falls", lines | {"NC1": [9, 1.0, 0.95]}, "NC1", 10)
    assert slight.holds is None
    assert "less than 10 %" in slight.reason
    assert _falls("it falls", lines | {"NC1": [9, None, 1.0]}, "NC1", 10).holds is None
    assert _falls("it falls", lines, "NC1", 20).holds is None
    assert _falls("it falls", lines, "NC1", None).holds is None


def test_what_holds_for_every_net_is_no_finding():
    assert _trivial({"norms of means": [0.0], "angle of means": [0.0]}).holds is None
