"""Complexity measures in closed form."""

import math

import numpy as np

from boundkit.measure.jiang2020 import jiang2020

F = {"a": 3.0, "b": 4.0}
S = {"a": 2.0, "b": 4.0}
MOVED = {"a": 1.0, "b": 2.0}
MOVED_S = {"a": 0.5, "b": 2.0}
N = 100


def values(*inputs):
    return {m.name.removeprefix("jiang2020."): m.value for m in jiang2020(*inputs, N)}


def test_every_measure_with_everything_known():
    logs = {
        "log_prod_of_spec": math.log(4 * 16),
        "log_prod_of_spec_over_margin": math.log(4 * 16) - 2 * math.log(0.5),
        "log_sum_of_spec": math.log(2) + math.log(4 * 16) / 2,
        "log_sum_of_spec_over_margin": math.log(2) + math.log(4 * 16 * 4) / 2,
        "log_prod_of_fro": math.log(9 * 16),
        "log_prod_of_fro_over_margin": math.log(9 * 16 * 4),
        "log_sum_of_fro": math.log(2) + math.log(9 * 16) / 2,
        "log_sum_of_fro_over_margin": math.log(2) + math.log(9 * 16 * 4) / 2,
        "log_spec_orig_main": math.log(4 * 16 * 4) + math.log(9 / 4 + 1),
        "log_spec_init_main": math.log(4 * 16 * 4) + math.log(1 / 4 + 4 / 16),
    }
    plain = {
        "param_norm": 25,
        "fro_over_spec": 9 / 4 + 1,
        "fro_dist": 5,
        "dist_spec_init": 4.25,
        "inverse_margin": 4,
        "path_norm": 7,
        "path_norm_over_margin": 28,
    }
    expected = {k: 0.5 * (v - math.log(N)) for k, v in logs.items()}
    expected |= {k: math.sqrt(v / N) for k, v in plain.items()}
    found = values(F, S, MOVED, MOVED_S, 0.5, 7.0)

    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def test_what_is_not_known_is_left_out():
    names = set(values(F, None, None, None, None, None))

    assert names == {"param_norm", "log_prod_of_fro", "log_sum_of_fro"}


def test_a_margin_that_is_not_positive_is_not_known():
    assert values(F, S, None, None, -1.0, None) == values(F, S, None, None, None, None)


def test_an_untrained_network_has_not_moved():
    still = dict.fromkeys(F, 0.0)
    found = values(F, S, still, still, 0.5, None)

    assert (found["fro_dist"], found["dist_spec_init"]) == (0, 0)
    assert "log_spec_init_main" not in found


def test_all_are_measurements_of_one_source():
    found = jiang2020(F, S, None, None, None, None, N)

    assert {(m.kind, m.source, m.unit) for m in found} == {
        ("measurement", "Jiang et al. (2020)", "1")
    }
