"""Rows and totals of a report."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.norms import norms
from boundkit.report import assembly
from boundkit.report.model import Rho
from boundkit.types import Evidence, Geometry, LedgerRow


def network_of(module):
    return from_tensors(readers.read(module))[0]


def diagonal(*values, repeat=1):
    """Layers 1 x 1 of the given weights."""
    state = {
        f"{i}.weight": torch.tensor([[v]], dtype=torch.float64)
        for i, v in enumerate(values * repeat)
    }
    return network_of(state)


def rho_of(network):
    return assembly.rho(network, norms(network))


def row(shape, status, parameter=True):
    return LedgerRow("t", shape, "float32", status, None, "", parameter)


def test_coverage_is_a_share_of_learned_numbers():
    ledger = [
        row((3, 4), "counted"),
        row((2,), "folded"),
        row((6,), "skipped"),
        row((100,), "skipped", parameter=False),
    ]

    assert assembly.coverage(ledger) == 14 / 20
    assert assembly.parameters(ledger) == 20
    assert assembly.coverage([]) == 0


def test_rho_is_the_product_of_norms():
    found = rho_of(diagonal(2.0, -3.0, 0.5))

    np.testing.assert_allclose((found.value, 10**found.log10), (3, 3), rtol=1e-12)


def test_each_use_is_a_factor():
    network = diagonal(2.0, 3.0)
    twice = dataclasses.replace(network.layers[0], uses=3)
    network = dataclasses.replace(network, layers=(twice, network.layers[1]))

    np.testing.assert_allclose(rho_of(network).value, 24, rtol=1e-12)


def test_sixty_large_layers_have_a_logarithm_only():
    found = rho_of(diagonal(4e10, repeat=60))

    assert found.value is None
    np.testing.assert_allclose(found.log10, 60 * math.log10(4e10), rtol=1e-12)


def test_sixty_small_layers_have_a_logarithm_only():
    found = rho_of(diagonal(1e-10, repeat=60))

    assert (found.value, found.log10) == (None, pytest.approx(-600, rel=1e-12))


def test_a_zero_layer_makes_rho_zero():
    network = diagonal(2.0, 0.0)

    assert rho_of(network) == Rho(None, 0.0)
    (notice,) = assembly.norm_notices(network, norms(network), {})
    assert (notice.code, notice.tensor) == ("zero-layer", "1.weight")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_broken_layer_leaves_rho_undefined(value):
    network = diagonal(2.0, value)
    sizes = norms(network)

    assert assembly.rho(network, sizes) == Rho(None, None)
    rows = assembly.layer_rows(network, sizes, {}, {})
    assert [r.rho for r in rows] == [2, None]
    assert [r.log10_rho is None for r in rows] == [False, True]
    (notice,) = assembly.norm_notices(network, sizes, {"1.weight": (3, 1)})
    assert notice.code == "non-finite"
    assert "3 NaN and 1 infinite" in notice.message


def test_nothing_counted_has_no_rho():
    network = network_of({"a.bias": torch.ones(3)})

    assert rho_of(network) == Rho(None, None)
    assert assembly.norm_notices(network, norms(network), {})[0].code == "no-layers"


def test_uncounted_layers_are_listed_and_no_factor():
    network = network_of(nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 1)))
    sizes = norms(network)
    rows = assembly.layer_rows(network, sizes, {"1.weight": {"stable_rank": 1.0}}, {})

    assert [r.counted for r in rows] == [False, True]
    assert rows[1].columns == {"stable_rank": 1.0}
    np.testing.assert_allclose(
        assembly.rho(network, sizes).value, sizes.weight["1.weight"], rtol=1e-12
    )


@pytest.mark.parametrize(
    ("geometry", "expected"),
    [
        (None, ""),
        (Geometry((3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)), "/2 p1"),
        (Geometry((3, 3), (2, 1), ((0, 0), (2, 2)), (1, 1)), "/2x1 p0x2"),
        (Geometry((3,), (1,), ((0, 1),), (2,), groups=4), "/1 p1 d2 g4"),
    ],
)
def test_geometry_in_few_characters(geometry, expected):
    assert assembly.describe_geometry(geometry) == expected


def test_inverse_rho():
    (found,) = assembly.rho_measurements(Rho(math.log10(4), 4.0))

    np.testing.assert_allclose((found.value, 10**found.log10), 0.25, rtol=1e-12)
    assert assembly.rho_measurements(Rho(-400, None))[0].value is None
    assert assembly.rho_measurements(Rho(None, 0.0)) == ()


def evidence(margins):
    values = None if margins is None else np.asarray(margins, float)
    return Evidence(4, values, 0, 0.25, 1.0)


def test_heuristics_need_a_sample_and_rho():
    network = diagonal(2.0, 3.0)
    stored = rho_of(network)

    assert assembly.heuristics(network, stored, None, 0.05) == ()
    assert assembly.heuristics(network, Rho(None, 0.0), evidence(None), 0.05) == ()
    found = {
        m.name: m for m in assembly.heuristics(network, stored, evidence(None), 0.05)
    }
    np.testing.assert_allclose(found["rho_over_sqrt_n"].value, 3, rtol=1e-12)
    # 2^2 rho sqrt(1/4) / sqrt(4)
    np.testing.assert_allclose(found["sparse_cnn_printed"].value, 6, rtol=1e-12)


def test_margins_of_both_samples():
    stored = Rho(0.0, 1.0)
    train, test = evidence([1, 2, 3, 4]), evidence([-1, 1, 1, 1])
    both = assembly.margins(train, test, stored, None)

    assert both["mean"] == 2.5
    assert both["test"]["train_error"] == 0.25
    assert assembly.margins(None, test, stored, None)["test"]["mean"] == 0.5
    assert assembly.margins(evidence(None), None, stored, None) is None


def test_folded_tensors_are_marked_and_layers_stay_counted():
    ledger = (
        dataclasses.replace(row((3,), "skipped"), tensor="bn.weight", reason="scale"),
        dataclasses.replace(row((3, 3), "counted"), tensor="c.weight"),
    )
    found = assembly.folded_rows(ledger, {"bn.weight": "c.weight", "c.weight": "x"})

    assert [r.status for r in found] == ["folded", "counted"]
    assert found[0].layer == "c.weight"
    assert found[0].reason == "scale; folded into c.weight"


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (None, None),
        (1, "its row"),
        (2, "difference of its two rows"),
        (10, "rows minus their mean"),
    ],
)
def test_how_the_head_counts(outputs, words):
    assert assembly.head_convention(outputs) == words
