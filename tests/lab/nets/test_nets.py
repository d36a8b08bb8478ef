import math

import pytest
import torch

from boundkit.errors import UsageError
from boundkit.lab.nets import NETS, build, named
from boundkit.lab.nets.architecture import after, channels, layers_of

each_net = pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_the_six_layers_have_as_many_weights_as_in_print():
    net = build("xu2023_six", (3, 32, 32), 2)

    # P1, section 3.2 and figure 6: 3,200 x 1,024 and 1,024 x 2 in the dense layers, and
    # 3,519,335 in all, seven of them the scalars of weight normalization.
    assert net.hidden.weight.shape == (1024, 3200)
    assert parameters(net) + 7 == 3_519_335


def test_the_three_layers_have_about_twenty_thousand_weights():
    net = build("xu2023_three", (3, 32, 32), 2)

    # 32 x 27 + 64 x 288 + 2 x 576; P1, section 4.3, says about 20K.
    assert parameters(net) == 864 + 18_432 + 1_152


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # torchvision 0.21: sum(p.numel() for p in resnet18(num_classes=10).parameters())
        # is 11,181,642, with a 7x7 opening of 9,408 weights where this has 3x3, 1,728.
        ("resnet18", 11_181_642 - 9_408 + 1_728),
        # Convolutions and BatchNorm of vgg11_bn and vgg13_bn, 9,225,984 and 9,410,880,
        # less the biases of the convolutions, and the last layer, 5,130.
        ("vgg11", 9_225_984 - 2_752 + 5_130),
        ("vgg13", 9_410_880 - 2_944 + 5_130),
    ],
)
def test_known_nets_have_their_known_sizes(name, expected):
    assert parameters(build(name, (3, 32, 32), 10)) == expected


@each_net
@pytest.mark.parametrize("shape", [(1, 14, 14), (3, 32, 32)])
def test_images_become_scores_of_the_head(net, shape):
    made = net.build(shape, 7, 0.05).eval()

    found = made(torch.rand(2, *shape))

    assert found.shape == (2, 7)
    assert isinstance(made.head, torch.nn.Linear)
    assert list(layers_of(made))[-1] == "head"


@each_net
def test_scaling_a_layer_scales_what_is_homogeneous(net):
    torch.manual_seed(0)
    made = net.build((1, 14, 14), 1, 0.1).double().eval()
    x = torch.rand(3, 1, 14, 14).double()
    before = made(x)

    for layer in layers_of(made).values():
        layer.weight.data *= 1.5
    ratio = made(x) / before

    degree = math.log(ratio.mean().item()) / math.log(1.5)
    # Running statistics, so BatchNorm without scale is homogeneous in eval mode, too.
    has_bias = any(n.endswith("bias") for n, _ in made.named_parameters())
    assert net.homogeneous is not has_bias
    if net.homogeneous and not any("norm" in n for n, _ in made.named_modules()):
        assert degree == pytest.approx(len(layers_of(made)), rel=1e-9)
        assert (ratio - ratio.mean()).abs().max() < 1e-9 * ratio.mean()


@each_net
def test_half_the_width_is_the_same_net_narrower(net):
    wide, narrow = (net.build((1, 28, 28), 2, width) for width in (1.0, 0.5))

    assert list(layers_of(wide)) == list(layers_of(narrow))
    for name, layer in list(layers_of(wide).items())[:-1]:
        assert 2 * len(layers_of(narrow)[name].weight) == len(layer.weight)


def test_names_are_told_apart():
    assert len({net.name for net in NETS}) == len(NETS)
    assert named("mlp").name == "mlp"


def test_an_unknown_net_is_refused():
    with pytest.raises(
        UsageError, match=r"net must be among xu2023_six, .*, but got 'x'"
    ):
        build("x", (1, 28, 28), 1)


@pytest.mark.parametrize("width", [0, -1, math.nan, math.inf])
def test_a_width_that_leaves_nothing_is_refused(width):
    with pytest.raises(UsageError, match="width must be positive and finite"):
        channels(8, width)


def test_maps_shrink_as_torch_shrinks_them():
    for side, kernel, stride, padding in [(14, 3, 1, 0), (12, 3, 2, 0), (7, 3, 2, 1)]:
        made = torch.nn.Conv2d(1, 1, kernel, stride, padding)

        expected = made(torch.zeros(1, 1, side, side)).shape[-1]

        assert after(side, kernel, stride, padding) == expected


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(UsageError, match="too small for a 3 x 3 kernel"):
        build("xu2023_six", (1, 7, 7), 1)
