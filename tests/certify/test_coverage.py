"""Certificates of nets trained on many small samples, against their true errors."""

import numpy as np
import torch
from torch import nn

from tests.certify.examples import certificate, seen, wired

TRIALS, SAMPLES, DELTA = 40, 1000, 0.2


def drawn(rng, count):
    """Two noisy classes on four positions, one label in twenty wrong, norms at most 1."""
    y = rng.choice([-1.0, 1.0], count)
    x = y[:, None] * np.array([1, 1, -1, -1]) + rng.normal(0, 0.7, (count, 4))
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)
    return x, np.where(rng.random(count) < 0.05, -y, y)


def outputs(filters, heads, x):
    """(trials, n) outputs of nets with two windows, 3 filters and a head of 6."""
    hidden = torch.relu(torch.einsum("tcw,tnpw->tncp", filters, x.unflatten(2, (2, 2))))
    return torch.einsum("tcp,tncp->tn", heads, hidden)


def trained(x, y):
    """One net per trial, from a few steps on the hinge loss."""
    torch.manual_seed(0)
    filters = torch.randn(TRIALS, 3, 2, dtype=torch.float64, requires_grad=True)
    heads = torch.randn(TRIALS, 3, 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([filters, heads], lr=0.06)
    for _ in range(60):
        loss = torch.relu(1 - y * outputs(filters, heads, x)).mean(1)
        norm = filters.flatten(1).norm(dim=1) * heads.flatten(1).norm(dim=1)
        optimizer.zero_grad()
        (loss + 0.05 * norm).sum().backward()
        optimizer.step()
    return filters.detach(), heads.detach()


def test_certificates_of_trained_nets_fail_at_most_as_often_as_they_say():
    rng = np.random.default_rng(0)
    samples = [drawn(rng, SAMPLES) for _ in range(TRIALS)]
    x = torch.from_numpy(np.stack([s[0] for s in samples]))
    y = torch.from_numpy(np.stack([s[1] for s in samples]))
    filters, heads = trained(x, y)
    margins = (y * outputs(filters, heads, x)).numpy()
    test_x, test_y = (torch.from_numpy(part) for part in drawn(rng, 20_000))
    test = outputs(filters, heads, test_x.expand(TRIALS, -1, -1))
    true = ((test_y * test) <= 0).double().mean(1).numpy()
    module = nn.Sequential(
        nn.Conv1d(1, 3, 2, stride=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6, 1, bias=False),
    ).double()
    values = []
    for trial in range(TRIALS):
        module[0].weight.data = filters[trial][:, None]
        module[3].weight.data = heads[trial].reshape(1, 6)
        energy = x[trial].square().mean(0).numpy()
        evidence = seen(0, margins[trial], positions=energy)
        found = certificate("sparse_cnn", wired(module, (1, 4)), evidence, delta=DELTA)

        assert found.status == "valid"
        values.append(found.value)

    assert np.mean(np.array(values) < true) <= DELTA
    # The statement is not empty: it says something about every one of these nets.
    assert max(values) < 0.7
    assert true.min() > 0.04
