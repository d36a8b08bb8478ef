"""The schema of certificates names every key that is written, and asks for each."""

import copy
import json

import pytest
import torch
from jsonschema import Draft202012Validator

import boundkit
from boundkit.posthoc.certificate import rendered, schema
from tests.posthoc.nets import mlp, sample, trained


def closed():
    """Return the schema with a ban on keys that it does not name."""
    found = copy.deepcopy(schema())
    stack = [found["$defs"][kind] for kind in ("holdout", "draw", "code")]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            nested = node not in found["$defs"].values()
            if nested and "properties" in node and node.get("type") == "object":
                node["additionalProperties"] = False
            stack += node.values()
    return found | {"unevaluatedProperties": False}


def documents():
    data = sample(200)
    net = trained(mlp, *data, steps=40)
    drawn = {"steps": 0, "draws": 2, "budget": 600}
    return {
        "holdout": boundkit.holdout(net, data=data),
        "draw": boundkit.draw(net, data=data, init=mlp(), **drawn).certificate,
        "bridged": boundkit.draw(
            net, data=data, unlabelled=torch.randn(50, 6), test_data=data, **drawn
        ).certificate,
        "code": boundkit.code(net, data=data, budget=0.3).certificate,
    }


@pytest.fixture(scope="module")
def made():
    return {name: json.loads(rendered(one)) for name, one in documents().items()}


@pytest.mark.parametrize("kind", ["holdout", "draw", "bridged", "code"])
def test_every_key_is_named(made, kind):
    Draft202012Validator(closed()).validate(made[kind])


@pytest.mark.parametrize("kind", ["holdout", "draw", "bridged", "code"])
def test_every_key_is_asked_for(made, kind):
    validator = Draft202012Validator(schema())
    for key in made[kind]:
        less = {name: value for name, value in made[kind].items() if name != key}

        assert not validator.is_valid(less), key


def test_the_ban_works(made):
    odd = copy.deepcopy(made["draw"])
    odd["prior"]["mood"] = "good"

    assert Draft202012Validator(schema()).is_valid(odd)
    assert not Draft202012Validator(closed()).is_valid(odd)
    assert not Draft202012Validator(closed()).is_valid(made["code"] | {"mood": "good"})
