"""Gradients and steps of the layer-peeled model, against torch; laws."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from boundkit.lab.dynamics.layer_peeled_paths import (
    Model,
    Point,
    descended,
    random_point,
)
from boundkit.numerics.layer_peeled import output_gradient


def model(reduction="sum", **changes):
    shape = {"classes": 4, "per_class": 3, "width": 6} | changes
    return Model(**shape, reduction=reduction)


def differentiated(shape, point):
    """Return the gradient of torch's cross-entropy in classifier and features."""
    weight = torch.tensor(point.weight, requires_grad=True)
    features = torch.tensor(point.features, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(
        features @ weight.mT, torch.from_numpy(shape.labels), reduction=shape.reduction
    )
    return torch.autograd.grad(loss, (weight, features))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_flow_starts_down_the_gradient(reduction):
    shape = model(reduction)
    point = random_point(shape, 1.0, 0)

    found = shape.slope()(0.0, point.flat)

    told = np.concatenate([
        -part.numpy().ravel() for part in differentiated(shape, point)
    ])
    assert_allclose(found, told, rtol=1e-12, atol=1e-15)


def test_the_clock_is_the_logarithm_of_time():
    shape = model()
    point = random_point(shape, 1.0, 1)

    found = shape.slope()(5.0, point.flat)

    assert_allclose(found, np.exp(5.0) * shape.slope()(0.0, point.flat), rtol=1e-12)


def test_losses_below_floats_leave_a_slope():
    shape = model()
    point = random_point(shape, 1.0, 2)
    own = np.eye(4)[shape.labels]
    far = Point(40 * np.eye(4, 6), 20 * own @ np.eye(4, 6) + 1e-3 * point.features)
    labels = torch.from_numpy(shape.labels)
    errors = output_gradient(
        torch.from_numpy(far.features),
        labels,
        torch.from_numpy(far.weight),
        torch.tensor(-690.0, dtype=torch.float64),
    )

    found = shape.point(shape.slope()(690.0, far.flat))

    told = -(errors.mT @ torch.from_numpy(far.features)).numpy()
    assert np.abs(told).max() > 0
    assert_allclose(found.weight, told, rtol=1e-10)


def test_the_flow_keeps_what_scaling_of_the_two_layers_keeps():
    shape = model()
    point = random_point(shape, 1.0, 3)
    slope = shape.point(shape.slope()(0.0, point.flat))

    change = slope.weight.T @ point.weight - slope.features.T @ point.features

    assert_allclose(change + change.T, 0, atol=1e-13)


def test_turning_both_layers_turns_the_slope():
    shape = model()
    point = random_point(shape, 1.0, 4)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    turned = Point(point.weight @ turn, point.features @ turn)

    found = shape.point(shape.slope()(0.0, turned.flat))

    told = shape.point(shape.slope()(0.0, point.flat))
    assert_allclose(found.weight, told.weight @ turn, atol=1e-14)
    assert_allclose(found.features, told.features @ turn, atol=1e-14)


def test_the_order_of_samples_does_not_matter():
    shape = model()
    point = random_point(shape, 1.0, 5)
    random = np.random.default_rng(1)
    order = np.concatenate([3 * c + random.permutation(3) for c in range(4)])

    found = shape.point(
        shape.slope()(0.0, Point(point.weight, point.features[order]).flat)
    )

    told = shape.point(shape.slope()(0.0, point.flat))
    assert_allclose(found.features, told.features[order], atol=1e-14)
    assert_allclose(found.weight, told.weight, atol=1e-14)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_descent_is_torch_sgd(reduction):
    shape = model(reduction)
    begin = random_point(shape, 0.5, 6)
    weight = torch.nn.Parameter(torch.tensor(begin.weight))
    features = torch.nn.Parameter(torch.tensor(begin.features))
    optimizer = torch.optim.SGD([weight, features], lr=0.1)
    labels = torch.from_numpy(shape.labels)
    for _ in range(50):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(
            features @ weight.mT, labels, reduction=reduction
        ).backward()
        optimizer.step()

    *_, (step, found) = descended(shape, begin, 0.1, np.array([0, 7, 50]))

    assert step == 50
    assert_allclose(found.weight, weight.detach().numpy(), rtol=1e-10, atol=1e-13)
    assert_allclose(found.features, features.detach().numpy(), rtol=1e-10, atol=1e-13)


def test_descent_leaves_its_start_as_it_was():
    shape = model()
    begin = random_point(shape, 0.5, 7)
    before = begin.flat

    points = list(descended(shape, begin, 0.1, np.array([0, 5])))

    assert np.array_equal(begin.flat, before)
    assert np.array_equal(points[0][1].flat, before)
    assert points[1][0] == 5


def test_descent_that_overflows_ends():
    shape = model()

    found = list(
        descended(shape, random_point(shape, 1.0, 8), 1e6, np.array([0, 1, 10_000]))
    )

    assert [step for step, _ in found] == [0, 1]


def test_progress_is_told_in_chunks():
    shape, told = model(), []

    list(
        descended(
            shape,
            random_point(shape, 1.0, 9),
            0.1,
            np.array([0, 2500]),
            lambda *given: told.append(given),
        )
    )

    assert [done for done, _, _ in told] == [1000, 2000, 2500]
    assert {whole for _, whole, _ in told} == {2500}
