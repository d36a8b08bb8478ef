import json
from dataclasses import replace

import pytest

from boundkit.errors import UsageError
from boundkit.lab.recipe import Recipe, from_json, milestones

PLAIN = Recipe("mlp", epochs=10, record=(3, 7))


def test_it_goes_through_json_and_back():
    recipe = replace(PLAIN, classes=(4, 2), noise=0.2)

    assert from_json(json.loads(recipe.canonical())) == recipe


def test_the_key_is_decided_by_settings_and_images():
    again = Recipe("mlp", record=(3, 7), epochs=10)

    assert PLAIN.key("a") == again.key("a")
    assert len({PLAIN.key("a"), PLAIN.key("b"), replace(PLAIN, seed=1).key("a")}) == 3
    assert len(PLAIN.key("a")) == 16


def test_the_first_and_last_epoch_are_always_recorded():
    assert PLAIN.recorded == (0, 3, 7, 10)


@pytest.mark.parametrize(
    ("changed", "outputs"),
    [
        ({}, 1),
        ({"coding": "one-hot"}, 2),
        ({"coding": "centered", "classes": (0, 1, 2, 3)}, 4),
        ({"loss": "cross-entropy"}, 2),
    ],
)
def test_outputs_follow_from_loss_and_coding(changed, outputs):
    assert replace(PLAIN, **changed).outputs == outputs


def test_milestones_grow_by_a_factor():
    assert milestones(100, 4) == (0, 1, 10, 100)
    assert milestones(3, 10) == (0, 1, 2, 3)
    assert milestones(1, 2) == (0, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"loss": "hinge"},
            "loss must be among square, cross-entropy, but got 'hinge'",
        ),
        ({"coding": "x"}, "coding must be among"),
        ({"parametrization": "x"}, "parametrization must be among"),
        ({"schedule": "x"}, "schedule must be among"),
        ({"decay_on": "x"}, "decay_on must be among"),
        ({"init_kind": "x"}, "init_kind must be among"),
        ({"preprocessing": "x"}, "preprocessing must be among"),
        ({"rate": 0}, "rate must be positive and finite, but got 0"),
        ({"rate": float("inf")}, "rate must be positive"),
        ({"init": -1}, "init must be positive"),
        ({"width": float("nan")}, "width must be positive"),
        ({"decay": -0.1}, "decay must be at least 0"),
        ({"momentum": 1}, r"momentum must lie in \[0, 1\), but got 1"),
        ({"noise": 1.5}, r"noise must lie in \[0, 1\], but got 1.5"),
        ({"epochs": 0, "record": ()}, "epochs must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"classes": (1,)}, "two or more different labels"),
        ({"classes": (1, 1)}, "two or more different labels"),
        ({"n": 999}, "n must be a multiple of the 2 classes, but got 999"),
        ({"n_test": 3}, "n_test must be a multiple"),
        ({"classes": (0, 1, 2, 3)}, "signed targets need two classes, but got 4"),
        ({"batch": 1001}, "batch must be at most n = 1000, but got 1001"),
        ({"record": (11,)}, "record must be epochs from 0 to 10"),
        (
            {"parametrization": "lagrange", "decay": 0.1},
            "does nothing to the unit norms of 'lagrange'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(changed, message):
    with pytest.raises(UsageError, match=message):
        replace(PLAIN, **changed)


@pytest.mark.parametrize("table", [{}, {"net": "mlp", "epochs": 1, "speed": 2}])
def test_other_tables_are_refused(table):
    with pytest.raises(UsageError, match="a recipe has settings"):
        from_json(table)
