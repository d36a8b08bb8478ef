"""``init``: how far training went, through the whole analysis."""

import copy

import numpy as np
import pytest
import torch

import boundkit
from boundkit.errors import UsageError
from tests.certify.examples import cnn, mlp


def values(**inputs):
    report = boundkit.analyze(inputs.pop("source"), n=100, **inputs)
    return {m.name: m.value for m in report.measurements}, report


def test_distances_appear_with_a_start():
    start = cnn()
    trained = copy.deepcopy(start)
    with torch.no_grad():
        trained[0].weight += 1
    found, report = values(source=trained, init=start)

    # Nine entries of the filter moved by 1.
    np.testing.assert_allclose(found["jiang2020.fro_dist"], 0.3, rtol=1e-12)
    assert report.conventions["init"] == "Sequential"


def test_without_one_they_do_not():
    found, report = values(source=cnn())

    assert not any("dist" in name for name in found)
    assert report.conventions["init"] is None


def test_a_start_of_another_network_is_refused():
    with pytest.raises(UsageError, match="init must hold"):
        values(source=cnn(), init=mlp(3, 2))
