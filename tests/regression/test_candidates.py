"""Which columns are measures, and which say how nets were trained."""

from __future__ import annotations

import pandas as pd
import pytest

from boundkit.regression.candidates import (
    hyperparameters_of,
    is_measured,
    measures_of,
)

FRAME = pd.DataFrame({
    "path": list("abcdef"),
    "rho": [1.0, 2, 3, 4, 5, 6],
    "bytes": [1, 2, 3, 4, 5, 6],
    "bound.holdout": [1.0, 2, 3, 4, 5, 6],
    "bound.dense": [1.0, 2, 3, 4, 5, None],
    "bound.dense.n_needed": [1.0, 2, 3, 4, 5, 6],
    "margins.mean": [None, None, None, None, 1.0, 2],
    "noise.none": [None] * 6,
    "lr": [0.1, 0.1, 0.1, 0.2, 0.2, 0.2],
    "optimizer": ["sgd", "adam"] * 3,
    "seed": [0, 1, 2] * 2,
    "epoch": [9, 9, 9, 8, 8, 8],
    "train_error": [0, 0, 0, 0.1, 0.1, 0.1],
    "meta.lr": [0.1, 0.1, 0.1, 0.2, 0.2, 0.2],
    "mine": [3.0, 1, 2, 6, 5, 4],
    "test_error": [0.1, 0.1, 0.2, 0.2, 0.3, 0.3],
})


def test_choices_are_columns_whose_values_repeat():
    assert hyperparameters_of(FRAME, "test_error") == ("lr", "optimizer")


def test_measures_are_numbers_of_the_net():
    found, left = measures_of(FRAME, "test_error", ("lr", "optimizer"))

    assert found == ("rho", "bound.dense", "mine")
    assert {one.name: one.reason for one in left} == {
        "bound.holdout": "computed from test data, so it predicts nothing",
        "margins.mean": "only 2 nets have it",
    }


@pytest.mark.parametrize(
    ("name", "expected"), [("rho", True), ("measure.x", True), ("lr", False)]
)
def test_what_a_sweep_computes_is_no_choice(name, expected):
    assert is_measured(name) is expected
