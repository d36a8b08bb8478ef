"""Rows of the central path: what they are, and where they come from."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from boundkit import collapse
from boundkit.lab.dynamics.central_path_flow import Design, beginning, classifier
from boundkit.lab.dynamics.central_path_rows import (
    MEASURES,
    Frame,
    path_of,
    watched,
)
from boundkit.lab.dynamics.solving import Solution

SHAPE = Design(3, 6, 5, "project")


@pytest.fixture
def features():
    return beginning(SHAPE, 1.0, 0)


def path(features, times=(0.0, 0.0)):
    row = watched(features, SHAPE, Frame.of(features, SHAPE))
    rows = np.stack([row for _ in times])
    solution = Solution(np.array(times), rows, features.ravel(), 1, 1, None)
    return path_of(solution, SHAPE.law)


def test_signal_to_noise_values_are_singular_values_of_the_means(features):
    frame = Frame.of(features, SHAPE)

    found = watched(features, SHAPE, frame)

    assert_allclose(found[:2], frame.strength, rtol=1e-12)


def test_measures_are_those_of_boundkit_collapse(features):
    labels = np.repeat(np.arange(3), 6)
    told = collapse(features.T, labels, *classifier(features, SHAPE))

    found = path(features).named

    for name in MEASURES:
        assert_allclose(found[name][0], told[name], rtol=1e-12, atol=1e-30)


def test_nothing_has_drifted_at_the_start(features):
    found = path(features).named

    for name in ("covariance_drift", "mean_drift", "vector_drift"):
        assert_allclose(found[name], 0, atol=1e-13)


def test_a_frame_has_no_distance_from_its_own_limit(features):
    frame = Frame.of(features, SHAPE)
    limit = np.repeat(frame.left @ frame.right, 6, axis=1)
    noise = SHAPE.within(features)
    size = np.linalg.norm(noise) / np.sqrt(2 * 6)

    row = watched(1e3 * limit + noise, SHAPE, frame)

    assert_allclose(row[2 + 3], 0, atol=1e-12)
    assert_allclose(row[2 + 4], size / 1e3, rtol=1e-9)


def test_other_singular_vectors_are_seen(features):
    frame = Frame.of(features, SHAPE)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]

    row = watched(turn @ features, SHAPE, frame)

    assert row[2 + 2] > 0.1


def test_the_closed_form_stands_beside_each_value(features):
    found = path(features, (0.0, 100.0))

    told = [SHAPE.law.moved(value, 100.0) for value in found.strength[0]]
    assert_allclose(found.closed[1], told, rtol=1e-12)
    names = [column.name for column in found.table().columns]
    assert names[:5] == [
        "time",
        "omega_1",
        "omega_1_closed",
        "omega_2",
        "omega_2_closed",
    ]
    assert len(set(names)) == len(names)
