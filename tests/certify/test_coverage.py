"""Certificates of nets trained on many small samples, against their true errors."""

import functools
from collections import defaultdict

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from boundkit.certify import BOUNDS
from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from tests.certify.examples import BY_ID, certificate, looked_at, wired
from tests.certify.residual_nets import Sum, conv

TRIALS, SAMPLES, DELTA = 3, 1000, 0.2
#: One label in twenty is wrong.
FLIPPED = 0.05
CENTERS = np.array([[-1, -1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1]])


def convolutional():
    return nn.Sequential(
        nn.Conv1d(1, 3, 2, stride=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6, 1, bias=False),
    )


def dense():
    return nn.Sequential(
        nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Linear(6, 1, bias=False)
    )


def pooled():
    return nn.Sequential(
        nn.Conv1d(1, 4, 3, padding=1, bias=True),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(8, 3, bias=True),
    )


def residual():
    block = Sum(
        nn.Sequential(
            conv(3, 3, bias=True, padding=1),
            nn.ReLU(),
            conv(3, 3, bias=True, padding=1),
        )
    )
    return nn.Sequential(
        conv(1, 3, bias=True, padding=1),
        nn.ReLU(),
        block,
        nn.ReLU(),
        nn.AvgPool1d(2),
        nn.Flatten(),
        nn.Linear(6, 1),
    )


#: Name -> (net, shape of an input, classes, bounds that do not cover it).
NETS = {
    "convolutional": (convolutional, (1, 4), 2, {"dense"}),
    "dense": (dense, (4,), 2, set()),
    "pooled, biases, 3 classes": (
        pooled,
        (1, 4),
        3,
        {"dense", "toeplitz", "galanti2023", "neyshabur2015", "neyshabur2018"},
    ),
    "residual, biases": (
        residual,
        (1, 4),
        2,
        {bound.id for bound in BOUNDS} - {"sparse_cnn", "holdout"},
    ),
}


def drawn(rng, shape, count, classes, random_labels):
    """Noisy classes on four positions, norms at most 1, and their labels from 0."""
    y = rng.integers(classes, size=count)
    x = CENTERS[y] + rng.normal(0, 0.7, (*y.shape, 4))
    x /= np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1)
    other = (y + rng.integers(1, classes, size=count)) % classes
    y = np.where(rng.random(count) < FLIPPED, other, y)
    if random_labels:
        y = rng.integers(classes, size=count)
    return x.reshape(*y.shape, *shape), y


def margins(outputs, y):
    """Margins of outputs (..., C) at labels from 0; one output is positive for 1."""
    if outputs.shape[-1] == 1:
        return (2 * y - 1) * outputs[..., 0]
    own = y[..., None].expand(*outputs.shape[:-1], 1)
    rest = outputs.scatter(-1, own, -torch.inf).amax(-1)
    return outputs.gather(-1, own)[..., 0] - rest


def trained(make, x, y):
    """One net per sample, from a few steps on the hinge loss."""
    nets = [make().double() for _ in range(len(x))]
    weights, _ = stack_module_state(nets)
    weights = {k: v.detach().requires_grad_() for k, v in weights.items()}
    run = vmap(lambda w, z: functional_call(nets[0], w, (z,)))
    optimizer = torch.optim.Adam(weights.values(), lr=0.06)
    for _ in range(60):
        loss = torch.relu(1 - margins(run(weights, x), y)).mean(1)
        norm = sum(w.square().flatten(1).sum(1) for w in weights.values())
        optimizer.zero_grad()
        (loss + 0.02 * norm).sum().backward()
        optimizer.step()
    for i, net in enumerate(nets):
        net.load_state_dict({k: v[i].detach() for k, v in weights.items()})
    return nets


def true_errors(nets, x, y):
    """Shares of a large sample on which the margin is not positive."""
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    with torch.no_grad():
        return [float((margins(net(x), y) <= 0).double().mean()) for net in nets]


def certificates(net, shape, sample, held_out):
    """Return id -> certificate over the whole catalog, as the analysis finds them."""
    network = wired(net, shape)
    sizes = completed(network, norms(network))
    classes = network.outputs
    seen, unseen = (
        looked_at(net, network, x, 2 * y - 1 if classes == 1 else y)
        for x, y in (sample, held_out)
    )
    return {
        bound.id: certificate(
            bound.id, network, seen, held_out=unseen, delta=DELTA, sizes=sizes
        )
        for bound in BOUNDS
    }


@functools.cache
def simulate(name, random_labels, trials, n):
    """Return id -> values over the trials, and the true errors."""
    make, shape, classes, _ = NETS[name]
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    x, y = drawn(rng, shape, (trials, n), classes, random_labels)
    nets = trained(make, torch.from_numpy(x), torch.from_numpy(y))
    found = defaultdict(list)
    for i, net in enumerate(nets):
        unseen = drawn(rng, shape, 200, classes, random_labels)
        for bound, c in certificates(net, shape, (x[i], y[i]), unseen).items():
            found[bound].append(c.value if c.status == "valid" else None)
    test = drawn(rng, shape, 20_000, classes, random_labels)
    return found, np.array(true_errors(nets, *test))


def check(name, random_labels, trials, n):
    """No bound fails too often, and none is silent without a cause."""
    _, _, classes, outside = NETS[name]
    found, true = simulate(name, random_labels, trials, n)

    assert {bound for bound, values in found.items() if None in values} == outside
    failed = {
        bound: int((np.array(found[bound]) < true).sum())
        for bound in BY_ID.keys() - outside
    }
    # The limit on held-out errors is tight: it fails about as often as it may.
    assert failed.pop("holdout") <= binom.isf(1e-3, trials, DELTA)
    # The others bound all nets of a norm at once, which leaves room.
    assert failed == dict.fromkeys(failed, 0)
    if random_labels:
        assert min(min(found[bound]) for bound in failed) >= 1 - 1 / classes


@pytest.mark.parametrize("random_labels", [False, True], ids=["labels", "noise"])
@pytest.mark.parametrize("name", NETS)
def test_no_bound_fails_more_often_than_it_says(name, random_labels):
    check(name, random_labels, TRIALS, SAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("n", [40, 4000])
@pytest.mark.parametrize("random_labels", [False, True], ids=["labels", "noise"])
@pytest.mark.parametrize("name", NETS)
def test_nor_in_many_trials_of_other_sizes(name, random_labels, n):
    check(name, random_labels, 20, n)


@pytest.mark.slow
@pytest.mark.parametrize("random_labels", [False, True], ids=["labels", "noise"])
def test_nor_where_a_million_samples_make_them_tight(random_labels):
    check("dense", random_labels, 1, 1_000_000)
    found, true = simulate("dense", random_labels, 1, 1_000_000)
    excess = {bound: values[0] - true[0] for bound, values in found.items()}

    # Measured: 0.02 and 0.03 with labels, 0.17 and 0.28 without.
    assert excess["dense"] < 0.2
    assert excess["galanti2023"] < 0.3


@pytest.mark.parametrize(
    ("name", "bound", "most"),
    [
        ("convolutional", "sparse_cnn", 0.7),
        ("convolutional", "toeplitz", 0.7),
        ("convolutional", "sparse_cnn_log", 1),
        ("convolutional", "galanti2023", 1),
        ("convolutional", "neyshabur2015", 1),
        ("convolutional", "golowich2018_l1", 1),
        ("dense", "dense", 0.5),
    ],
)
def test_the_statement_is_not_empty(name, bound, most):
    found, true = simulate(name, False, TRIALS, SAMPLES)

    assert max(found[bound]) < most
    assert true.min() > 0.04
