"""The best of several draws where most of them are never counted in full."""

import pytest

import boundkit
from boundkit.posthoc import drawn
from tests.posthoc.nets import mlp, sample, trained


@pytest.fixture(scope="module")
def given():
    x, y = sample(9000)
    return trained(mlp, x[:600], y[:600]), (x, y)


def made(given, **options):
    net, data = given
    return boundkit.draw(net, data=data, steps=30, budget=600, draws=8, **options)


def test_the_winner_is_counted_on_every_sample(given):
    found = made(given)
    x, y = given[1]
    net = mlp().eval()
    net.load_state_dict(found.state)
    wrong = int((net(x).argmax(1) != y).sum())

    # Margins that rounding could turn count as errors.
    assert wrong <= found.certificate.errors <= wrong + 2
    assert found.certificate.own["draws"] == 8


def test_every_draw_is_paid_for(given):
    found = made(given)

    assert found.certificate.own["delta_share"] == 0.05 / 8
    assert boundkit.verify(
        found.certificate, dict(found.state), model=mlp(), data=given[1]
    ).passed


def test_halving_finds_nearly_the_best(given, monkeypatch):
    halved = made(given).certificate
    everyone = list(range(8))
    monkeypatch.setattr(drawn, "halved", lambda draws, n, bounds: everyone)
    best = made(given).certificate

    assert halved.own["posterior"]["sha256"] == best.own["posterior"]["sha256"]
    # Estimates on half of the sample are off by a standard error of about .003.
    assert best.bound <= halved.bound <= best.bound + 0.01
