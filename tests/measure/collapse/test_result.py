"""The result: looked up, tabulated, summarized."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from boundkit.errors import UsageError
from boundkit.measure.collapse.result import nested
from tests.measure.collapse.samples import collapsed, drawn

FOUND = collapse(*drawn((9, 14, 6), 4))


def test_a_value_or_an_array_by_name():
    assert FOUND["nc1_pinv"] > 0
    assert FOUND["cosines.means"].shape == (3, 3)
    assert FOUND["predictions.xu2023.alpha"] is None


def test_an_unknown_name_is_named_with_what_there_is():
    with pytest.raises(
        KeyError, match=r"no measure 'nc5'; there are: nc1_pinv, .*cosines"
    ):
        FOUND["nc5"]


def test_the_frame_has_a_row_a_measure():
    frame = FOUND.frame()

    assert list(frame.columns) == ["name", "value", "convention", "source", "reason"]
    assert list(frame["name"]) == [one.name for one in FOUND.findings]
    assert frame.set_index("name").loc["nc1_pinv", "value"] == FOUND["nc1_pinv"]


def test_families_are_tables_of_the_summary():
    summary = FOUND.summary()

    assert summary["mse"]["total"] == FOUND["mse.total"]
    assert summary["snr"]["singular_values"] == FOUND["snr.singular_values"].tolist()
    assert summary["predictions"]["xu2023"]["alpha"] is None
    assert summary["per_class"]["count"] == [9, 14, 6]
    assert "predictions.xu2023.*" in summary["reasons"]
    assert summary["present"] == "0-2"


def test_a_family_that_fails_in_part_names_its_members():
    reasons = collapse(*drawn((9, 9, 9), 4)).reasons

    assert "predictions.rangamani2022.*" not in reasons
    assert "weight decay" in reasons["predictions.rangamani2022.norm_residual"]


def test_large_tables_and_long_lists_are_left_out_and_said_to_be():
    features, labels, weight, bias = drawn((1,) * 70, 3)
    found = collapse(features, labels, weight, bias)
    summary = found.summary()

    assert summary["cosines"]["means"] is None
    assert summary["reasons"]["cosines.means"] == "left out: a table of 70 x 70 numbers"
    assert found["cosines.means"].shape == (70, 70)

    wide = collapse(np.zeros((2, 1500)), [0, 1]).summary()
    assert len(wide["eigenvalues"]["within"]) == 1024
    assert wide["reasons"]["eigenvalues.within"] == "the first 1024 of 1500 numbers"


def test_classes_that_have_samples_are_named_as_ranges():
    features, labels, weight, bias = drawn((2, 0, 3, 1, 0, 2), 4)

    found = collapse(features, labels, weight, bias)

    assert found.summary()["present"] == "0, 2-3, 5"
    assert any(each.endswith("left out: 2 of 6") for each in found.notices)
    assert any(each.endswith("no spread of its own: 1") for each in found.notices)


def test_it_shows_values_and_notes():
    text = repr(FOUND)

    assert text.startswith("collapse of 29 samples in 3 classes\n")
    assert "  nc1_pinv " in text
    assert "note: classes have 6 to 14 samples" in text
    assert "xu2023" not in text


def test_a_notebook_gets_a_table():
    assert FOUND._repr_html_().startswith("<table><tr><td>nc1_pinv</td>")


def test_it_draws_what_it_has_numbers_for():
    figures = FOUND.figures()

    assert list(figures) == [
        "class_cosines",
        "covariance_eigenvalues",
        "class_spread",
        "loss_decomposition",
    ]
    assert "29 samples" in FOUND.plot().get_suptitle()
    spread = FOUND.plot("class_spread").axes[0]
    np.testing.assert_allclose(
        [bar.get_height() for bar in spread.patches],
        FOUND["per_class.spread"],
        rtol=1e-12,
    )


def test_a_figure_of_something_else_is_refused():
    with pytest.raises(UsageError, match="layer_spectra cannot be drawn"):
        FOUND.plot("layer_spectra")


def test_dots_are_tables():
    assert nested({"a.b.c": 1, "a.d": 2, "e": 3}) == {
        "a": {"b": {"c": 1}, "d": 2},
        "e": 3,
    }


def test_eigenvalues_are_those_of_the_covariances():
    features, labels, *_ = collapsed(3, 4)
    found = collapse(features, labels)

    # A simplex of three unit rows scaled by 3: Sigma_B has 2 eigenvalues 9 * (3/2) / 3.
    np.testing.assert_allclose(found["eigenvalues.between"], [4.5, 4.5], rtol=1e-13)
    np.testing.assert_allclose(found["eigenvalues.within"], 0, atol=1e-28)
    assert found.absent["cosines.weights"] == "needs the classifier; give its weight"
