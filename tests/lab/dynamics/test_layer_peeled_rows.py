"""Rows of a path of the layer-peeled model: those of the public measures."""

import math

import numpy as np
from numpy.testing import assert_allclose

from boundkit import collapse, ulpm
from boundkit.lab.dynamics.layer_peeled_paths import Model, Point, random_point
from boundkit.lab.dynamics.layer_peeled_rows import METRICS, Start, path_of, watched
from boundkit.lab.dynamics.layer_peeled_saddle import saddle_of

SHAPE = Model(3, 4, 5, "mean")
STEP = ("step", "1", "step")


def path(point, start, saddle=None):
    rows = np.stack([watched(SHAPE, point, start)])
    return path_of(STEP, np.zeros(1), np.zeros(1), rows, saddle)


def test_numbers_are_those_of_ulpm_and_collapse():
    point = random_point(SHAPE, 1.0, 0)
    peeled = ulpm(point.features, SHAPE.labels, point.weight)
    found = collapse(point.features, SHAPE.labels, point.weight)

    named = path(point, Start.of(point, None)).named

    for name in METRICS:
        assert_allclose(named[name], found[name], rtol=1e-13)
    for name in ("loss", "log10_loss_bound", "margin_efficiency", "alignment"):
        assert_allclose(named[name], peeled[name], rtol=1e-13)


def test_what_is_not_separated_has_no_residual_and_says_when():
    point = random_point(SHAPE, 1.0, 1)

    found = path(point, Start.of(point, None))

    assert math.isnan(found.named["kkt_epsilon"][0])
    column = next(c for c in found.table().columns if c.name == "kkt_epsilon")
    assert "not positive" in column.blank


def test_balance_and_what_is_conserved():
    point = random_point(SHAPE, 1.0, 2)
    start = Start.of(Point(2 * point.weight, point.features), None)
    weight, features = (np.sum(part**2) for part in (point.weight, point.features))

    named = path(point, start).named

    square = weight + features
    assert_allclose(named["radius"], math.sqrt(square), rtol=1e-13)
    assert_allclose(named["balance"], (weight - features) / square, rtol=1e-12)
    told = np.linalg.norm(3 * point.weight.T @ point.weight) / square
    assert_allclose(named["conserved"], told, rtol=1e-12)


def test_angles_stand_in_the_table_only_where_there_is_a_saddle():
    point = random_point(SHAPE, 1.0, 3)
    plain = path(point, Start.of(point, None)).table()
    four = Model(4, 1, 4, "mean")
    saddle = saddle_of(four, 1.0, 0.2)
    row = watched(four, saddle.begin, Start.of(saddle.begin, saddle))
    near = path_of(STEP, np.zeros(1), np.zeros(1), row[None], saddle)

    assert "angle" not in {column.name for column in plain.columns}
    assert_allclose(near.table().column("angle"), 0.2, rtol=1e-10)


def test_turning_and_reordering_leave_a_row_as_it_is():
    point = random_point(SHAPE, 1.0, 4)
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.standard_normal((5, 5)))[0]
    order = np.concatenate([4 * c + random.permutation(4) for c in range(3)])
    other = Point(point.weight @ turn, (point.features @ turn)[order])

    found = watched(SHAPE, other, Start.of(other, None))

    told = watched(SHAPE, point, Start.of(point, None))
    assert_allclose(found, told, rtol=1e-10, atol=1e-14)
