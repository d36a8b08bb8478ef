"""Noise of whole nets: by sample-by-sample autograd, by enumeration, by laws."""

import copy
import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from boundkit.errors import DataError, ModelError, UsageError
from boundkit.measure.noise import passes
from boundkit.measure.noise.findings import COLUMNS
from boundkit.measure.noise.jitter import weight_jitter
from tests.measure.noise.nets import (
    cnn,
    measured,
    mlp,
    normalizing,
    reference,
    sample,
    stored,
    wired,
)

NETS = {
    "dense": (mlp(4, 5, 3), (4,), 3),
    "scalar": (mlp(4, 5, 1), (4,), 1),
    "biased": (mlp(4, 5, 1, bias=True), (4,), 1),
    "cnn": (cnn(2), (1, 6), 2),
    "normalizing": (normalizing(), (1, 6), 3),
}


def values(found):
    return {layer.name: layer.values for layer in found.layers}


@pytest.mark.parametrize("loss", ["square", "cross-entropy"])
@pytest.mark.parametrize("name", NETS)
def test_noise_and_signal_are_those_of_autograd(name, loss):
    module, shape, classes = NETS[name]
    x, y = sample(9, *shape, classes=classes)
    found = values(measured(module, x, y, batch=2, loss=loss, weight_decay=0.1))
    for layer, rows in reference(module, x, y, loss).items():
        weight = dict(module.named_parameters())[layer].detach().numpy().ravel()
        mean, trace = rows.mean(0), rows.var(0).sum()
        pulled = mean + 0.2 * weight
        expected = {
            "gradient_noise": trace * 7 / 16,
            "signal": mean @ mean,
            "noise_scale": trace / (mean @ mean),
            "signal_with_decay": pulled @ pulled,
            "normalized_noise": trace * 7 / 16 * (weight @ weight),
        }

        assert found[layer]["gradient_noise_stderr"] == 0
        for column, number in expected.items():
            np.testing.assert_allclose(found[layer][column], number, rtol=1e-9)


def test_noise_is_the_variance_over_all_minibatches_of_real_backward_passes():
    module, x, y = mlp(4, 3, 2), *sample(6, 4, classes=2)
    pulls = []
    for batch in combinations(range(6), 3):
        module.zero_grad()
        nn.functional.cross_entropy(module(x[list(batch)]), y[list(batch)]).backward()
        pulls.append(module[0].weight.grad.numpy().ravel().copy())
    found = values(measured(copy.deepcopy(module), x, y, batch=3))

    np.testing.assert_allclose(
        found["0.weight"]["gradient_noise"], np.var(pulls, axis=0).sum(), rtol=1e-10
    )


def test_the_total_is_that_of_all_layers():
    found = measured(mlp(4, 5, 3), *sample(30, 4, classes=3), batch=2, sample=20)

    for column in ("gradient_noise", "signal"):
        layers = sum(one[column] for one in values(found).values())
        np.testing.assert_allclose(found.total[column], layers, rtol=1e-12)
    assert found.total["noise_scale_stderr"] > 0


def test_the_whole_sample_as_a_batch_has_no_noise():
    found = measured(mlp(4, 5, 1), *sample(9, 4), batch=9)

    for one in found.layers:
        assert one.values["gradient_noise"] == 0
        assert one.values["update_noise"] == 0
        # What is left is the full gradient, less its part along the weight.
        assert one.values["update_norm_bound"] > one.values["update_norm"] > 0


def test_noise_falls_with_the_batch_as_drawing_without_replacement_says():
    noise = [
        values(measured(mlp(4, 5, 1), *sample(9, 4), batch=b))["0.weight"][
            "gradient_noise"
        ]
        for b in (1, 2, 4, 8)
    ]
    expected = [(9 - b) / (8 * b) * noise[0] for b in (1, 2, 4, 8)]

    np.testing.assert_allclose(noise, expected, rtol=1e-13)


@pytest.mark.parametrize("name", ["dense", "scalar", "cnn"])
@pytest.mark.parametrize("held", [1, 4000])
def test_chunks_do_not_matter(name, held, monkeypatch):
    module, shape, classes = NETS[name]
    x, y = sample(40, *shape, classes=classes)
    settings = {"batch": 3, "sample": 13, "weight_decay": 0.01}
    whole = measured(module, x, y, **settings)
    monkeypatch.setattr(passes, "_HELD", held)
    monkeypatch.setattr(passes, "_KEPT", 0)
    monkeypatch.setattr(passes, "_PATIENCE", 100)
    parts = measured(module, x, y, batch_size=5, **settings)

    assert whole.conventions == parts.conventions
    for one, other in zip(whole.layers, parts.layers, strict=True):
        for column in COLUMNS:
            if one.values[column] is None:
                assert other.values[column] is None
            else:
                np.testing.assert_allclose(
                    other.values[column], one.values[column], rtol=1e-10, atol=1e-14
                )


def test_few_pairs_are_compared_where_all_would_take_long(monkeypatch):
    monkeypatch.setattr(passes, "_HELD", 1)
    monkeypatch.setattr(passes, "_KEPT", 0)
    found = measured(mlp(4, 5, 1), *sample(40, 4))

    # 18 chunks have 153 pairs, at most four times 40 chunks.
    assert found.conventions["lemma8_pairs_among"] == 18
    assert found.conventions["sample"] == 40


def test_a_sample_of_many_is_within_its_standard_errors():
    module, (x, y) = mlp(4, 5, 3), sample(3000, 4, classes=3)
    whole = values(measured(module, x, y, batch=8, sample=3000))
    part = measured(module, x, y, batch=8, sample=400, seed=1)

    assert part.conventions["sample"] == 400
    assert part.conventions["population"] == 3000
    for layer, found in values(part).items():
        for column in ("gradient_noise", "signal", "noise_scale"):
            error = found[f"{column}_stderr"]

            assert 0 < error < found[column]
            assert abs(found[column] - whole[layer][column]) < 4 * error


def test_single_precision_is_kept_out_of_the_sums():
    module, (x, y) = mlp(4, 5, 3), sample(9, 4, classes=3)
    single = copy.deepcopy(module).float()
    exact = copy.deepcopy(single).double()
    one, other = (measured(net, x.float(), y) for net in (single, exact))

    assert one.conventions["gradients"].startswith(
        "of the data loss, eval mode, float64"
    )
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        assert mine.values["gradient_noise"] == theirs.values["gradient_noise"]


class NamesItsType(nn.Module):
    """Runs in float32 only."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(x.float())


def test_a_net_that_names_its_dtype_runs_in_it():
    found = measured(NamesItsType(), *sample(9, 4, classes=3))

    assert "float32" in found.conventions["gradients"]
    assert found.layers[0].values["gradient_noise"] > 0


def test_the_module_is_left_as_it_was():
    module = mlp(4, 5, 3).train()
    before = copy.deepcopy(module.state_dict())
    measured(module, *sample(9, 4, classes=3))

    assert module.training
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_a_weight_that_nothing_reaches_says_so():
    module = nn.ModuleDict({"head": nn.Linear(4, 2), "idle": nn.Linear(3, 3)}).double()
    module.forward = lambda x: module["head"](x)
    found = measured(module, *sample(9, 4, classes=2), network=stored(module))
    idle = found.layers[1]

    assert idle.values["gradient_noise"] == 0
    assert idle.reasons["noise_scale"] == "no gradient reaches it"


def test_gradients_that_are_not_finite_say_so():
    module = mlp(4, 5, 3)
    with torch.no_grad():
        module[2].weight[0, 0] = torch.inf
    found = measured(module, *sample(9, 4, classes=3))

    assert found.layers[0].values["gradient_noise"] is None
    assert found.layers[0].reasons["signal"] == "a gradient is not finite"
    assert found.layers[1].reasons["stable_rank"] == "the weight is not finite"


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1, "weight_decay": 0.01}])
def test_every_null_has_a_reason(name, settings):
    module, shape, classes = NETS[name]
    found = measured(module, *sample(9, *shape, classes=classes), **settings).summary()

    for layer in found["layers"].values():
        assert tuple(layer) == (*COLUMNS, "reasons")
        assert {k for k in COLUMNS if layer[k] is None} <= layer["reasons"].keys()
        assert set(layer["reasons"]) <= set(COLUMNS)


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("dense", {"loss": "square"}, "defined for one output, but the net has 3"),
        ("scalar", {"loss": "cross-entropy"}, "defined for the square loss only"),
        ("biased", {}, "the output is not linear in '0.weight'"),
    ],
)
def test_the_papers_quantities_are_null_where_they_are_not_defined(name, settings, why):
    module, shape, classes = NETS[name]
    found = measured(module, *sample(9, *shape, classes=classes), **settings)

    assert found.conventions["paper"].startswith(why)
    for one in found.layers:
        assert one.values["update_norm"] is None
        assert one.values["gradient_noise"] > 0


def test_a_zero_layer_has_no_direction():
    module = mlp(4, 5, 1)
    with torch.no_grad():
        module[0].weight.zero_()
    found = measured(module, *sample(9, 4))

    assert found.layers[0].reasons["update_norm"].startswith("'0.weight' is zero")


def test_an_output_of_zero_everywhere_says_so():
    module = mlp(4, 5, 1)
    with torch.no_grad():
        module[0].weight.copy_(-module[0].weight.abs())
    x, y = sample(9, 4)
    found = measured(module, x.abs(), y)

    assert found.layers[0].reasons["update_norm"] == "the largest output is 0"


def test_a_weight_used_twice_is_not_the_papers():
    twice = nn.Linear(4, 4, bias=False)
    module = nn.Sequential(
        twice, nn.ReLU(), twice, nn.ReLU(), nn.Linear(4, 1, bias=False)
    )
    found = measured(module.double(), *sample(9, 4))

    # <W, df/dW> is 2 f then.
    np.testing.assert_allclose(
        found.layers[0].values["identity_residual"], 1, rtol=1e-9
    )
    assert found.layers[0].values["update_norm"] is None


def test_an_earlier_checkpoint_gives_jitter_and_the_rank_of_the_update():
    torch.manual_seed(1)
    module, mu, lam = mlp(6, 5, 1), 0.05, 0.1
    before, (x, y) = copy.deepcopy(module), sample(8, 6)
    optimizer = torch.optim.SGD(module.parameters(), lr=mu, weight_decay=2 * lam)
    for step in range(2):
        optimizer.zero_grad()
        (y[step] * module(x[[step]]) - 1).square().sum().backward()
        optimizer.step()
    found = measured(
        module,
        x,
        y,
        learning_rate=mu,
        weight_decay=lam,
        steps=2,
        earlier=stored(before),
        earlier_module=before,
    )
    first = found.layers[0].values
    both = [net(x).detach().numpy()[:, 0] for net in (before, module)]

    assert first["update_rank"] <= first["update_rank_limit"] == 2
    assert (
        first["weight_jitter"]
        == weight_jitter([stored(before), stored(module)])["0.weight"][0]
    )
    assert first["distance_to_rank_2p"] <= first["update_rank_distance"]
    np.testing.assert_allclose(
        found.margins["std"], np.sqrt(np.mean((both[1] - both[0]) ** 2 / 2)), rtol=1e-12
    )


def test_noise_correlates_with_rank_over_layers():
    found = measured(mlp(4, 5, 6, 5, 1), *sample(9, 4))
    columns = [
        [one.values[k] for one in found.layers] for k in ("update_norm", "stable_rank")
    ]
    assert found.correlation["noise"] == "update_norm"
    assert found.correlation["layers"] == 4
    np.testing.assert_allclose(
        found.correlation["stable_rank"], spearmanr(*columns).statistic, rtol=1e-12
    )


def test_without_an_architecture_ranks_come_from_a_run():
    module, (x, y) = cnn(2), sample(9, 1, 6, classes=2)
    found = measured(module, x, y, network=stored(module))

    assert [one.values["patches"] for one in found.layers] == [4, 1]


def test_layers_that_the_model_lacks_say_so():
    module, (x, y) = mlp(4, 5, 1), sample(9, 4)
    found = measured(module[:1], x, y % 5, network=wired(module, (4,)), loss="square")

    assert set(found.layers[1].reasons) == set(COLUMNS)


def test_progress_is_told():
    calls = []
    measured(mlp(4, 5, 1), *sample(9, 4), progress=lambda *call: calls.append(call))

    assert calls[0] == (9, 9, "samples")
    assert [label for _, _, label in calls[1:]] == ["gradients", "noise", "pairs"]
    assert [done for done, _, _ in calls[1:]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"batch": 0}, "batch must be at least 1, but got 0"),
        ({"batch": 10}, "batch must be at most the 9 samples there are, but got 10"),
        ({"sample": 1}, "sample must be at least 2, but got 1"),
        ({"steps": 0}, "steps must be at least 1, but got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, but got 0"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative, but got -1"),
        ({"learning_rate": 1.0, "weight_decay": 0.5}, "must be below 1, but is 1;"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"device": "nowhere"}, "device must be auto"),
    ],
)
def test_senseless_arguments_are_refused(settings, match):
    with pytest.raises(UsageError, match=match):
        measured(mlp(4, 5, 1), *sample(9, 4), **settings)


def test_labels_beyond_the_outputs_are_refused():
    x, y = sample(9, 4, classes=5)

    with pytest.raises(DataError, match="the net has 3 output"):
        measured(mlp(4, 5, 3), x, y.clamp(min=3))


def test_another_net_is_refused():
    network = stored(nn.ModuleDict({"a": nn.Linear(2, 2)}))
    network = replace(
        network, layers=tuple(replace(x, name="b") for x in network.layers)
    )

    with pytest.raises(ModelError, match="no layer's weight is a parameter"):
        measured(mlp(4, 1), *sample(9, 4), network=network)


def test_numbers_that_are_not_finite_are_null_in_the_summary():
    found = measured(mlp(4, 1), *sample(9, 4))
    found = replace(found, total={"signal": math.inf}, correlation={"x": math.nan})

    assert found.summary()["total"] == {"signal": None}
    assert found.summary()["correlation"] == {"x": None}
