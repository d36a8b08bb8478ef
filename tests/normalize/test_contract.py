"""What every pass owes: the function is the same, and its name is told."""

import pytest
import torch

from boundkit.layers.replay import replay
from boundkit.normalize import PASSES, folded_tensors, normalized
from tests.normalize.nets import random_net, wired

each_pass = pytest.mark.parametrize("rewrite", PASSES, ids=lambda p: p.__name__)
each_net = pytest.mark.parametrize("seed", range(24))


def _error(network, module, x):
    with torch.inference_mode():
        expected = module(x)
        found = replay(network, x)
    return float((found - expected).norm() / expected.norm())


@each_net
def test_the_function_is_unchanged_in_double_precision(seed):
    module, shape = random_net(seed)
    module = module.double()
    x = torch.randn(8, *shape, dtype=torch.float64)

    after = normalized(wired(module, shape))

    assert not {"norm", "identity"} & {node.op for node in after.nodes}
    assert _error(after, module, x) < 1e-12


@each_net
def test_the_function_is_unchanged_in_single_precision(seed):
    module, shape = random_net(seed)

    after = normalized(wired(module, shape))

    assert _error(after, module, torch.randn(8, *shape)) < 1e-5


@each_pass
def test_a_pass_tells_its_name_once_and_only_where_it_did_something(rewrite):
    module, shape = random_net(0)
    before = wired(module, shape)
    for earlier in PASSES[: PASSES.index(rewrite)]:
        before = earlier(before)

    after = rewrite(before)

    assert after.rewrites == (*before.rewrites, rewrite.__name__)
    assert rewrite(after).rewrites == after.rewrites


@each_pass
def test_a_pass_leaves_a_network_without_architecture_alone(rewrite):
    module, shape = random_net(0)
    network = wired(module, shape)
    bare = type(network)(network.layers)

    assert rewrite(bare) is bare


@each_pass
def test_a_pass_does_not_touch_what_it_was_given(rewrite):
    module, shape = random_net(1)
    before = wired(module, shape)
    nodes, layers = before.nodes, before.layers

    rewrite(before)

    assert before.nodes == nodes
    assert before.layers == layers


def test_each_tensor_that_was_folded_has_its_layer():
    module, shape = random_net(2)
    before = wired(module, shape)

    found = folded_tensors(before, normalized(before))

    assert found["2.running_mean"] == found["2.running_var"] == "0.weight"
    assert found["11.weight"] == found["11.bias"] == "10.weight"
    assert not folded_tensors(before, before)
