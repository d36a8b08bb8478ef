"""Assumptions that a program can check, and what becomes of a bound where one fails."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.premises import about_evidence, about_network, about_numbers
from boundkit.types import Norms
from tests.certify.examples import certificate, mlp, seen, stored, told, wired


def test_a_head_with_other_outputs_than_were_seen_is_no_head():
    found = certificate("sparse_cnn", stored(mlp(3, 4, 5)), seen(100, outputs=2))

    assert found.status == "invalid"
    assert any("5 outputs, the network 2" in a.detail for a in found.assumptions)


def test_a_batch_norm_is_named_with_what_would_mend_it():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    found = certificate("sparse_cnn", stored(module), told(1000))

    assert found.status == "invalid"
    assert "folded" in found.note


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["0.weight", "2.weight", "2.bias"])
@pytest.mark.parametrize("bound", ["sparse_cnn", "dense", "toeplitz"])
def test_broken_layers_have_no_bound(value, part, bound):
    module = mlp(3, 4, 1, bias=True)
    nn.init.constant_(module.get_parameter(part), value)
    network = stored(module)
    found = certificate(bound, network, told(1000))
    if part == "2.bias" and value == 0:
        assert found.status in {"assumed", "unavailable"}
        return

    assert (found.status, found.value, found.log10) == ("invalid", None, None)
    assert any(part.removesuffix(".bias") in a.detail for a in found.assumptions)


def test_rows_that_are_all_alike_have_no_margin():
    module = mlp(3, 4, 2)
    nn.init.ones_(module[2].weight)
    found = certificate("sparse_cnn", stored(module), told(1000))

    assert found.status == "invalid"
    assert any("outputs are all alike" in a.detail for a in found.assumptions)


@pytest.mark.parametrize("scale", [1e-170, 1e170])
def test_heads_of_any_scale(scale):
    module = mlp(3, 4, 2)
    plain = certificate("sparse_cnn", stored(module), told(1000))
    module[2].weight.data *= scale
    found = certificate("sparse_cnn", stored(module), told(1000))

    np.testing.assert_allclose(
        found.terms["rho_log10"] - plain.terms["rho_log10"],
        math.log10(scale),
        rtol=1e-9,
    )


def test_sixty_large_layers_have_a_logarithm_only():
    torch.manual_seed(0)
    module = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(60))).double()
    module.append(nn.Linear(4, 1, bias=False).double())
    for part in module:
        part.weight.data *= 4e10 / part.weight.detach().norm()
    found = certificate("sparse_cnn", stored(module), told(100))

    assert found.value is None
    assert found.vacuous
    assert 640 < found.log10 < 650
    assert found.status == "assumed"


def test_nothing_counted_is_no_network():
    assert about_numbers(Norms({}, {})).detail == "there is no layer"


def test_a_bare_state_dict_leaves_the_chain_open():
    found, (wiring, normalization) = about_network(stored(mlp(3, 4, 1)))

    assert found is None
    assert (wiring.holds, normalization.holds) == (None, True)


def test_a_traced_chain_holds():
    found, (wiring,) = about_network(wired(mlp(3, 4, 1), (3,)))

    assert found is not None
    assert wiring.holds is True


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (nn.MultiheadAttention(4, 2), "attention is not a chain"),
        (nn.GRU(3, 4), "varying number of times"),
        (nn.Embedding(5, 4), "an embedding is a table"),
    ],
)
def test_what_speaks_against_a_chain(module, why):
    network = stored(nn.Sequential(module, nn.Linear(4, 1, bias=False)))
    _, assumptions = about_network(network)

    assert assumptions[0].holds is False
    assert why in assumptions[0].detail


def test_weights_that_were_not_read_are_named():
    state = dict(mlp(3, 4, 1).state_dict())
    state["3.weight"] = torch.zeros(4, 4, dtype=torch.int8)
    _, assumptions = about_network(stored(state))

    assert any(a.holds is False and "3.weight" in a.detail for a in assumptions)


def test_measured_evidence_is_known_and_told_evidence_is_open():
    assert {a.holds for a in about_evidence(seen(10), 1.0)} == {True}
    assert {a.holds for a in about_evidence(told(10), 1.0)} == {None}
    assert {a.holds for a in about_evidence(None, 1.0)} == {None}


def test_biases_that_belong_to_no_layer_are_not_overlooked():
    state = {
        "w1": torch.ones(4, 3),
        "b1": torch.ones(4),
        "w2": torch.ones(1, 4),
    }
    found = certificate("dense", stored(state), told(1000))

    assert found.status == "invalid"
    assert any("b1: not stored beside a weight" in a.detail for a in found.assumptions)
