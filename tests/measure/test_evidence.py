"""One pass over the data gives margins, norms and patch statistics, exactly."""

import functools
import json
import operator
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from boundkit.data import Samples, open_data
from boundkit.errors import DataError, ModelError
from boundkit.layers.geometry import of_module
from boundkit.layers.model_spec import fit, load_model
from boundkit.measure.evidence import Sums, evidence, raw_margins
from boundkit.readers import read

FIXTURES = Path(__file__).parents[2] / "fixtures"


class Fixed(nn.Module):
    """Returns what its samples say, whatever they are."""

    def __init__(self, change=lambda x: x):
        super().__init__()
        self.change = change

    def forward(self, x):
        return self.change(x)


def _evidence(module, x, y, **settings):
    return evidence(module, open_data((x, y)), device="cpu", **settings)


def test_margins_of_one_output():
    outputs = torch.tensor([[2.0], [-3.0], [0.0], [0.5]])

    for labels in ([1, -1, 1, -1], [1, 0, 1, 0]):
        found = raw_margins(outputs, torch.tensor(labels))
        assert found.tolist() == [2, 3, 0, -0.5]


def test_margins_of_several_outputs():
    outputs = torch.tensor([[1.0, 4.0, 2.0], [3.0, 3.0, 0.0], [0.0, 1.0, 5.0]])

    assert raw_margins(outputs, torch.tensor([1, 0, 0])).tolist() == [2, 0, -5]


def test_two_outputs_take_either_coding():
    outputs = torch.tensor([[1.0, 4.0], [1.0, 4.0]])

    assert raw_margins(outputs, torch.tensor([1, 0])).tolist() == [3, -3]
    assert raw_margins(outputs, torch.tensor([1, -1])).tolist() == [3, -3]


def test_ties_and_negative_margins_are_errors():
    x = np.array([[2.0, 1.0], [1.0, 1.0], [1.0, 2.0]])

    found = _evidence(Fixed(), x, [0, 0, 0])

    assert found.errors == 2
    assert found.outputs == 2
    assert found.n == 3
    assert found.margins.tolist() == [1, 0, -1]


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1, 1)])
def test_one_number_per_sample_may_come_in_any_shape(shape):
    x = np.array([[1.0], [-2.0], [3.0], [4.0]])

    found = _evidence(Fixed(lambda t: t.reshape(shape)), x, [1, -1, -1, 1])

    assert found.margins.tolist() == [1, 2, -3, 4]
    assert found.outputs == 1


def test_norms_of_vectors_are_one_position():
    found = _evidence(Fixed(), np.array([[3.0, 4.0], [0.0, 1.0]]), [0, 1])

    assert found.mean_square_norm == 13
    assert found.max_norm == 5
    assert found.position_energy.tolist() == [13]


def test_norms_of_images_are_summed_over_channels_only():
    x = np.arange(24.0).reshape(2, 3, 2, 2)

    found = _evidence(Fixed(lambda t: t.flatten(1)), x, [0, 1])

    expected = np.square(x).sum(1).mean(0)
    np.testing.assert_allclose(found.position_energy, expected, rtol=1e-12)
    np.testing.assert_allclose(found.mean_square_norm, expected.sum(), rtol=1e-12)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 2, 3, 2, 1),
        nn.Conv2d(3, 2, 2, dilation=2),
        nn.Conv2d(3, 2, (1, 3), padding=(0, 2), padding_mode="circular"),
        nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(3, 2, 3, padding="same", padding_mode="replicate"),
        nn.Conv2d(3, 3, 4, 4, groups=3),
    ],
    ids=str,
)
def test_patch_statistics_are_those_of_the_patches_taken_one_by_one(layer):
    torch.manual_seed(0)
    x = torch.randn(11, 3, 8, 8, dtype=torch.float64)
    padded = x
    if layer.padding_mode != "zeros":
        ends = layer._reversed_padding_repeated_twice
        padded = functional.pad(x, ends, mode=layer.padding_mode)
    columns = functional.unfold(
        padded,
        layer.kernel_size,
        layer.dilation,
        layer.padding if layer.padding_mode == "zeros" else 0,
        layer.stride,
    )

    found = _evidence(
        Fixed(lambda t: t.flatten(1)), x, [0] * 11, first_layer=of_module(layer)
    )

    expected = columns.square().sum(1).mean(0)
    np.testing.assert_allclose(found.patch_energy, expected, rtol=1e-12)
    for position in range(columns.shape[2]):
        covariance = np.asarray(columns[:, :, position].T @ columns[:, :, position])
        values = np.linalg.eigvalsh(covariance)[::-1] / np.trace(covariance)
        np.testing.assert_allclose(
            found.patch_spectrum[position], values, rtol=1e-9, atol=1e-12
        )


def test_a_dense_layer_sees_one_patch():
    x = np.array([[[[3.0, 0.0]]], [[[0.0, 1.0]]]])

    net = Fixed(lambda t: t.flatten(1))
    found = _evidence(net, x, [0, 1], first_layer="dense")

    np.testing.assert_allclose(found.patch_spectrum, [[0.9, 0.1]], rtol=1e-12)
    np.testing.assert_allclose(found.patch_energy, [5], rtol=1e-12)


def test_patches_that_are_always_zero_have_a_zero_spectrum():
    x = np.zeros((2, 1, 4, 4))
    x[:, :, 0, 0] = 1

    found = _evidence(
        Fixed(lambda t: t.flatten(1)),
        x,
        [0, 1],
        first_layer=of_module(nn.Conv2d(1, 1, 2, 2)),
    )

    assert found.patch_energy.tolist() == [1, 0, 0, 0]
    assert found.patch_spectrum.sum(1).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("dense", (1601,)),
        (of_module(nn.Conv2d(1, 1, 41)), (1, 50, 50)),
        (of_module(nn.Conv2d(8, 1, 14)), (8, 20, 20)),
        (of_module(nn.ConvTranspose2d(1, 1, 2)), (1, 4, 4)),
        (of_module(nn.Conv2d(1, 1, 2)), (16,)),
        (None, (4,)),
    ],
)
def test_patches_are_left_out_where_they_are_undefined_or_too_many(layer, shape):
    found = _evidence(
        Fixed(lambda t: t.flatten(1)[:, :2]),
        np.ones((2, *shape)),
        [0, 1],
        first_layer=layer,
    )

    assert found.patch_energy is None
    assert found.patch_spectrum is None


def test_the_batch_size_does_not_matter():
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, 3, 2, 1, bias=False)
    net = nn.Sequential(layer, nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).double()
    x, y = torch.randn(23, 2, 8, 8, dtype=torch.float64), torch.arange(23) % 3
    whole = _evidence(net, x, y, first_layer=of_module(layer), batch_size=23)

    for size in (1, 5, 22):
        part = _evidence(net, x, y, first_layer=of_module(layer), batch_size=size)
        assert part.errors == whole.errors
        for name in ("margins", "mean_square_norm", "max_norm", "position_energy"):
            expected = getattr(whole, name)
            np.testing.assert_allclose(getattr(part, name), expected, rtol=1e-12)
        np.testing.assert_allclose(part.patch_energy, whole.patch_energy, rtol=1e-12)
        np.testing.assert_allclose(
            part.patch_spectrum, whole.patch_spectrum, rtol=1e-9, atol=1e-13
        )


def test_sums_of_parts_are_the_sums_of_the_whole_in_any_grouping():
    torch.manual_seed(0)
    x, f = torch.randn(9, 2, 5), torch.randn(9, 3)
    y = torch.arange(9) % 3
    geometry = of_module(nn.Conv1d(2, 1, 3))

    def part(a, b):
        return Sums.of(x[a:b], f[a:b], y[a:b], geometry)

    left = functools.reduce(operator.add, [part(0, 2), part(2, 3), part(3, 9)])
    right = part(0, 2) + (part(2, 3) + part(3, 9))
    whole = part(0, 9)

    for sums in (left, right):
        assert torch.equal(torch.cat(sums.margins), whole.margins[0])
        torch.testing.assert_close(sums.energy, whole.energy, rtol=1e-12, atol=0)
        torch.testing.assert_close(sums.gram, whole.gram, rtol=1e-12, atol=1e-14)
        assert torch.equal(sums.largest, whole.largest)


def test_sums_are_float64_and_stay_on_their_device():
    layers = ["dense", *map(of_module, (nn.Conv2d(3, 1, 3, 2, 1), nn.Conv2d(3, 1, 3)))]
    with FakeTensorMode():
        for layer in layers:
            x = torch.empty(4, 3, 8, 8, device="cuda")
            f = torch.empty(4, 10, device="cuda", dtype=torch.bfloat16)
            y = torch.empty(4, dtype=torch.int64, device="cuda")
            total = Sums.of(x, f, y, layer) + Sums.of(x, f, y, layer)

            for tensor in (*total.margins, total.energy, total.largest, total.gram):
                assert tensor.device.type == "cuda"
                assert tensor.dtype == torch.float64


def test_the_module_is_left_as_it_was_and_runs_in_eval_mode():
    seen = []
    net = nn.Sequential(nn.Dropout(0.5), Fixed(lambda t: t), nn.BatchNorm1d(2))
    net[1].register_forward_hook(lambda m, a, o: seen.append(m.training))

    _evidence(net, np.ones((4, 2)), [0, 1, 0, 1])

    assert not any(seen)
    assert net.training
    assert net[2].num_batches_tracked == 0


def test_inputs_take_the_precision_of_the_module():
    net = nn.Linear(2, 2).double()

    assert _evidence(net, np.ones((4, 2), np.float32), [0, 1, 0, 1]).n == 4


def test_progress_is_told_after_each_batch():
    told = []

    _evidence(
        Fixed(),
        np.eye(5),
        range(5),
        batch_size=2,
        progress=lambda *news: told.append(news),
    )

    assert told == [(n, 5, "forward pass") for n in (2, 4, 5)]


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (1, [1, 2, 0, 1], "y[1] is 2, but the net has 1 output(s); labels must be -1/"),
        (3, [1, 2, 0, 3], "y[3] is 3, but the net has 3 output(s); labels must be 0.."),
        (3, [1, -1, 1, 1], "y[1] is -1, but the net has 3 output(s)"),
        (2, [2, 1, 1, 1], "y[0] is 2, but the net has 2 output(s)"),
    ],
)
def test_labels_must_fit_the_outputs(outputs, labels, message):
    net = Fixed(lambda t: t[:, :outputs])

    with pytest.raises(DataError, match=re.escape(message)):
        _evidence(net, np.ones((4, 3)), labels, batch_size=2)


def test_one_coding_of_two_classes_must_be_kept_from_batch_to_batch():
    batches = [(np.ones((2, 2)), [0, 1]), (np.ones((2, 2)), [-1, 1])]
    mixed = Samples("d", 4, (2,), lambda _: batches)

    with pytest.raises(DataError, match="d: labels hold both -1 and 0; code two class"):
        evidence(Fixed(), mixed, device="cpu")


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_an_output_that_is_not_finite_is_named_by_its_sample(bad):
    def broken(x):
        return torch.where(x == 5, bad, x)

    x = np.ones((7, 2))
    x[4, 1] = 5

    with pytest.raises(DataError, match="output for sample 4 is NaN or Inf; look"):
        _evidence(Fixed(broken), x, [1] * 7, batch_size=3)


def test_an_empty_stream_is_refused():
    nothing = Samples("d", 0, (2,), lambda _: [])

    with pytest.raises(DataError, match="d: no samples in it"):
        evidence(Fixed(), nothing, device="cpu")


def test_a_net_that_does_not_run_is_refused():
    with pytest.raises(ModelError, match="does not run on a batch of shape"):
        _evidence(nn.Linear(3, 2), np.ones((4, 2)), [0, 1, 0, 1])


@pytest.mark.parametrize("name", ["two_class", "two_class_small", "mlp", "residual"])
def test_the_error_is_what_the_training_script_measured(name):
    entries = json.loads((FIXTURES / "MANIFEST.json").read_text())["entries"]
    by_path = {entry.get("path"): entry for entry in entries}
    net = by_path[f"checkpoints/{name}.pt"]
    data = by_path[net["test_data"]]
    model = load_model(f"{FIXTURES}/{net['model']}")
    fitted = fit(model, read(FIXTURES / net["path"]))

    found = evidence(fitted, open_data(FIXTURES / net["test_data"]), device="cpu")

    assert found.errors == round(net["test_error"] * data["n"])
    assert found.n == data["n"]
    # The training script normalizes in float32.
    np.testing.assert_allclose(found.max_norm, data["max_norm"], rtol=1e-6)
    np.testing.assert_allclose(
        found.mean_square_norm, data["mean_square_norm"], rtol=1e-6
    )


def test_the_largest_coordinate_is_found_among_channels_and_positions():
    x = np.zeros((4, 2, 3))
    x[:, 1, 2] = [1, 2, 3, 4]
    x[:, 0, 2] = 2.0

    found = _evidence(Fixed(lambda t: t.flatten(1)[:, :1]), x, [1, 1, 1, -1])

    assert found.coordinate_energy == 30 / 4
    assert found.position_energy.tolist() == [0, 0, 30 / 4 + 4]
