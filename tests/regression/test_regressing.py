"""``boundkit.regress``: what becomes of rows, groups and arguments."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.regression import document, text


def table(**columns):
    return pd.DataFrame({
        "inverse_rho": [1.0, 2, 3, 4],
        "test_error": [4.0, 3, 1, 1],
    }).assign(**columns)


def regress(frame, *arguments, **options):
    return boundkit.regress(frame, *arguments, **{"resamples": 100} | options)


def test_the_defaults_are_one_over_rho_and_the_test_error():
    found = regress(table())

    assert (found.x, found.y) == ("inverse_rho", "test_error")
    assert found.fit.line.slope.estimate == pytest.approx(-1.1, rel=1e-12)
    assert found.fit.line.intercept.estimate == pytest.approx(5, rel=1e-12)
    assert len(found.fit.points) == 4
    assert [p.rows for p in found.fit.points] == [(0,), (1,), (2,), (3,)]


def test_the_error_on_the_sweeps_test_data_stands_in():
    frame = table().rename(columns={"test_error": "margins.test.train_error"})
    found = regress(frame)

    assert found.y == "margins.test.train_error"
    assert "there is no column 'test_error'" in found.remarks[0]
    with pytest.raises(DataError, match="there is no column 'test_error'"):
        regress(frame, y="test_error")


def test_no_row_is_lost():
    frame = pd.DataFrame({
        "path": list("abcdefghij"),
        "status": ["analyzed"] * 8 + ["failed", "pending"],
        "inverse_rho": [1, 2, 3, np.nan, np.inf, 5, 7, 2, 1, 1],
        "test_error": [3, 2, 2, 1, 1, None, 2, 2, 1, 1],
        "sha256": ["0", "1", "2", "3", "4", "5", "6", "1", None, None],
    })
    found = regress(frame)
    reasons = {one.reason: one.rows for one in found.left_out}

    assert reasons == {
        "status failed": (8,),
        "status pending": (9,),
        "'inverse_rho' is missing": (3,),
        "'inverse_rho' is infinite": (4,),
        "'test_error' is missing": (5,),
        "repeats another row": (7,),
    }
    assert [p.label for p in found.fit.points] == ["a", "b", "c", "g"]
    used = {r for p in found.fit.points for r in p.rows}
    assert used | {r for rows in reasons.values() for r in rows} == set(range(10))


def test_text_says_what_was_left_out():
    found = regress(pd.concat([table(), table()[:1]]))

    assert "left out: 1 row, repeats another row" in repr(found)
    assert "4 points of 5 rows" in repr(found)


def test_repeats_are_averaged():
    frame = pd.DataFrame({
        "noise": [0, 0, 1, 1, 2, 2],
        "seed": [0, 1] * 3,
        "inverse_rho": [1.0, 3, 4, 4, 6, 8],
        "test_error": [1.0, 2, 3, 5, 6, 6],
    })
    found = regress(frame, by="noise")
    first = found.fit.points[0]

    assert [p.label for p in found.fit.points] == ["noise 0", "noise 1", "noise 2"]
    assert (first.x, first.y, first.rows) == (2, 1.5, (0, 1))
    assert first.x_sd == pytest.approx(math.sqrt(2), rel=1e-12)
    assert not any("each seed" in one for one in found.remarks)
    assert any("each seed is a point" in one for one in regress(frame).remarks)


def test_groups_are_fitted_apart_and_jointly():
    frame = pd.DataFrame({
        "inverse_rho": [1.0, 2, 3, 4, 1, 2, 3, 5],
        "test_error": [1.0, 2, 3, 4.1, 4, 3, 2.1, 0],
        "decay": [0.1] * 4 + [0.2] * 4,
    })
    found = regress(frame, group="decay")
    up, down = found.groups

    assert (up.group, down.group) == ("0.1", "0.2")
    assert up.line.slope.estimate > 0.9
    assert down.line.slope.estimate < -0.9
    assert found.joint.slopes_differ.p < 1e-3
    assert any("slopes differ among groups of decay" in r for r in found.remarks)


def test_a_group_without_a_line_says_why():
    frame = table(g=["a", "a", "a", "b"])
    found = regress(frame, group="g")

    assert found.groups[0].line is not None
    assert found.groups[1].reason.startswith("1 point cannot tell a line from chance")
    assert "not fitted: 1 point" in repr(found)


def test_architectures_are_not_mixed_unless_asked_for():
    frame = table(architecture=["a", "a", "b", "b"])

    with pytest.raises(UsageError, match=r"mix architectures \('architecture': a, b\)"):
        regress(frame)
    found = regress(frame, mix=True)
    assert found.fit.line is not None
    assert "the points mix architectures" in found.remarks[0]


@pytest.mark.parametrize(
    ("column", "what"),
    [("parameters", "architectures"), ("training_size", "training-set sizes")],
)
def test_counts_tell_kinds_apart(column, what):
    with pytest.raises(UsageError, match=f"mix {what} .*: 10, 20.* --mix"):
        regress(table(**{column: [10, 10, 20, 20]}))


def test_groups_of_one_architecture_each_are_fitted_apart_only():
    frame = pd.concat([
        table(arch="a"),
        table(arch="b") * {"inverse_rho": 2, "test_error": 1, "arch": 1},
    ])
    found = regress(frame, group="arch")

    assert found.fit.line is None
    assert "mix architectures" in found.fit.reason
    assert found.joint is None
    assert [fit.line.df for fit in found.groups] == [2, 2]
    assert "No line through all" in repr(found)


def test_logarithms_leave_out_what_has_none():
    frame = pd.DataFrame({
        "inverse_rho": [1, 10, 100, 0.0],
        "test_error": [3, 2, 1, 9.0],
    })
    found = regress(frame, log="x")

    assert found.x == "log10(inverse_rho)"
    assert found.fit.line.slope.estimate == pytest.approx(-1, rel=1e-12)
    assert (
        found.left_out[0].reason == "'inverse_rho' is not above 0, so has no logarithm"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"inverse_rho": [1, 1, 1, 1.0]},
            r"'inverse_rho' is constant \(1\) over the 3",
        ),
        ({"test_error": [2, 2, 2, 2.0]}, r"'test_error' is constant \(2\) over the 4"),
        (
            {"inverse_rho": [1, 2, None, None]},
            r"2 points cannot.*2 for 'inverse_rho' is m",
        ),
        (
            {"inverse_rho": ["a", "2", 3, "x"]},
            r"no column of numbers: 2 of 4 cells .*'a'",
        ),
    ],
)
def test_no_line_is_one_clear_line(columns, message):
    with pytest.raises(DataError, match=message):
        regress(table(**columns))


def test_numbers_written_as_text_are_numbers():
    assert regress(table(inverse_rho=["1", "2", "3", "4"])).fit.line is not None


def test_a_missing_column_is_named_with_its_neighbors():
    with pytest.raises(DataError, match=r"no column 'inverse_roh'; did you mean 'inv"):
        regress(table(), x="inverse_roh")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log": "z"}, "log must be one of none, x, y, xy, but got 'z'"),
        ({"level": 1.0}, r"level must lie in \(0, 1\), but got 1.0"),
        (
            {"resamples": 10},
            "resamples must lie between 100 and 10,000,000, but got 10",
        ),
        ({"x": "test_error"}, "x and y are both 'test_error'; give two columns"),
        ({"group": "test_error"}, "'test_error' is an axis already"),
        ({"by": ["a", "a"]}, "by must be names of different columns"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        regress(table(), **options)


def test_a_missing_group_leaves_a_row_out():
    found = regress(table(g=["a", "a", "a", None]), group="g")

    assert found.left_out[-1].reason == "'g' is missing"


def test_json_is_strict_and_whole():
    found = regress(table(g=["a", "a", "a", "b"]), group="g")
    whole = json.loads(
        document.REGRESSION_FORMATS[1].render(found), parse_constant=pytest.fail
    )

    assert whole["schema"] == "boundkit.regression/1"
    assert whole["fit"]["line"]["slope"]["estimate"] == pytest.approx(-1.1, rel=1e-12)
    assert whole["groups"][1]["line"] is None
    assert len(whole["fit"]["points"]) == 4


def test_frames_have_a_row_a_point_and_a_row_a_line():
    found = regress(table(g=["a", "a", "a", "b"]), group="g")

    assert found.frame()["g"].tolist() == ["a", "a", "a", "b"]
    assert found.coefficients()["n"].tolist() == [4, 3, 1]
    assert found.coefficients()["slope"].tolist()[0] == pytest.approx(-1.1, rel=1e-12)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_lines_are_no_wider_than_asked(width):
    frame = table(path=["x" * 200, "b\x1b[31m", "c", "d"], g=["a", "a", "a", "b"])
    shown = text.render(regress(frame, group="g"), width)

    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= width


def test_the_notebook_shows_the_same_escaped():
    html = regress(table(path=["<b>", "b", "c", "d"]))._repr_html_()

    # The page is quoted once more, as the content of its frame.
    assert "&amp;lt;b&amp;gt;" in html
    assert "<b>" not in html


def test_the_same_seed_gives_the_same_numbers():
    assert document.document(regress(table())) == document.document(regress(table()))
