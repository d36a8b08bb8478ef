"""Labels decide only between readings that the shape of the data allows."""

import pytest

from boundkit.readers.outline import Branch
from boundkit.readers.roles import (
    aside,
    is_model_label,
    is_optimizer_tensor,
    rival_components,
)
from boundkit.types import StoredTensor

T = StoredTensor((2, 2), "float32", None)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("optimizer", "optimizer state"),
        ("optimizer_states", "optimizer state"),
        ("optimizerG_state_dict", "optimizer state"),
        ("g_optim", "optimizer state"),
        ("opt", "optimizer state"),
        ("lr_schedulers", "scheduler state"),
        ("grad_scaler", "loss scaler state"),
        ("amp", "loss scaler state"),
        ("rng_state", "random state"),
        ("cuda_rng_states", "random state"),
        ("random_state", "random state"),
        ("callbacks", "trainer state"),
        ("criterion", "loss function state"),
        ("hyper_parameters", "hyperparameters"),
        ("gradients", "gradients"),
        ("optical_flow", None),
        ("conv1", None),
        ("adopt", None),
    ],
)
def test_what_lies_beside_the_weights(label, reason):
    assert aside(label, Branch((), entries={"x": T})) == reason


def test_an_optimizer_is_known_by_its_structure():
    assert aside("x", Branch((), entries={"state": 1, "param_groups": 2})) == (
        "optimizer state"
    )
    assert aside("x", Branch((), "torch.optim.adam.Adam")) == "optimizer state"
    assert (
        aside("x", Branch((), "torch.optim.lr_scheduler.StepLR")) == "scheduler state"
    )


def test_layers_keep_their_weights_whatever_their_name():
    layer = Branch((), entries={"weight": T, "bias": T})

    assert aside("scaler", layer) is None
    assert aside("optimizer", layer) == "optimizer state"


@pytest.mark.parametrize("label", ["model", "stateDict", "netG", "ema", "model_ema",
                                   "student_net", "model1", "net_b", "Discriminator"])  # fmt: skip
def test_labels_of_models(label):
    assert is_model_label(label)


@pytest.mark.parametrize("label", ["conv1", "encoder", "value", "g", "fc", "thematic"])
def test_labels_that_layers_may_bear(label):
    assert not is_model_label(label)


@pytest.mark.parametrize(
    ("labels", "rivals"),
    [
        (["generator", "discriminator"], True),
        (["G", "D"], True),
        (["net_g", "net_d", "other"], True),
        (["student", "teacher", "proj"], True),
        (["online_net", "target_net"], True),
        (["model", "model_ema", "first_stage"], True),
        (["encoder", "encoder_ema"], True),
        (["actor", "critic"], True),
        (["trunk", "actor", "critic"], False),
        (["policy", "value"], True),
        (["trunk", "policy", "value"], False),
        (["query", "key", "value"], False),
        (["encoder", "decoder"], False),
        (["ema"], False),
        (["conv1", "ema_decay"], False),
        ([], False),
    ],
)
def test_networks_that_never_form_one_chain(labels, rivals):
    assert rival_components(labels) is rivals


def test_names_that_optimizers_give():
    assert is_optimizer_tensor("state.0.exp_avg")
    assert not is_optimizer_tensor("conv.weight")
