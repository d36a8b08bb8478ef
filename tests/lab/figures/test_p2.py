"""The judges of P2's figures, on courses whose verdict is known."""

from pathlib import Path

import pytest

from boundkit.lab.figures.han2022_runs import NETS, first_perfect, recipe_of
from boundkit.lab.figures.p2_collapse import _approaches
from boundkit.lab.figures.p2_fig2 import _falls, _later, _negligible
from boundkit.lab.figures.p2_losses import _faster, _slower
from boundkit.lab.figures.p2_robustness import _compared, _grows, _looked_at
from boundkit.lab.figures.p2_table1 import _improves
from boundkit.lab.runs import Run


def run(*errors):
    rows = [{"epoch": 10 * at, "train_error": each} for at, each in enumerate(errors)]
    recipe = recipe_of("test", NETS[0], "square")
    return Run(Path("nowhere"), recipe, (1, 28, 28), tuple(rows), None, 1.0)


def test_the_first_epoch_without_errors():
    assert first_perfect(run(0.9, 0.1, 0.0, 0.0)) == 20
    assert first_perfect(run(0.9, 0.1)) is None


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ([5.0, 1.0, 0.5], True),
        # Falls at first, but rises in the terminal phase.
        ([5.0, 0.5, 1.0], False),
        # Nothing left to fall.
        ([0.2, 0.0, 0.0], True),
        ([5.0, None, 1.0], None),
    ],
)
def test_collapse_is_judged_in_the_terminal_phase(values, holds):
    lines = {"epoch": [0, 10, 20], "NC1": values}

    found = _approaches("it falls", lines, "NC1", run(0.9, 0.0, 0.0))

    assert found.holds is holds
    assert bool(found.reason) is (holds is not True)


def test_without_a_terminal_phase_nothing_can_be_told():
    lines = {"epoch": [0, 10], "NC1": [5.0, 1.0]}

    assert _approaches("it falls", lines, "NC1", run(0.9, 0.1)).holds is None
    assert _approaches("it falls", lines, "NC1", run(0.9, 0.0)).holds is None


@pytest.mark.parametrize(
    ("ends", "holds"),
    [
        ({"a": (1.0, 2.0), "b": (1.0, 3.0)}, True),
        ({"a": (2.0, 1.0), "b": (3.0, 1.0)}, False),
        ({"a": (1.0, 2.0), "b": (3.0, 1.0)}, None),
        ({"a": (None, 2.0)}, None),
    ],
)
def test_which_loss_collapses_faster(ends, holds):
    assert _faster(ends).holds is holds


@pytest.mark.parametrize(
    ("train", "test", "holds"),
    [
        ([4.0, 0.1], [5.0, 1.0], True),
        ([4.0, 0.1], [5.0, 6.0], False),
        ([4.0, 1.0], [5.0, 0.5], False),
        # Untrained features without spread between classes do not count.
        ([None, 4.0, 0.1], [None, 5.0, 1.0], True),
        ([4.0, None], [5.0, 1.0], None),
    ],
)
def test_collapse_on_test_data(train, test, holds):
    lines = {"square loss, train": train, "square loss, test": test}

    assert _slower("a net", lines, "square loss").holds is holds


def test_the_share_of_the_part_off_the_central_path():
    assert _negligible({"a": 0.01, "b": 0.05}).holds is True
    assert _negligible({"a": 0.01, "b": 0.5}).holds is False
    assert _negligible({"a": None}).holds is None


def test_all_parts_have_to_fall():
    falling = {"L_NC1": [1.0, 0.1], "L_NC2/3": [1.0, 0.2], "L_perp": [1.0, 0.3]}

    assert _falls({"a": falling}).holds is True
    assert _falls({"a": falling | {"L_perp": [1.0, 2.0]}}).holds is False


def test_which_part_falls_by_the_larger_factor():
    lines = {"epoch": [0, 10, 20], "L_NC1": [9, 1.0, 0.1], "L_NC2/3": [9, 1.0, 0.5]}

    assert _later("a", lines, 10, 0.0).holds is True
    turned = lines | {"L_NC2/3": [9, 1.0, 0.01]}
    assert _later("a", turned, 10, 0.0).holds is False
    late = _later("a", lines, None, 0.25)
    assert late.holds is None
    assert "25.0 %" in late.measured


def row(before, after):
    return {"net": "a", "accuracy_0_error": before, "accuracy_final": after}


def test_improvements_have_to_exceed_the_noise_of_the_test_sample():
    assert _improves((row(80.0, 90.0),), 2000).holds is True
    assert _improves((row(90.0, 80.0),), 2000).holds is False
    close = _improves((row(90.0, 90.5),), 2000)
    assert close.holds is None
    assert "less than two standard errors" in close.reason
    assert _improves((row(None, 80.0),), 2000).holds is None


def test_robustness_is_compared_with_its_errors():
    assert _compared("more", "x", [(0.1, 0.01), (0.2, 0.01)]).holds is True
    assert _compared("more", "x", [(0.2, 0.01), (0.1, 0.01)]).holds is False
    assert _compared("more", "x", [(0.1, 0.1), (0.2, 0.1)]).holds is None
    assert _compared("more", "x", [(None, None), (0.2, 0.1)]).holds is None


def test_robustness_grows_from_the_first_epoch_without_errors():
    lines = {
        "epoch": [0, 10, 20],
        "mean": [0.5, 0.1, 0.2],
        "standard error": [0.01, 0.01, 0.01],
        "first": 10,
    }

    assert _grows("a", lines).holds is True
    assert _grows("a", lines | {"first": None}).holds is None


def test_epochs_looked_at_are_few_and_hold_those_of_the_claims():
    found = _looked_at(tuple(range(0, 90, 3)), 33, 6)

    assert {0, 33, 87} <= set(found)
    assert len(found) <= 7
