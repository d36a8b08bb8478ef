"""The bundled nets, their features, and what numpy makes of those."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from boundkit.data import open_data
from boundkit.layers.model_spec import load_model

FIXTURES = Path("fixtures")
#: As many as boundkit takes at a time: float32 nets round otherwise in other batches.
BATCH = 256
HEADS = {
    "two_class": "head",
    "two_class_small": "head",
    "mlp": "head",
    "residual": "fc",
}


def checkpoint(name):
    return str(FIXTURES / "checkpoints" / f"{name}.pt")


def spec(name):
    return f"{FIXTURES / 'nets.py'}:{name}"


def sample(name, first=0, last=None):
    """Return inputs as a net sees them, and labels."""
    rows = list(open_data(str(FIXTURES / "data" / f"{name}.npz")).batches(4096))
    x, y = (torch.cat([row[part] for row in rows]) for part in (0, 1))
    return x[first:last].clone(), y[first:last].clone()


def run(name, x):
    """Return (n, p) features, (n, C) outputs, weight and bias, all float64."""
    net = load_model(spec(name))
    net.load_state_dict(torch.load(checkpoint(name), weights_only=True))
    head, seen, outputs = net.get_submodule(HEADS[name]), [], []
    head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].flatten(1)))
    with torch.inference_mode():
        outputs = [net.eval()(part) for part in x.split(BATCH)]
    bias = None if head.bias is None else head.bias.detach().double().numpy()
    weight = head.weight.detach().double().numpy()
    return (
        torch.cat(seen).double().numpy(),
        torch.cat(outputs).double().numpy(),
        weight,
        bias,
    )


def least_squares(h, targets, decay, biased):
    """Return the loss, weight and bias of the best last layer, in its dual form."""
    wide = np.hstack([h, np.ones((len(h), 1))]) if biased else h
    if wide.shape[1] > len(h):
        dual = np.linalg.solve(wide @ wide.T / len(h) + decay * np.eye(len(h)), targets)
        best = wide.T @ dual / len(h)
    else:
        second = wide.T @ wide / len(h) + decay * np.eye(wide.shape[1])
        best = np.linalg.solve(second, wide.T @ targets / len(h))
    return best.T


def square_loss(h, targets, layer, decay):
    wide = np.hstack([h, np.ones((len(h), 1))]) if layer.shape[1] > h.shape[1] else h
    gaps = wide @ layer.T - targets
    return ((gaps**2).sum(1).mean() + decay * (layer**2).sum()) / 2


def layer_of(weight, bias):
    return weight if bias is None else np.hstack([weight, bias[:, None]])


def decomposed(h, y, weight, bias, weight_decay):
    """Return the square loss and its parts, for torch's weight decay and MSELoss."""
    decay = weight_decay * len(weight) / 2
    targets = 2.0 * y[:, None] - 1 if len(weight) == 1 else np.eye(len(weight))[y]
    best = least_squares(h, targets, decay, bias is not None)
    total = square_loss(h, targets, layer_of(weight, bias), decay)
    least = square_loss(h, targets, best, decay)
    rows, shift = best[:, : h.shape[1]], best[:, h.shape[1] :].sum(1)
    means = np.stack([h[y == c].mean(0) for c in sorted(set(y))])
    wanted = np.stack([targets[y == c][0] for c in sorted(set(y))])
    share = np.bincount(y) / len(y)
    gaps = ((means @ rows.T + shift - wanted) ** 2).sum(1)
    return {
        "mse.total": total,
        "mse.l_nc23": share @ gaps / 2,
        "mse.l_nc1": least - share @ gaps / 2,
        "mse.l_perp": total - least,
    }


def within_span(h, y, means=None):
    """Return what can be had without p x p numbers."""
    classes = sorted(set(y))
    own = np.stack([h[y == c].mean(0) for c in classes])
    center = own.mean(0)
    off = h - own[y]
    _, strength, directions = np.linalg.svd(own - center, full_matrices=False)
    between = strength[: len(classes) - 1] ** 2 / len(classes)
    along = ((off @ directions[: len(classes) - 1].T) ** 2).mean(0)
    variance = np.array([(off[y == c] ** 2).sum(1).mean() for c in classes])
    used = own if means is None else means
    middle = used.mean(0)
    nearest = np.stack([np.linalg.norm(h - row, axis=1) for row in used]).argmin(0)
    pairs = [
        (variance[i] + variance[j]) / (2 * ((own[i] - own[j]) ** 2).sum())
        for i in classes
        for j in classes
        if i != j
    ]
    return {
        "nc1_pinv": (along / between).sum(),
        "nc1_pinv_per_class": (along / between).sum() / len(classes),
        "nc1_trace": (off**2).sum(1).mean(),
        "nc1_ratio": (off**2).sum(1).mean() / between.sum(),
        "nc1_distance": np.linalg.norm(h - used[y], axis=1).mean()
        / np.linalg.norm(h - middle, axis=1).mean(),
        "cdnv": np.mean(pairs),
        "ncc_error": (nearest != y).mean(),
    }, nearest


def binary(h, y, weight):
    """Return the measures of nets with one output."""
    low, high, row = h[y == 0].mean(0), h[y == 1].mean(0), weight[0]

    def cosine(one, other):
        return one @ other / np.linalg.norm(one) / np.linalg.norm(other)

    sizes = np.linalg.norm(low) + np.linalg.norm(high)
    return {
        "binary.antipodal": np.linalg.norm(low + high) / sizes,
        "binary.cos_plus": abs(cosine(row, high)),
        "binary.cos_minus": abs(cosine(row, low)),
        "binary.cos_difference": cosine(row, high - low),
    }


def peeled(h, outputs, y, weight, bias):
    """Return measures of the layer-peeled model; one output f stands for -f/2 and f/2."""
    if len(weight) == 1:
        weight = np.vstack([-weight, weight]) / 2
        bias = None if bias is None else np.concatenate([-bias, bias]) / 2
    logits = h @ weight.T + (0 if bias is None else bias)
    truth = logits[np.arange(len(y)), y]
    others = np.where(np.eye(len(weight), dtype=bool)[y], -np.inf, logits)
    top = logits.max(1, keepdims=True)
    losses = np.log(np.exp(logits - top).sum(1)) + top[:, 0] - truth
    least = (truth - others.max(1)).min()
    size = (weight**2).sum() + (h**2).sum()
    if bias is not None:
        size += (bias**2).sum() + len(h)
    k, most = len(weight), np.bincount(y).max()
    allowed = k * np.sqrt(most) * size / (2 * (k - 1) * len(h))
    return {
        "ulpm.loss": losses.sum(),
        "ulpm.least_margin": least,
        "ulpm.margin_efficiency": least / allowed,
    }
