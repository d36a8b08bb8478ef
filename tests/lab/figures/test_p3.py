"""The judges of P3's figures, on ends whose verdict is known."""

from pathlib import Path

import numpy as np
import pytest

from boundkit.collapsing import collapse
from boundkit.lab.figures.p3_collapse import _fitted, _lower, _variance
from boundkit.lab.figures.rangamani2022_runs import DECAYS, recipe_of
from boundkit.lab.runs import Run

STRONG, WEAK, NONE = DECAYS


@pytest.mark.parametrize(
    ("strong", "weak", "holds"),
    [
        ([0.1, 0.11], [0.2, 0.21], True),
        ([0.1, 0.11], [2.0, 2.1], False),
        # One of both cannot be told from none.
        ([0.1, 0.11], [0.9, 1.1], None),
        # Runs differ, but all pairs agree: a tenth, and a half.
        ([0.1, 0.106], [0.5, 0.524], True),
        ([0.1, None], [0.2, 0.21], None),
    ],
)
def test_both_decays_have_to_end_below_none(strong, weak, holds):
    ends = {
        STRONG: {"NC1": strong},
        WEAK: {"NC1": weak},
        NONE: {"NC1": [1.0, 1.05]},
    }

    found = _lower("NC1", ends, fitted=True)

    assert found.holds is holds
    assert bool(found.reason) is (holds is not True)


def test_nets_that_do_not_fit_refute_nothing():
    ends = {
        STRONG: {"NC1": [2.0, 2.1]},
        WEAK: {"NC1": [3.0, 3.1]},
        NONE: {"NC1": [1.0, 1.05]},
    }

    assert _lower("NC1", ends, fitted=True).holds is False
    found = _lower("NC1", ends, fitted=False)
    assert found.holds is None
    assert "not all nets fit" in found.reason


def run(loss, error):
    rows = ({"epoch": 0, "loss": loss, "train_error": error},)
    return Run(Path("nowhere"), recipe_of("test", 0.0), (1, 28, 28), rows, None, 1.0)


@pytest.mark.parametrize(
    ("loss", "error", "holds", "words"),
    [
        (0.01, 0.0, True, ""),
        (0.01, 0.002, False, "on the wrong side"),
        (0.2, 0.0, False, "a loss is above 0.05"),
        (None, None, None, "diverged"),
    ],
)
def test_all_nets_have_to_fit(loss, error, holds, words):
    found = _fitted({STRONG: [run(0.02, 0.0)], NONE: [run(loss, error)]})

    assert found.holds is holds
    assert words in found.reason


def test_the_variance_is_that_of_centered_means():
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 7))
    labels = np.repeat(np.arange(3), 20)
    means = np.stack([features[labels == c].mean(0) for c in range(3)])
    norms = np.linalg.norm(means - means.mean(0), axis=1)

    found = _variance(collapse(features, labels, random.normal(size=(3, 7))))

    np.testing.assert_allclose(found, np.var(norms), rtol=1e-9, atol=0)
