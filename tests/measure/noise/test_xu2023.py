"""The update of (53) and the residual of Lemma 8, on the normalized net itself."""

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.func import functional_call

from boundkit.measure.noise.xu2023 import Euler, tangents, widest
from tests.measure.noise.nets import cnn, measured, mlp, sample

NETS = [(mlp(4, 5, 3, 1), (4,)), (cnn(1, nn.ReLU(), nn.MaxPool1d(2)), (1, 6))]


def unit_net(module):
    """V, rho, and f_V as a function of V."""
    weights = {k: p.detach() for k, p in module.named_parameters()}
    norms = {k: float(w.norm()) for k, w in weights.items()}
    return {k: w / norms[k] for k, w in weights.items()}, float(
        np.prod(list(norms.values()))
    )


def pulls(module, x, y):
    """(l_n, fb_n, {k: d fb_n/dV_k - fb_n V_k}) of each sample, by autograd on f_V."""
    V, rho = unit_net(module)
    found = []
    for one, label in zip(x, y, strict=True):
        leaves = {k: v.clone().requires_grad_() for k, v in V.items()}
        fb = label * functional_call(module, leaves, (one[None],)).squeeze()
        slopes = torch.autograd.grad(fb, list(leaves.values()))
        fb = float(fb.detach())
        parts = {k: (g - fb * V[k]).numpy() for k, g in zip(V, slopes, strict=True)}
        found.append((1 - rho * fb, fb, parts))
    return found, rho


@pytest.mark.parametrize(("module", "shape"), NETS)
@pytest.mark.parametrize("batch", [1, 3, 11])
def test_the_update_is_that_of_the_normalized_net(module, shape, batch):
    x, y = sample(11, *shape)
    found, rho = pulls(module, x, y)
    layers = {
        one.name: one.values for one in measured(module, x, y, batch=batch).layers
    }
    for name in layers:
        t = np.array([2 * rho * ell * part[name].ravel() for ell, _, part in found])
        factor = (11 - batch) / (batch * 10)
        noise, mean = t.var(0).sum() * factor, t.mean(0)
        lengths = np.linalg.norm(t, axis=1)
        bound = lengths.var() * factor + lengths.mean() ** 2

        assert layers[name]["update_norm_stderr"] == 0
        np.testing.assert_allclose(
            [
                layers[name][k]
                for k in ("update_norm", "update_noise", "update_norm_bound")
            ],
            [np.sqrt(noise + mean @ mean), noise, np.sqrt(bound)],
            rtol=1e-9,
            atol=1e-14,
        )


@pytest.mark.parametrize(("module", "shape"), NETS)
def test_lemma_8_compares_all_pairs(module, shape):
    x, y = sample(11, *shape)
    found, _ = pulls(module, x, y)
    layers = {one.name: one.values for one in measured(module, x, y).layers}
    V, _ = unit_net(module)
    for name in layers:
        # As it is written: (l_i dfb_i - l_j dfb_j) - (l_i fb_i - l_j fb_j) V_k.
        v = V[name].numpy()
        slopes = [(ell, fb, part[name] + fb * v) for ell, fb, part in found]
        residuals = [
            np.linalg.norm((li * di - lj * dj) - (li * fi - lj * fj) * v)
            for li, fi, di in slopes
            for lj, fj, dj in slopes
        ]
        single = [np.linalg.norm(ell * (d - f * v)) for ell, f, d in slopes]

        np.testing.assert_allclose(
            layers[name]["lemma8_residual"], max(residuals), rtol=1e-9
        )
        np.testing.assert_allclose(layers[name]["lemma8_norm"], max(single), rtol=1e-9)


@pytest.mark.parametrize(("module", "shape"), NETS)
@pytest.mark.parametrize("batch", [1, 4, 11])
def test_the_bound_is_above_the_norm_and_meets_it_for_single_samples(
    module, shape, batch
):
    for one in measured(module, *sample(11, *shape), batch=batch).layers:
        norm, bound = one.values["update_norm"], one.values["update_norm_bound"]

        assert norm <= bound * (1 + 1e-12)
        if batch == 1:
            np.testing.assert_allclose(norm, bound, rtol=1e-12)


def test_a_linear_net_by_hand():
    # W = (3, 4), x = (1, 0) and (0, 1), y = +1: rho = 5, fb = .6 and .8, l = -2 and -3;
    # d fb - fb V = (.64, -.48) and (-.48, .36), of lengths .8 and .6.
    module = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, 4.0]]))
    x, y = torch.eye(2, dtype=torch.float64), torch.ones(2)
    (one,) = measured(module, x, y, batch=1).layers
    (whole,) = measured(module, x, y, batch=2).layers
    # t = -10 * (2 * (.64, -.48)) and -10 * (3 * (-.48, .36)), lengths 16 and 18, opposite.

    np.testing.assert_allclose(one.values["update_norm"] ** 2, (16**2 + 18**2) / 2)
    np.testing.assert_allclose(whole.values["update_norm"], 1.0)
    np.testing.assert_allclose(whole.values["update_norm_bound"], 17.0)
    np.testing.assert_allclose(one.values["update_noise"], 17.0**2)
    np.testing.assert_allclose(one.values["lemma8_residual"], 3.4)
    np.testing.assert_allclose(one.values["lemma8_norm"], 1.8)
    assert whole.values["update_noise"] == whole.values["gradient_noise"] == 0


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_the_update_of_a_layer_depends_on_the_product_of_norms_alone(factor):
    # W_1 -> c W_1, W_2 -> W_2 / c leaves f, rho and every V_k.
    module = mlp(4, 5, 1)
    x, y = sample(9, 4)
    before = measured(module, x, y, batch=2)
    with torch.no_grad():
        module[0].weight.mul_(factor)
        module[2].weight.div_(factor)
    after = measured(module, x, y, batch=2)

    for old, new in zip(before.layers, after.layers, strict=True):
        for column in ("update_norm", "update_norm_bound", "lemma8_residual"):
            np.testing.assert_allclose(
                new.values[column], old.values[column], rtol=1e-9
            )


def test_where_every_pull_vanishes_and_no_sample_is_fitted_layers_have_rank_one():
    # V_1 = u v^T, V_2 = u^T, x = |x| v: d fb/dV_k = fb V_k although l = 1 - f is not 0.
    module, (x, _) = mlp(6, 4, 1), sample(1, 6)
    u = torch.tensor([[0.1, 0.5, 0.7, 0.5]], dtype=torch.float64)
    with torch.no_grad():
        module[0].weight.copy_(0.3 * u.mT @ x / x.norm())
        module[2].weight.copy_(0.2 * u)
    found = measured(module, x.repeat(3, 1), torch.ones(3), batch=2)

    assert float(module(x).detach()) < 0.5
    for one in found.layers:
        np.testing.assert_allclose(one.values["lemma8_norm"], 0, atol=1e-12)
        np.testing.assert_allclose(one.values["update_norm"], 0, atol=1e-12)
        np.testing.assert_allclose(one.values["distance_to_rank_p"], 0, atol=1e-12)


def test_the_identity_of_euler_fails_with_a_bias():
    found = measured(mlp(4, 5, 1, bias=True), *sample(9, 4))

    for one in found.layers:
        assert one.values["identity_residual"] > 1e-3
        assert one.values["update_norm"] is None
        assert "not linear in '0.weight'" in one.reasons["update_norm"]


def test_the_length_of_a_pull_follows_from_the_identity():
    # ||d fb - fb V||^2 = ||d fb||^2 - fb^2, since <V, d fb> = fb.
    V = torch.tensor([0.6, 0.8], dtype=torch.float64)
    x = torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=torch.float64)
    f = x @ V
    found = tangents({"a": x}, f, torch.ones(2).double(), {"a": V})["a"]

    np.testing.assert_allclose(
        found.square().sum(1), x.square().sum(1) - f.square(), rtol=1e-13
    )


def test_the_widest_pair_is_found_across_chunks_despite_a_large_mean():
    rows = torch.randn(9, 4, dtype=torch.float64) + 1e6
    mean = {"a": rows.mean(0)}
    squares = [
        widest({"a": one}, {"a": two}, mean)["a"]
        for one in torch.split(rows, 4)
        for two in torch.split(rows, 4)
    ]

    np.testing.assert_allclose(max(squares), torch.pdist(rows).max() ** 2, rtol=1e-8)


def test_nothing_leaves_the_device():
    with FakeTensorMode():
        rows = {"a": torch.empty(3, 5, device="cuda", dtype=torch.float64)}
        one = torch.empty(3, device="cuda", dtype=torch.float64)
        weight = {"a": torch.empty(5, device="cuda", dtype=torch.float64)}
        pull = tangents(rows, one, one, weight)
        euler = Euler.of(rows, one, weight)

        assert pull["a"].device.type == "cuda"
        assert (euler + euler).worst["a"].device.type == "cuda"
        assert widest(pull, pull, weight)["a"].device.type == "cuda"
