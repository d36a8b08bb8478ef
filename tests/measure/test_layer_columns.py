"""The operator norm in the layer table."""

import math

import numpy as np
import torch
from torch import nn

from boundkit.measure.layer_columns import layer_columns, layer_spectra
from boundkit.measure.norms import norms
from tests.certify.examples import cnn, stored, wired


def table(network):
    return layer_columns(network, norms(network), None)


def test_convolutions_on_known_maps_have_an_operator_norm():
    module = cnn(padding=1)
    found, notices = table(wired(module, (1, 6)))
    basis = torch.eye(6, dtype=torch.float64).reshape(6, 1, 6)
    unrolled = module[0](basis).detach().flatten(1).T.numpy()

    assert not notices
    np.testing.assert_allclose(
        found["0.weight"]["operator_norm"], np.linalg.norm(unrolled, 2), rtol=1e-8
    )
    assert found["3.weight"]["operator_norm"] == found["3.weight"]["spectral_norm"]


def test_on_unknown_maps_they_have_none():
    found, _ = table(stored(cnn()))

    assert found["0.weight"]["operator_norm"] is None
    assert found["0.weight"]["spectral_norm"] > 0


def test_large_maps_are_not_waited_for_but_named(monkeypatch):
    module = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False).double())
    network = wired(module, (4, 9, 9))
    monkeypatch.setattr("boundkit.measure.layer_columns._QUICK", 100)
    found, notices = table(network)
    waited, none = layer_columns(network, norms(network), None, "full")
    basis = torch.eye(324, dtype=torch.float64).reshape(324, 4, 9, 9)
    unrolled = module(basis).detach().flatten(1).T.numpy()

    assert found["0.weight"]["operator_norm"] is None
    assert [n.code for n in notices] == ["no-operator-norm"]
    assert "0.weight would take long" in notices[0].message
    assert none == ()
    np.testing.assert_allclose(
        waited["0.weight"]["operator_norm"], np.linalg.norm(unrolled, 2), rtol=1e-6
    )


def test_partial_spectra_are_named_once(monkeypatch):
    monkeypatch.setattr("boundkit.measure.spectra.BUDGET", 1e4)
    network = stored(nn.Sequential(*(nn.Linear(60, 60) for _ in range(5))))
    found = layer_spectra(network, norms(network))

    assert [n.code for n in found.notices] == ["partial-spectrum"]
    assert "0.weight, 1.weight, 2.weight and 2 more" in found.notices[0].message
    assert found.notices[0].tensor is None
    assert all(row["stable_rank"] > 1 for row in found.columns.values())
    assert {row["alpha"] for row in found.columns.values()} == {None}


def test_the_extent_is_the_users():
    network = stored(nn.Sequential(nn.Linear(60, 60)))
    sizes = norms(network)
    top = layer_spectra(network, sizes, extent="top")
    none = layer_spectra(network, sizes, extent="none")

    assert (none.columns, none.spectra, none.notices) == ({}, {}, ())
    assert top.notices == ()
    assert len(top.spectra["0.weight"].values) == 1
    assert layer_columns(network, sizes, None, "none") == ({}, ())


def test_one_layer_that_fails_leaves_the_rest(monkeypatch):
    def fail(*_, **__):
        raise np.linalg.LinAlgError("did not converge")

    network = stored(nn.Sequential(nn.Linear(60, 60), nn.Linear(60, 5)))
    monkeypatch.setattr("boundkit.measure.spectra.gram_singular_values", fail)
    found, notices = table(network)

    assert set(found) == {"1.weight"}
    assert [(n.code, n.tensor) for n in notices] == [("no-spectrum", "0.weight")]
    assert "did not converge" in notices[0].message


def test_what_has_no_spectrum_is_named():
    module = cnn()
    network = stored(module)
    steps = []
    sizes = norms(network)
    found, notices = layer_columns(network, sizes, lambda *step: steps.append(step))

    assert (len(found), len(notices)) == (2, 0)
    assert steps == [(1, 2, "spectra"), (2, 2, "spectra")]
    assert all(math.isfinite(row["stable_rank"]) for row in found.values())
