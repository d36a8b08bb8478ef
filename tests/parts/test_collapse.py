"""Collapse in a report equals what numpy makes of the same features in float64."""

import json
from functools import cache

import jsonschema
import numpy as np
import pytest
import torch
from boundkit_cli import exits
from boundkit_cli.app import run
from torch import nn

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.report.json import document, schema
from tests.measure.collapse.samples import Literal
from tests.parts import nets

PARTS = ["margins", "collapse"]
DECAY = 1e-3


def at(table, name):
    for step in name.split("."):
        table = table[step]
    return table


def assert_found(table, expected, rel=1e-9):
    for name, value in expected.items():
        assert at(table, name) == pytest.approx(value, rel=rel, abs=1e-12), name


def analyzed(name, data, **options):
    return boundkit.analyze(
        nets.checkpoint(name),
        model=nets.spec(name),
        data=data,
        only=PARTS,
        device="cpu",
        batch_size=nets.BATCH,
        **options,
    )


@cache
def ten(name):
    held = nets.sample("ten_test", 600, 800)
    train = nets.sample("ten_test", 0, 600)
    report = analyzed(name, train, test_data=held, weight_decay=DECAY)
    return report, train, held


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_ten_classes_equal_every_definition_written_out(name):
    report, (x, y), _ = ten(name)

    h, outputs, weight, bias = nets.run(name, x)
    y = y.numpy()

    expected = Literal(h, y, weight, bias).measures()
    expected |= nets.decomposed(h, y, weight, bias, DECAY)
    expected |= nets.peeled(h, outputs, y, weight, bias)
    assert_found(report.collapse, expected)


def test_signal_to_noise_equals_that_of_a_matrix_root():
    report, (x, y), _ = ten("residual")
    h, *_ = nets.run("residual", x)
    literal = Literal(h, y.numpy())

    values, vectors = np.linalg.eigh(literal.within)
    means = np.stack(list(literal.m.values()))
    root = means @ (vectors / np.sqrt(values)) @ vectors.T
    omega = np.linalg.svd(root, compute_uv=False)[:9]

    assert values[0] > 1e-8 * values[-1]
    snr = report.collapse["snr"]
    np.testing.assert_allclose(snr["singular_values"], omega, rtol=1e-9)
    assert report.collapse["nc1_snr"] == pytest.approx((10 / omega**2).sum(), rel=1e-9)
    spectrum = report.collapse["eigenvalues"]["within"]
    np.testing.assert_allclose(spectrum, values[::-1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_a_held_out_sample_is_compared_with_the_training_means(name):
    report, (x, y), (other_x, other_y) = ten(name)
    h, *_ = nets.run(name, x)
    means = np.stack([h[y.numpy() == c].mean(0) for c in range(10)])
    held, outputs, *_ = nets.run(name, other_x)

    expected, nearest = nets.within_span(held, other_y.numpy(), means)

    expected["nc4_mismatch"] = (nearest != outputs.argmax(1)).mean()
    assert_found(report.collapse["test"], expected)


def test_one_output_equals_numpy():
    x, y = nets.sample("pair_train", 0, 1000)
    report = analyzed("two_class_small", (x, y), weight_decay=DECAY)
    h, outputs, weight, bias = nets.run("two_class_small", x)
    y = (y.numpy() > 0).astype(int)

    expected, nearest = nets.within_span(h, y)
    expected |= nets.binary(h, y, weight) | nets.peeled(h, outputs, y, weight, bias)
    expected |= nets.decomposed(h, y, weight, bias, DECAY)
    expected["nc4_mismatch"] = (nearest != (outputs[:, 0] > 0)).mean()
    expected["net_error"] = (y != (outputs[:, 0] > 0)).mean()
    assert_found(report.collapse, expected)


# So few that all directions that they have are found, and so many that they are not.
@pytest.mark.parametrize("n", [150, 1300])
def test_wide_features_equal_numpy(n):
    x, y = nets.sample("pair_train", 0, n)
    report = analyzed("two_class", (x, y), weight_decay=DECAY)
    h, outputs, weight, bias = nets.run("two_class", x)
    y = (y.numpy() > 0).astype(int)
    assert h.shape == (n, 12544)

    expected, nearest = nets.within_span(h, y)
    expected |= nets.binary(h, y, weight) | nets.peeled(h, outputs, y, weight, bias)
    expected["nc4_mismatch"] = (nearest != (outputs[:, 0] > 0)).mean()
    parts = nets.decomposed(h, y, weight, bias, DECAY) if n == 150 else {}
    assert_found(report.collapse, expected | parts)
    missing = {"mse.l_nc1", "mse.perp_share", "snr.*", "eigenvalues.within", "nc1_snr"}
    if n == 150:
        why = report.collapse["reasons"]
        assert "snr.*" not in why
        assert "12544 x" not in str([why.get(name) for name in missing])
        assert not any("span" in each for each in report.collapse["notices"])
        return
    assert missing <= set(report.collapse["reasons"])
    assert "12544 x 12544 numbers" in report.collapse["reasons"]["nc1_snr"]
    assert any("12544 x 12544" in each for each in report.collapse["notices"])
    targets = 2.0 * y[:, None] - 1
    total = nets.square_loss(h, targets, weight, DECAY / 2)
    assert at(report.collapse, "mse.total") == pytest.approx(total, rel=1e-9)


def test_reports_are_strict_json_that_the_schema_allows():
    for name in ("mlp", "residual"):
        made = document(ten(name)[0])
        jsonschema.Draft202012Validator(schema()).validate(made)
        assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_margins_stand_beside_it_with_their_histogram():
    report, (x, y), (other_x, other_y) = ten("mlp")
    for table, inputs, labels in (
        (report.margins, x, y),
        (report.margins["test"], other_x, other_y),
    ):
        _, outputs, *_ = nets.run("mlp", inputs)
        own = outputs[np.arange(len(labels)), labels]
        others = np.where(np.eye(10, dtype=bool)[labels], -np.inf, outputs).max(1)
        margins = own - others

        assert table["mean"] == pytest.approx(margins.mean(), rel=1e-9)
        assert table["median"] == pytest.approx(np.median(margins), rel=1e-9)
        assert table["train_error"] == (margins <= 0).mean()
        edges = np.linspace(margins.min(), margins.max(), 41)
        np.testing.assert_allclose(table["histogram"]["edges"], edges, rtol=1e-9)
        assert sum(table["histogram"]["counts"]) == len(labels)
        counts, _ = np.histogram(margins, edges)
        assert np.abs(counts - table["histogram"]["counts"]).sum() <= 2


def stored(folder, *, layer=True, **changes):
    """Write the features of the mlp to a file; return its path and the arrays."""
    x, y = nets.sample("ten_test", 0, 400)
    h, _, weight, bias = nets.run("mlp", x)
    arrays = {"h": h, "y": y.numpy()} | ({"W": weight, "b": bias} if layer else {})
    path = folder / "features.npz"
    np.savez(path, **arrays | changes)
    return str(path), h, y.numpy(), weight, bias


def from_file(path, **options):
    return boundkit.analyze(
        nets.checkpoint("mlp"), features=path, only=PARTS, **options
    )


@pytest.mark.parametrize("layer", [True, False])
@pytest.mark.parametrize("head", [None, "head", "head.weight"])
def test_features_of_a_file_need_no_model(tmp_path, layer, head):
    path, h, y, weight, bias = stored(tmp_path, layer=layer)

    report = from_file(path, head=head, weight_decay=DECAY)

    expected = Literal(h, y, weight, bias).measures()
    expected |= nets.decomposed(h, y, weight, bias, DECAY)
    expected |= nets.peeled(h, None, y, weight, bias)
    assert_found(report.collapse, expected)
    jsonschema.Draft202012Validator(schema()).validate(document(report))


def test_a_layer_that_is_named_goes_before_that_of_the_file(tmp_path):
    path, h, y, weight, bias = stored(tmp_path, W=np.ones((10, 100)), b=np.ones(10))

    report = from_file(path, head="head")

    assert_found(report.collapse, Literal(h, y, weight, bias).duality())


def test_features_that_no_layer_takes_stand_alone(tmp_path):
    path = str(tmp_path / "features.npz")
    rng = np.random.default_rng(0)
    np.savez(path, h=rng.normal(size=(30, 7)), y=np.arange(30) % 3)

    report = from_file(path)

    assert report.collapse["nc1_pinv"] > 0
    assert "needs the classifier" in report.collapse["reasons"]["nc3_frobenius"]
    assert "ulpm" not in report.collapse
    with pytest.raises(
        UsageError, match=r"'head' takes 100 numbers, but .* has 7 each"
    ):
        from_file(path, head="head")
    with pytest.raises(UsageError, match="no linear layer 'nothing'; it has"):
        from_file(path, head="nothing")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"y": np.full(400, 10)}, r"y\[0\] is 10"),
        ({"W": np.zeros((10, 3))}, "W"),
        ({"h": np.full((400, 100), np.nan)}, r"h\[0\] holds NaN or Inf"),
    ],
)
def test_files_that_cannot_be_used_are_said(tmp_path, changes, match):
    path, *_ = stored(tmp_path, **changes)

    with pytest.raises(DataError, match=match):
        from_file(path)


def test_broken_wide_features_are_named_without_p_times_p_numbers(tmp_path):
    path = str(tmp_path / "features.npz")
    h = np.ones((50, 30_000), dtype=np.float32)
    h[17, 4] = np.inf
    np.savez(path, h=h, y=np.arange(50) % 2)

    with pytest.raises(DataError, match=r"h\[17\] holds NaN or Inf"):
        from_file(path)


@pytest.mark.parametrize(
    ("head", "match"),
    [
        ("hidden", "name the last linear layer"),
        ("nothing", "no layer 'nothing'"),
        ("flatten", "not a linear"),
    ],
)
def test_a_head_that_cannot_be_one_is_refused(head, match):
    x, y = nets.sample("ten_test", 0, 20)

    with pytest.raises((UsageError, boundkit.errors.ModelError), match=match):
        analyzed("mlp", (x, y), head=head)


@pytest.mark.parametrize(
    ("label", "options", "code", "message"),
    [
        (3, ["--head", "nothing"], exits.USAGE, "no linear layer 'nothing'"),
        (12, [], exits.UNREADABLE, "y[0] is 12, but W has 10 row(s)"),
    ],
)
def test_the_command_line_says_what_is_wrong_in_one_line(
    tmp_path, capsys, label, options, code, message
):
    path, *_ = stored(tmp_path, y=np.full(400, label))
    asked = [
        "analyze",
        nets.checkpoint("mlp"),
        "--only",
        "collapse",
        "--features",
        path,
    ]

    assert run([*asked, *options]) == code

    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_net_without_a_last_linear_layer_has_no_collapse_and_says_why():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    x, y = torch.randn(20, 1, 8, 8), torch.arange(20) % 3

    report = boundkit.analyze(net, data=(x, y), only=PARTS, device="cpu")

    assert report.collapse is None
    assert report.margins is not None
    told = [one.message for one in report.warnings if one.code == "no-features"]
    assert len(told) == 1
    assert "average before that convolution" in told[0]
