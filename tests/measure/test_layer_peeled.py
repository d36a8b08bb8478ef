"""The layer-peeled measures against the paper, a reference by hand, and laws."""

import json
import math

import numpy as np
import pytest
import torch

from boundkit.measure.layer_peeled import layer_peeled, two_rows

#: Example 3.1 of Ji et al. (2022): a KKT direction that is no optimum.
EXAMPLE = torch.tensor(
    [[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]], dtype=torch.float64
)


def collapsed(classes=5, width=7, each=3, scale=4.0, seed=0):
    """Return weight, features and labels of the optimum on a sphere."""
    generator = torch.Generator().manual_seed(seed)
    frame = torch.randn(width, classes, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(frame)[0]
    simplex = torch.eye(classes, dtype=torch.float64) - 1 / classes
    weight = scale * simplex @ basis.mT
    features = (weight / math.sqrt(each)).repeat_interleave(each, 0)
    return weight, features, torch.arange(classes).repeat_interleave(each)


def at_random(seed=0, n=40, width=6, classes=4, separated=False):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    weight = rng.normal(size=(classes, width))
    features = rng.normal(size=(n, width))
    if separated:
        features = 0.1 * features + 3 * weight[labels]
        weight *= 2
    return torch.tensor(weight), torch.tensor(features), torch.tensor(labels)


def measured(weight, features, labels, bias=None, size=1000):
    def batches():
        return zip(features.split(size), labels.split(size), strict=True)

    return layer_peeled(batches, weight, bias)


def by_hand(weight, features, labels):
    """Compute everything sample by sample in numpy, at margins that exp can take."""
    w, h, y = weight.numpy(), features.numpy(), labels.numpy()
    classes, n = len(w), len(h) / len(w)
    loss, g_w, g_h, gaps, slopes = 0.0, np.zeros_like(w), np.zeros_like(h), [], []
    for i, (row, k) in enumerate(zip(h, y, strict=True)):
        s = {j: (w[k] - w[j]) @ row for j in range(classes) if j != k}
        odds = 1 + sum(math.exp(-v) for v in s.values())
        loss += math.log1p(odds - 1)
        for j, v in s.items():
            c = math.exp(-v) / odds
            gaps.append(v)
            slopes.append(c)
            g_w[k] -= c * row
            g_w[j] += c * row
            g_h[i] -= c * (w[k] - w[j])
    theta = np.concatenate([w.ravel(), h.ravel()])
    g = -np.concatenate([g_w.ravel(), g_h.ravel()])
    q, rho = min(gaps), np.linalg.norm(theta)
    beta = theta @ g / rho / np.linalg.norm(g)
    gamma = -math.log(math.expm1(loss)) / rho**2
    multipliers = rho * np.array(slopes) / np.linalg.norm(g)
    slack = multipliers * (np.array(gaps) / q - 1)
    u, v = theta / rho, g / np.linalg.norm(g)
    allowed = rho**2 / (2 * (classes - 1) * math.sqrt(n))
    rows = w - w.mean(0)
    free = np.linalg.norm(rows) * np.linalg.norm(h) / (classes - 1) / math.sqrt(n)
    bound = n * classes * math.log1p((classes - 1) * math.exp(-allowed))
    found = {
        "margin_efficiency": q / allowed,
        "margin_efficiency_scale_free": q / free,
        "loss": loss,
        "loss_bound": bound,
        "loss_gap": loss - bound,
        "log10_loss": math.log10(loss),
        "log10_loss_bound": math.log10(bound),
        "least_margin": q,
        "gamma_tilde": gamma,
        "alignment": beta,
    }
    if q > 0 and gamma > 0:
        found |= {
            "kkt_epsilon": math.sqrt(2 * (1 - beta) / gamma),
            "kkt_delta": classes**2 * (classes - 1) * n / (2 * math.e * gamma * q),
            "kkt_residual": rho / math.sqrt(q) * np.linalg.norm(u - v),
            "complementarity": slack.max(),
            "complementarity_total": slack.sum(),
        }
    return found


def test_example_31():
    found = measured(EXAMPLE, EXAMPLE, torch.arange(4))

    assert found["least_margin"] == pytest.approx(2, rel=1e-14)
    assert found["margin_efficiency"] == pytest.approx(0.75, rel=1e-14)
    assert found["loss"] == pytest.approx(1.0154241, rel=1e-7)
    assert found["alignment"] == pytest.approx(1, rel=1e-14)
    assert found["kkt_residual"] == pytest.approx(0, abs=1e-12)
    assert found["gamma_tilde"] < 0
    assert found["kkt_epsilon"] is None
    assert "is not below log 2" in found.reasons["kkt_epsilon"]


@pytest.mark.parametrize("scale", [0.5, 4.0, 30.0, 300.0])
@pytest.mark.parametrize(("classes", "each"), [(2, 1), (5, 3), (5, 1)])
def test_collapse_reaches_every_bound(classes, each, scale):
    found = measured(*collapsed(classes, each=each, scale=scale))

    assert found["margin_efficiency"] == pytest.approx(1, rel=1e-12)
    assert found["margin_efficiency_scale_free"] == pytest.approx(1, rel=1e-12)
    assert found["log10_loss"] == pytest.approx(found["log10_loss_bound"], rel=1e-12)
    assert abs(found["loss_gap"]) <= 1e-12 * found["loss"]
    assert found["kkt_residual"] == pytest.approx(0, abs=1e-9)
    assert "optimum" not in found.reasons


def test_the_least_norm_of_margin_one_is_half_of_what_corollary_31_shows():
    weight, features, labels = collapsed(classes=5, each=3)
    q = measured(weight, features, labels)["least_margin"]

    norm = (weight.square().sum() + features.square().sum()).item() / q / 2

    assert norm == pytest.approx((5 - 1) * math.sqrt(3), rel=1e-12)


@pytest.mark.parametrize("separated", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_everything_equals_a_sum_over_samples_by_hand(seed, separated):
    arrays = at_random(seed, separated=separated)

    found, expected = measured(*arrays, size=7), by_hand(*arrays)

    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    undefined = {name for name, value in found.values.items() if value is None}
    assert undefined == set(found.values) - set(expected)
    assert undefined <= set(found.reasons)


def test_a_bias_is_one_more_column_beside_a_constant():
    weight, features, labels = at_random(separated=True)
    bias = torch.linspace(-1, 1, 4, dtype=torch.float64)
    wide = torch.cat([weight, bias[:, None]], 1)
    constant = torch.cat([features, torch.ones(len(features), 1)], 1)

    found, expected = (
        measured(weight, features, labels, bias),
        by_hand(wide, constant, labels),
    )

    for name in expected.keys() - {"margin_efficiency_scale_free"}:
        assert found[name] == pytest.approx(expected[name], rel=1e-9), name
    assert "the constant appended for the bias" in found.reasons["optimum"]
    assert "counts neither" in found.conventions["bias"]


@pytest.mark.parametrize("share", [0.01, 3.0, 100.0])
def test_the_scale_free_efficiency_does_not_see_scales(share):
    weight, features, labels = at_random(separated=True)
    bias = torch.linspace(-1, 1, 4, dtype=torch.float64)
    expected = measured(weight, features, labels, bias)

    found = measured(weight * share, features / share, labels, bias)

    name = "margin_efficiency_scale_free"
    assert found[name] == pytest.approx(expected[name], rel=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_no_bound_is_ever_exceeded(seed):
    rng = np.random.default_rng(seed)
    classes, width, n = rng.integers(2, 6), rng.integers(1, 6), rng.integers(1, 30)
    weight = torch.tensor(rng.normal(size=(classes, width)))
    labels = torch.tensor(rng.integers(0, classes, size=n))
    features = torch.tensor(rng.normal(size=(n, width))) + 2 * weight[labels]
    bias = torch.tensor(rng.normal(size=classes)) if seed % 2 else None

    found = measured(weight, features, labels, bias)

    assert found["margin_efficiency"] <= 1 + 1e-12
    assert found["log10_loss"] >= found["log10_loss_bound"] - 1e-12
    free = found["margin_efficiency_scale_free"]
    assert free is None or free <= 1 + 1e-12
    if found["kkt_epsilon"] is not None:
        assert found["kkt_residual"] <= found["kkt_epsilon"] * (1 + 1e-12)
        assert found["complementarity_total"] <= found["kkt_delta"]
    if found["gamma_tilde"] is not None:
        rho2 = weight.square().sum() + features.square().sum()
        rho2 += 0 if bias is None else bias.square().sum() + n
        assert found["gamma_tilde"] <= found["least_margin"] / rho2.item() + 1e-12


def test_unbalanced_classes_are_held_against_the_largest():
    weight, features, _ = collapsed(classes=3, each=4, width=4)
    labels = torch.arange(3).repeat_interleave(torch.tensor([6, 4, 2]))
    features = weight[labels]

    found = measured(weight, features, labels)

    rho2 = (weight.square().sum() + features.square().sum()).item()
    allowed = 3 * math.sqrt(6) * rho2 / (2 * 2 * 12)
    expected = found["least_margin"] / allowed
    assert found["margin_efficiency"] == pytest.approx(expected, rel=1e-12)
    assert found["margin_efficiency_scale_free"] == pytest.approx(1, rel=1e-12)
    assert "not balanced" in found.reasons["optimum"]


def test_a_simplex_that_does_not_fit_is_said_to():
    found = measured(*at_random(width=2))

    assert (
        "a simplex of 4 classes does not fit into 2 dimensions"
        in (found.reasons["optimum"])
    )


def test_two_logits_stand_for_one_output():
    rng = np.random.default_rng(0)
    weight, bias = torch.tensor(rng.normal(size=(1, 5))), torch.tensor([0.3])
    features = torch.tensor(rng.normal(size=(20, 5)))
    signs = torch.tensor(rng.choice([-1, 1], size=20))
    margins = signs * (features @ weight[0] + bias)

    found = measured(two_rows(weight, None)[0], features, (signs > 0).long())
    shifted = measured(
        *(two_rows(weight, bias)[0], features, (signs > 0).long()),
        two_rows(weight, bias)[1],
    )

    plain = signs * (features @ weight[0])
    assert found["least_margin"] == pytest.approx(plain.min().item(), rel=1e-12)
    assert shifted["least_margin"] == pytest.approx(margins.min().item(), rel=1e-12)
    assert shifted["loss"] == pytest.approx(
        torch.nn.functional.softplus(-margins).sum().item(), rel=1e-12
    )


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ((torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3).long()), "two classes"),
        ((torch.ones(2, 2), torch.ones(0, 2), torch.zeros(0).long()), "no samples"),
        (
            (torch.ones(2, 2), torch.full((1, 2), math.nan), torch.zeros(1).long()),
            "not finite",
        ),
        (
            (torch.full((2, 2), math.inf), torch.ones(1, 2), torch.zeros(1).long()),
            "not finite",
        ),
    ],
)
def test_what_has_no_value_has_a_reason(arrays, reason):
    found = measured(*arrays)

    assert set(found.values.values()) == {None}
    assert all(reason in why for why in found.reasons.values())
    assert found.descent.kind == "none"
    assert found.descent.summary()["reason"] == found.reasons["loss"]
    json.dumps(found.summary(), allow_nan=False)


def test_zero_weights_and_features_have_no_efficiency():
    zero = torch.zeros(3, 4)

    found = measured(zero, zero, torch.arange(3))

    assert found["loss"] == pytest.approx(3 * math.log(3), rel=1e-14)
    assert found["loss_gap"] == pytest.approx(0, abs=1e-14)
    assert found["margin_efficiency"] is None
    assert (
        found.reasons["margin_efficiency"] == "every weight and every feature is zero"
    )
    assert found.reasons["alignment"] == "the gradient or the point itself is zero"
    assert "not positive" in found.reasons["margin_efficiency_scale_free"]


@pytest.mark.parametrize("scale", [1.0, 40.0, 3000.0])
def test_the_summary_is_strict_json(scale):
    weight, features, labels = at_random(separated=True)

    summary = measured(weight * scale, features, labels).summary()

    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert {"margin_efficiency", "loss_gap", "kkt_delta", "descent"} <= summary.keys()
    for name, value in summary.items():
        assert value is not None or name in summary["reasons"]


def test_the_state_of_all_processes_is_what_counts():
    weight, features, labels = at_random(separated=True)
    expected = measured(weight, features, labels)
    shards = [slice(0, 11), slice(11, 11), slice(11, None)]
    given = []

    def merged(make):
        """Gather what every rank would hold at this point."""
        state = make()
        given.append(type(state).__name__)
        others = [of(state, features[s], labels[s]) for s in shards[1:]]
        return sum(others, state)

    def of(state, h, y):
        from boundkit.measure.peeled_descent import gradient_of
        from boundkit.numerics.layer_peeled import PeeledResiduals, PeeledSums, Tangent

        if isinstance(state, PeeledSums):
            return PeeledSums.of(h, y, weight)
        sums = PeeledSums.of(features, labels, weight)
        gradient = gradient_of(sums, weight, float(sums.energy))
        tangent = Tangent(
            gradient.pull, sums.log_scale, sums.least_margin, scatter=False
        )
        return PeeledResiduals.of(h, y, weight, tangent)

    found = layer_peeled(
        lambda: [(features[shards[0]], labels[shards[0]])], weight, None, merged
    )

    assert given == ["PeeledSums", "PeeledResiduals"]
    for name, value in expected.values.items():
        assert found[name] == pytest.approx(value, rel=1e-10), name


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="rank"):
        measured(*at_random())["rank"]
