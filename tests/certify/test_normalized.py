"""Confidence form (c'): its value by hand, what it rests on, and how often it holds."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from boundkit import readers
from boundkit.certify.normalized import FORM, Energy, energy_of
from boundkit.certify.residual_steps import steps
from boundkit.certify.residual_walk import routes
from boundkit.data import open_data
from boundkit.errors import NotApplicable
from boundkit.layers.model_spec import fit, load_model
from boundkit.measure.observation import watched
from boundkit.numerics.coins import chain_constant
from boundkit.types import Declared
from tests.certify.examples import certificate, cnn, seen, wired
from tests.certify.residual_nets import local

FIXTURES = Path(__file__).parents[2] / "fixtures"
RNG = np.random.default_rng(0)
MARGINS = RNG.normal(1.5, 0.3, 4000)
#: Per sample and position, of unit-norm inputs less a center of 0.1 at each position.
ENERGIES = RNG.dirichlet(np.ones(6), 4000)
CENTER = np.full(6, 0.01)


def evidence(count=1, center=CENTER, lowest=0.0, largest=1.0):
    plain = seen(0, np.tile(MARGINS, count), positions=ENERGIES.mean(0))
    products = ENERGIES.T @ ENERGIES / len(ENERGIES)
    declared = Declared(center, products, lowest, largest)
    return dataclasses.replace(plain, declared=declared)


def found(sample=None, module=None, **options):
    network = wired(cnn() if module is None else module, (1, 6))
    return certificate("sparse_cnn", network, sample or evidence(), **options)


def test_every_summand_by_hand():
    of = found()
    terms = of.terms
    paths = np.array([1, 2, 3, 3, 2, 1])
    e = ENERGIES @ paths
    level = math.log(4 / 0.05)
    largest = (3 + 0.01 * 12) * (1 + 1e-5)
    upper = e.mean() + math.sqrt(2 * e.var(ddof=1) * level / 4000)
    upper += 7 * largest * level / (3 * 3999)
    rho = 10 ** terms["rho_log10"]
    r = rho / terms["gamma"]
    complexity = 2 * r * chain_constant([0.5]) * math.sqrt(upper / 4000)
    ramp = np.clip(1 - MARGINS / terms["gamma"], 0, 1).mean()
    confidence = math.sqrt(math.log(1 / terms["delta_j"]) / 8000)

    assert of.status == "valid"
    assert terms["form"] == FORM
    np.testing.assert_allclose(terms["energy_per_sample"], e.mean(), rtol=1e-12)
    np.testing.assert_allclose(terms["largest_energy"], largest, rtol=1e-12)
    np.testing.assert_allclose(terms["energy_bound"], upper, rtol=1e-9)
    np.testing.assert_allclose(of.value, ramp + complexity + confidence, rtol=1e-9)
    j = round(math.log(16 * r / math.sqrt(4000 / 2)) / math.log(1.05))
    share = 2 / 3 * 0.025 / ((abs(j) + 1) * (abs(j) + 2))
    np.testing.assert_allclose(terms["delta_j"], share, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "value"), [("two_class", 0.1491574042), ("two_class_small", 0.1897337272)]
)
def test_bundled_nets_have_the_value_of_an_independent_program(name, value):
    checkpoint = readers.read(FIXTURES / "checkpoints" / f"{name}.pt")
    module = fit(load_model(f"{FIXTURES / 'nets.py'}:{name}"), checkpoint)
    samples = open_data(FIXTURES / "data" / "pair_train.npz", "train")
    network = wired(module, (1, 28, 28))
    sample = watched(
        network,
        module,
        samples,
        device="cpu",
        batch_size=512,
        progress=None,
        normalized=True,
    )
    of = certificate("sparse_cnn", network, sample)

    assert of.status == "valid"
    # That program allows no rounding in the norm of the inputs.
    np.testing.assert_allclose(of.value, value, rtol=1e-7)


def test_the_center_that_was_declared_limits_the_energy():
    near = found().terms["largest_energy"]
    far = found(evidence(center=4 * CENTER)).terms["largest_energy"]

    np.testing.assert_allclose(far - near, 12 * 0.03 * (1 + 1e-5), rtol=1e-9)


def test_biases_are_the_same_for_every_input():
    terms = found(module=cnn(bias=True)).terms
    energy = float(ENERGIES.mean(0) @ [1, 2, 3, 3, 2, 1]) + terms["bias_energy"]

    np.testing.assert_allclose(terms["energy_per_sample"], energy, rtol=1e-12)
    assert energy < terms["energy_bound"] < energy + 0.1


@pytest.mark.parametrize(("lowest", "largest"), [(-0.1, 1.0), (0.0, 1.1)])
def test_inputs_that_are_not_as_declared_are_invalid(lowest, largest):
    of = found(evidence(lowest=lowest, largest=largest))

    assert (of.status, of.value) == ("invalid", None)
    assert any("as declared" in a.name for a in of.assumptions if a.holds is False)


def test_laws():
    by_size = [found(evidence(k)).value for k in (1, 2, 5)]
    by_risk = [found(delta=d).value for d in (1e-9, 0.05, 0.3)]
    fixed = [found(gamma=g).value for g in (0.3, 1.0, 1.5)]

    assert by_size == sorted(by_size, reverse=True)
    assert by_risk == sorted(by_risk, reverse=True)
    assert found().value <= min(fixed) * (1 + 1e-12)


def test_n_needed_is_where_the_bound_crosses_one():
    module = cnn()
    module[0].weight.data *= 30
    needed = found(module=module).terms["n_needed"]

    def value(n):
        return found(dataclasses.replace(evidence(), n=n), module=module).value

    assert value(needed) < 1
    assert value(int(needed * 0.98)) >= 1


def test_only_the_path_count_bound_rests_on_it():
    network = wired(cnn(), (1, 6))
    plain = dataclasses.replace(evidence(), declared=None)

    for bound in ("toeplitz", "galanti2023"):
        with_it = certificate(bound, network, evidence())
        assert with_it.value == certificate(bound, network, plain).value


def test_energy_on_other_positions_takes_its_worst_place():
    sample = evidence()
    energy = energy_of(sample, np.array([[1.0, 5.0]]))

    np.testing.assert_allclose(energy.mean, 5 * ENERGIES.sum(1).mean(), rtol=1e-12)
    np.testing.assert_allclose(energy.variance, 0, atol=1e-12)


def test_without_a_declaration_there_is_no_law():
    with pytest.raises(NotApplicable, match="declare no normalization"):
        energy_of(seen(3), np.ones(1))


def test_the_mean_energy_is_below_its_bound_as_often_as_claimed():
    generator = np.random.default_rng(1)
    draws = generator.beta(0.5, 2.0, (4000, 200))
    above = 0
    for e in draws:
        energy = Energy(e.mean(), e.var(ddof=1), 1.0)
        above += energy.upper(math.log(200), 0.1) < 0.2

    assert above / 4000 <= 0.1


def test_the_bound_on_the_energy_never_exceeds_the_largest():
    assert Energy(0.5, 1.0, 2.0).upper(math.log(2), 1e-6) == 2.0


def test_a_pooled_net_takes_the_form_too():
    module = cnn(1, nn.ReLU(), nn.AvgPool1d(2))

    assert found(module=module).terms["form"] == FORM


def test_routes_have_an_energy_each():
    module = local()
    network = wired(module, (1, 6))
    terms = certificate("sparse_cnn", network, evidence()).terms
    main, branch = (
        energy_of(evidence(), route.counts)
        for route in sorted(
            routes(steps(network), {("add", 1): np.zeros(1)}, 1, {}),
            key=lambda route: not route.main,
        )
    )
    level = 0.05 / 4
    upper = [e.upper(math.log(4000), level) for e in (main, branch)]
    size = 10 ** terms["rho_log10"] / terms["gamma"] / math.sqrt(4000)
    # What is left of K once the main route's root is taken out is the branch's.
    rest = terms["complexity"] / 2 / size - chain_constant([0.5]) * math.sqrt(upper[0])
    ratio = rest / (chain_constant([0.5, 0.5]) * math.sqrt(upper[1]))
    first, second = (module[2].branch[k].weight.detach().norm() for k in (0, 2))

    assert terms["form"] == FORM
    np.testing.assert_allclose(terms["energy_bound"], upper[0], rtol=1e-12)
    # Rounded up by less than one step of its grid.
    exact = float(first * second)
    assert exact <= ratio * (1 + 1e-9) < exact * 2 ** (1 / terms["ratios_per_octave"])


@pytest.mark.parametrize("bias", [False, True])
def test_additions_take_the_form_and_gain_by_it(bias):
    module = local(bias=bias)
    network = wired(module, (1, 6))
    sample = evidence(50)
    declared = certificate("sparse_cnn", network, sample)
    plain = certificate(
        "sparse_cnn", network, dataclasses.replace(sample, declared=None)
    )

    assert declared.status == plain.status == "valid"
    assert declared.value < plain.value
    assert declared.terms["branches"] == 1
