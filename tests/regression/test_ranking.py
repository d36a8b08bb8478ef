"""``boundkit.rank_measures``: which columns, which nets, which order."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.regression import document, ranking, ranking_text


def sweep(seed=0):
    """Return 3 x 3 settings of 3 seeds with a good, a bad and an opposite measure."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        [(a, b, s) for a in (0.1, 0.2, 0.4) for b in (1, 2, 3) for s in range(3)],
        columns=["label_noise", "width", "seed"],
    )
    error = rows["label_noise"] + 0.02 * rows["width"] + 0.01 * rng.normal(size=27)
    return rows.assign(
        test_error=error,
        **{
            "measure.good": error + 0.02 * rng.normal(size=27),
            "measure.opposite": -np.exp(error) - 0.5,
            "measure.noise": rng.normal(size=27),
            "measure.constant": 1.0,
            "margins.test.mean": error,
            "bound.x.status": "valid",
            "train_error": 0.0,
        },
    )


def test_the_order_is_that_of_the_mistakes():
    found = boundkit.rank_measures(sweep(), test_size=5000)
    names = [one.name for one in found.measures]

    assert names == ["measure.opposite", "measure.good", "measure.noise"]
    assert found.measures[0].direction == -1
    assert found.measures[0].sign_error_worst == 0
    assert found.measures[0].granulated == pytest.approx(-1, abs=1e-12)
    assert found.hyperparameters == ("label_noise", "width")
    assert found.nets == 27


def test_what_is_not_ranked_says_why():
    found = boundkit.rank_measures(sweep())

    assert {one.name: one.reason for one in found.left_measures} == {
        "measure.constant": "the same for all nets",
        "margins.test.mean": "computed from test data, so it predicts nothing",
    }


def test_measures_that_order_alike_are_one():
    frame = sweep().assign(rho=lambda f: np.exp(-f["measure.opposite"]))
    found = boundkit.rank_measures(frame)

    assert found.measures[0].name == "measure.opposite"
    assert found.measures[0].same == ("rho",)


def test_columns_can_be_named():
    found = boundkit.rank_measures(
        sweep(), measures="measure.noise", hyperparameters=["label_noise"]
    )

    assert [one.name for one in found.measures] == ["measure.noise"]
    assert list(found.measures[0].by_hyperparameter) == ["label_noise"]
    assert not any("because their values repeat" in one for one in found.remarks)


def test_a_measure_that_some_nets_lack_is_said_to_have_fewer():
    frame = sweep()
    frame.loc[:3, "measure.good"] = np.nan
    found = {one.name: one for one in boundkit.rank_measures(frame).measures}

    assert found["measure.good"].nets == 23
    assert math.isnan(found["measure.good"].granulated)
    assert math.isfinite(found["measure.good"].kendall)


def test_without_hyperparameters_only_correlations_are_given():
    frame = pd.DataFrame({"a": [1, 2, 3, 4, 5.0], "test_error": [1, 2, 3, 5, 4.0]})
    found = boundkit.rank_measures(frame)

    assert found.measures[0].kendall == pytest.approx(0.8, rel=1e-12)
    assert found.measures[0].environments == 0
    assert "no hyperparameter is known" in found.remarks[0]


def test_a_threshold_that_no_environment_meets_is_said():
    found = boundkit.rank_measures(sweep(), least_effective=10)

    assert found.measures[0].environments == 0
    assert any("have enough pairs" in one for one in found.remarks)


def test_noise_counts_less_with_a_sample_size():
    many = boundkit.rank_measures(sweep(), test_size=10**6)
    few = boundkit.rank_measures(sweep(), test_size=500)

    assert few.measures[0].environments < many.measures[0].environments
    assert any("too few trusted pairs" in one for one in few.remarks)


def test_chance_among_many_measures_is_said():
    rng = np.random.default_rng(0)
    noise = {f"measure.{i}": rng.normal(size=27) for i in range(40)}
    found = boundkit.rank_measures(sweep().assign(**noise))

    assert "of 42 measures about 2 would reach p < 0.05 by chance" in found.remarks


def test_more_nets_than_pairs_allow_are_drawn(monkeypatch):
    monkeypatch.setattr(ranking, "MOST_NETS", 20)
    found = boundkit.rank_measures(sweep())

    assert found.nets == 20
    assert any("20 of 27 nets were drawn by seed 0" in one for one in found.remarks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_size": 0}, "test_size must be at least 1, but got 0"),
        ({"least_effective": 0}, "least_effective must be above 0, but got 0"),
        ({"measures": 3}, "measures must be names of different columns, but got 3"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        boundkit.rank_measures(sweep(), **options)


def test_architectures_are_not_mixed_unless_asked_for():
    frame = sweep().assign(parameters=lambda f: 10 * f["width"])

    with pytest.raises(UsageError, match="mix architectures"):
        boundkit.rank_measures(frame)
    assert "as asked" in boundkit.rank_measures(frame, mix=True).remarks[0]


def test_too_few_nets_are_one_clear_line():
    with pytest.raises(
        DataError, match="2 nets with 2 different values of 'test_error'"
    ):
        boundkit.rank_measures(sweep()[:2])
    with pytest.raises(DataError, match="there is no column of a measure beside"):
        boundkit.rank_measures(pd.DataFrame({"test_error": [1, 2, 3.0]}))


def test_json_is_strict():
    found = boundkit.rank_measures(sweep())
    text = document.RANKING_FORMATS[1].render(found)
    whole = json.loads(text, parse_constant=pytest.fail)

    assert whole["schema"] == "boundkit.ranking/1"
    assert whole["measures"][0]["name"] == "measure.opposite"


@pytest.mark.parametrize("width", [60, 100])
def test_text_is_safe_and_no_wider_than_asked(width):
    frame = sweep().rename(columns={"measure.good": "measure.\x1b" + "x" * 99})
    shown = ranking_text.render(boundkit.rank_measures(frame, test_size=999), width)

    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= width
    assert "not ranked, the same for all nets: measure.constant" in " ".join(
        shown.split()
    )


def test_the_frame_has_a_row_a_measure():
    frame = boundkit.rank_measures(sweep()).frame()

    assert frame["measure"].tolist()[0] == "measure.opposite"
    assert {"granulated.label_noise", "sign_error.worst"} <= set(frame.columns)
