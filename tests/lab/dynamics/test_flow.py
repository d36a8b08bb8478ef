from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.lab.dynamics.flow import run_flow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two classes that a small net can separate."""
    generator = np.random.default_rng(0)
    y = np.arange(40) % 2
    x = generator.standard_normal((40, 5)) + 2 * (2 * y - 1)[:, None]
    path = tmp_path_factory.mktemp("flow") / "data.npz"
    np.savez(path, x=x.astype(np.float32), y=y)
    return str(path)


@pytest.fixture(scope="module")
def found(data):
    return boundkit.simulate(
        "flow",
        data=data,
        samples=20,
        widths=(4,),
        rounding=0.2,
        decay=0.02,
        time=1000.0,
        points=30,
        rtol=1e-6,
    )


@cache
def scalar(rate=None, depth=3, time=None, decay=0.01, rho=0.3):
    return run_flow(
        reduction="scalar",
        margins=(0.2, 0.3, 0.1, 0.4),
        decay=decay,
        rate=rate,
        depth=depth,
        time=time,
        rho=rho,
    )


def test_a_net_at_rest_does_what_the_papers_say(found):
    states = {check.name: check.holds for check in found.checks}

    assert states.pop("growth") in {True, None}
    assert all(states.values()), states
    assert found.stopped is None
    assert not found.undefined


def test_tables_are_complete(found):
    assert [table.name for table in found.tables] == ["normalized", "unnormalized"]
    for table in found.tables:
        assert len(table.column("time")) == 31
        assert table.column("time")[-1] == 1000.0
        for column in table.columns:
            assert column.blank or np.isfinite(column.numbers).all(), column.name
    assert found.settings["samples"] == 20
    assert found.settings["rtol"] == 1e-6


def test_frames_and_names(found):
    frame = found.frame("unnormalized")

    assert frame["rho"].iloc[0] == pytest.approx(0.3, rel=1e-12)
    with pytest.raises(UsageError, match="table must be one of normalized, unnormal"):
        found.table("other")
    with pytest.raises(UsageError, match="column must be one of time, rho"):
        found.table().column("other")
    with pytest.raises(UsageError, match="check must be one of unit norms"):
        found.check("other")


def test_the_order_of_samples_does_not_matter(data, tmp_path):
    with np.load(data) as held:
        x, y = held["x"][:20], held["y"][:20]
    order = np.random.default_rng(1).permutation(20)
    other = tmp_path / "other.npz"
    np.savez(other, x=x[order], y=y[order])
    short = {"samples": 20, "widths": (3,), "rounding": 0.3, "time": 5.0, "points": 5}
    one, two = (
        run_flow(data=path, rtol=1e-8, **short).table().column("rho")
        for path in (data, str(other))
    )

    # Solvers choose their steps by sums whose rounding differs.
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_scalar_reduction_by_hand():
    """mu = .25, M = .075, lam = .01: rho_eq = 2.9411765, epsilon = .2647059."""
    result = scalar()

    assert result.summary["rho_eq = mu/(M + lam)"] == pytest.approx(2.9411765, abs=5e-8)
    assert result.check("epsilon").predicted == pytest.approx(0.2647059, abs=5e-8)
    assert result.check("rho_eq").found == pytest.approx(2.9411765, rel=1e-4)
    assert all(check.holds for check in result.checks)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_free_norms_of_any_depth(depth):
    assert scalar(depth=depth).check("free norms").holds


def test_a_rate_adds_descent_and_its_models():
    result = scalar(rate=1.0)
    states = {check.name: check.holds for check in result.checks}

    assert states["frequency"] is None
    assert states["slow mode"]
    assert all(state is not False for state in states.values())
    assert [table.name for table in result.tables] == [
        "flow",
        "descent",
        "second-order",
    ]


def test_the_model_turns_where_descent_does_not():
    """1/4 < eta (M + lam) < 1/2."""
    check = scalar(rate=4.0).check("turns alike")

    assert check.holds is False
    assert "from eta (M + lam) = 1/4 on, descent only from 1/2 on" in check.reason
    assert scalar(rate=4.0).check("frequency").holds


def test_both_turn_above_one_half():
    result = scalar(rate=8.0, time=200.0)

    assert result.check("turns alike").holds
    assert result.stopped is None


def test_a_diverging_rate_is_reported_and_its_data_kept():
    result = scalar(rate=20.0, time=2000.0)

    assert result.undefined
    assert "eta (M + lam) = 1.7 must be below 1; give a --rate below 11.8" in str(
        result.stopped
    )
    steps = result.table("descent").column("rho_descent")
    assert np.isfinite(steps[:10]).all()
    assert abs(steps[np.isfinite(steps)][-1]) > 1e6
    assert result.check("stable rate").holds
    assert result.check("rho_eq").holds
    # The times are so far apart that the flow rests at all of them.
    assert "give more --points" in result.check("free norms").reason


def test_no_average_separability_is_said():
    result = run_flow(reduction="scalar", margins=(0.1, -0.3), decay=0.1)

    assert "no average separability" in result.notes[0]
    assert result.check("rho_eq").predicted < 0
    assert result.check("free norms").holds is None


def test_too_little_time_leaves_claims_open():
    result = scalar(time=1.0)

    assert result.check("rho_eq").holds is None
    assert "give more --time" in result.check("epsilon").reason


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rho": 0.0}, "rho must be a number above 0, but got 0.0"),
        ({"rho": -1.0}, "rho must be a number above 0, but got -1.0"),
        ({"decay": -0.1}, "decay must be a number of at least 0, but got -0.1"),
        ({"rate": -0.1}, "rate must be a number above 0, but got -0.1"),
        ({"time": 0.0}, "time must be a number above 0, but got 0.0"),
        ({"points": 2}, "points must be a whole number of at least 5, but got 2"),
        ({"reduction": "x"}, "reduction must be one of net, scalar, but got 'x'"),
        ({"solver": "x"}, "solver must be one of RK45"),
        ({"margins": ()}, "margins must be at least one number, but got none"),
        ({"margins": (0.2, 1.5)}, r"margins must lie in \[-1, 1\], .* but got 1.5"),
        ({"margins": (0.2, np.nan)}, "margins must be a finite number, but got nan"),
        ({"margins": (0.0,), "decay": 0.0}, "margins must not all be 0 where decay is"),
        ({"depth": 0}, "depth must be a whole number of at least 1, but got 0"),
        ({"rate": 1e9}, "rate must take between 1 and 100,000 steps to time"),
        ({"rate": 1e-9}, "rate must take between 1 and 100,000 steps to time"),
    ],
)
def test_settings_of_the_reduction_out_of_range(settings, message):
    with pytest.raises(UsageError, match=message):
        run_flow(**{"reduction": "scalar"} | settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (0,)}, "widths must be a whole number of at least 1, but got 0"),
        (
            {"widths": (900,)},
            "the net must have at most 3,000 parameters to be followed",
        ),
        ({"rounding": -1.0}, "rounding must be a number of at least 0, but got -1"),
        ({"classes": (0,)}, "classes must be two labels, but got 1"),
        ({"samples": 7}, "samples must be even, half of each class, but got 7"),
        ({"seed": -1}, "seed must be a whole number of at least 0, but got -1"),
    ],
)
def test_settings_of_the_net_out_of_range(data, settings, message):
    with pytest.raises(UsageError, match=message):
        run_flow(data=data, samples=settings.pop("samples", 4), **settings)


def test_too_few_samples_are_told(data):
    with pytest.raises(DataError, match="20 samples of class 0, but 50 are asked for"):
        run_flow(data=data, samples=100)
