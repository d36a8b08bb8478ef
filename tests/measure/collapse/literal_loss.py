"""The square loss and its least-squares layer, sample by sample."""

import numpy as np


def square_loss(features, targets, weight, bias, decay):
    """Return the mean of ||W h + b - y||^2 / 2 and half the decay of W and b."""
    total = 0.0
    for h, y in zip(features, targets, strict=True):
        total += ((weight @ h + (0 if bias is None else bias) - y) ** 2).sum() / 2
    size = (weight**2).sum() + (0 if bias is None else (bias**2).sum())
    return total / len(features) + decay * size / 2


def best_layer(features, targets, decay, *, bias):
    """Return the layer of least square loss, by least squares on stacked equations."""
    n, p = features.shape
    extended = np.hstack([features, np.ones((n, 1))]) if bias else features
    ridge = np.sqrt(n * decay) * np.eye(extended.shape[1])
    rows = np.vstack([extended, ridge])
    right = np.vstack([targets, np.zeros((len(ridge), targets.shape[1]))])
    found = np.linalg.lstsq(rows, right, rcond=None)[0].T
    return (found[:, :p], found[:, p]) if bias else (found, None)


def parts(features, labels, targets, weight, bias, decay):
    """Return the total and P2's three parts, as losses of samples."""
    best, offset = best_layer(features, targets, decay, bias=bias is not None)
    shift = 0 if offset is None else offset
    size = (best**2).sum() + (0 if offset is None else (offset**2).sum())
    mean = {c: features[labels == c].mean(0) for c in set(labels)}
    within = np.mean([
        ((best @ (h - mean[y])) ** 2).sum()
        for h, y in zip(features, labels, strict=True)
    ])
    between = np.mean([
        ((best @ mean[c] + shift - t) ** 2).sum()
        for c, t in zip(labels, targets, strict=True)
    ])
    least = square_loss(features, targets, best, offset, decay)
    total = square_loss(features, targets, weight, bias, decay)
    return {
        "mse.total": total,
        "mse.l_nc1": (within + decay * size) / 2,
        "mse.l_nc23": between / 2,
        "mse.l_perp": total - least,
    }
