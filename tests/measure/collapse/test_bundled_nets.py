"""The nets that come with the repository, on images, against the definitions."""

from pathlib import Path

import numpy as np
import pytest
import torch

from boundkit.collapsing import collapse
from fixtures import nets
from tests.measure.collapse import literal_loss
from tests.measure.collapse.samples import Literal

ROOT = Path(__file__).parents[3] / "fixtures"


def features(net, data, count):
    """Return features before the head in float64, class indices, and the head."""
    module = getattr(nets, net)().double().eval()
    state = torch.load(ROOT / f"checkpoints/{net}.pt", weights_only=True)
    module.load_state_dict({name: part.double() for name, part in state.items()})
    with np.load(ROOT / f"data/{data}.npz") as file:
        x, y, center = file["x"][:count] / 1.0, file["y"][:count], file["center"]
    x /= np.linalg.norm(x.reshape(len(x), -1), axis=1)[:, None, None, None]
    kept = []
    module.head.register_forward_hook(lambda _m, inputs, _o: kept.append(inputs[0]))
    with torch.no_grad():
        module(torch.tensor(x - center))
    bias = module.head.bias
    return (
        kept[0].numpy(),
        np.where(y < 0, 0, y).astype(int),
        module.head.weight.detach().numpy(),
        None if bias is None else bias.detach().numpy(),
    )


@pytest.fixture(scope="module")
def ten():
    return features("mlp", "ten_test", 1000)


@pytest.fixture(scope="module")
def two():
    return features("two_class_small", "pair_test", 1000)


def test_a_net_of_ten_classes(ten):
    expected = Literal(*ten).measures()

    found = collapse(*ten)

    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    assert found["net_error"] < 0.15
    assert found["nc1_pinv"] > 1


@pytest.mark.parametrize("weight_decay", [0.0, 1e-4])
def test_the_square_loss_of_ten_classes(ten, weight_decay):
    inputs, labels, weight, bias = ten
    parts = literal_loss.parts(
        inputs, labels, np.eye(10)[labels], weight, bias, 5 * weight_decay
    )

    found = collapse(*ten, weight_decay=weight_decay)

    for name, value in parts.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


def test_a_net_of_one_output(two):
    inputs, labels, weight, _ = two
    signs = 2.0 * labels - 1
    means = [inputs[labels == c].mean(0) for c in (0, 1)]
    gap, row = means[1] - means[0], weight[0]

    found = collapse(inputs, signs, weight, weight_decay=1e-2)
    parts = literal_loss.parts(inputs, labels, signs[:, None], weight, None, 5e-3)

    assert found["binary.cos_difference"] == pytest.approx(
        gap @ row / np.linalg.norm(gap) / np.linalg.norm(row), rel=1e-12
    )
    assert found["cdnv"] == pytest.approx(Literal(inputs, labels).cdnv(), rel=1e-9)
    assert found["net_error"] == np.mean((inputs @ row > 0) != labels)
    for name, value in parts.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    # Trained with the square loss and weight decay, it is near the central path.
    assert found["mse.perp_share"] < 0.1
