"""The headline example trains, saves and certifies; a tiny run stands for the long one."""

from __future__ import annotations

import gzip
import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.lab.data import open_images
from boundkit.lab.data.images import assembled
from boundkit.lab.headline import bounded as recipe
from boundkit.lab.headline import pixels as dataset
from boundkit.lab.headline import plans as runs
from boundkit.layers.model_spec import load_model

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "headline"
PAIR = ROOT / "fixtures" / "data" / "pair_train.npz"


def net(name: str) -> torch.nn.Module:
    return load_model(f"{EXAMPLE / 'nets.py'}:{name}")


@pytest.fixture(name="sample")
def _sample(tmp_path: Path) -> Path:
    """Sixty images of the fixtures' pair."""
    path = tmp_path / "pair.npz"
    with np.load(PAIR) as arrays:
        few = {k: arrays[k][:60] if k in "xy" else arrays[k] for k in arrays}
    np.savez(path, **few)
    return path


def test_every_run_names_a_net_and_an_architecture_that_is_counted():
    for run in runs.RUNS:
        assert run.architecture in runs.ARCHITECTURES
        for factory in (run.net, *run.routes):
            scores = net(factory)(torch.zeros(2, 1, 28, 28))

            assert scores.shape == (2, 10 if run.task == "all" else 1)


def test_names_of_runs_and_architectures_are_unique():
    assert len({run.name for run in runs.RUNS}) == len(runs.RUNS)
    assert len(set(runs.ARCHITECTURES)) == len(runs.ARCHITECTURES)


def test_the_wide_net_has_five_weights_per_sample():
    weights = sum(p.numel() for p in net("relu_wide").parameters())

    assert weights > 5 * 11_800


def test_an_unknown_run_is_refused():
    with pytest.raises(UsageError, match="--net 'x': there is no such net; choose all"):
        runs.plan_named("x")


def test_price_of_a_linear_net_is_that_of_its_inputs(sample):
    x, _ = dataset.inputs(sample)
    energy = (x.astype(np.float64) ** 2).sum()

    assert recipe.price(net("linear"), sample) == pytest.approx(
        2 * math.sqrt(energy) / 60,
        rel=1e-5,  # boundkit centers in float32, in another order
    )


def test_price_does_not_depend_on_the_weights(sample):
    torch.manual_seed(1)
    one = recipe.price(net("relu"), sample)
    torch.manual_seed(2)
    other = recipe.price(net("relu"), sample)

    assert one == pytest.approx(other, rel=1e-12)


def test_no_price_without_a_bound(sample):
    gelu = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 28), torch.nn.GELU())

    with pytest.raises(UsageError, match=r"no price for this architecture: .*GELU"):
        recipe.price(gelu, sample)


def test_margins_of_one_output_and_of_ten():
    one = recipe.margins(torch.tensor([[2.0], [3.0]]), torch.tensor([1, -1]))
    ten = recipe.margins(
        torch.tensor([[1.0, 4.0, 2.0], [5.0, 0.0, 7.0]]), torch.tensor([1, 0])
    )

    assert one.tolist() == [2, -3]
    assert ten.tolist() == [2, -2]


def test_losses_by_hand():
    of = torch.tensor([2.0, 0.5, -3.0])

    assert recipe.hinge(of).item() == pytest.approx((0 + 0.5 + 4) / 3, rel=1e-6)
    assert recipe.clipped(of).item() == pytest.approx(
        (0 + 0.5 + 1) / 3 + 0.05 * 1.5, rel=1e-6
    )


def test_warm_up_rises_to_the_full_price_at_half_time():
    assert recipe.warm_up(0.0) == 0.02
    assert recipe.warm_up(0.325) == pytest.approx(0.5, rel=1e-12)
    assert recipe.warm_up(0.5) == recipe.warm_up(1.0) == 1


def test_charged_norm_is_the_rho_of_the_report(sample):
    torch.manual_seed(0)
    for name in ("relu", "overlap_three", "biased", "batch_norm"):
        of = net(name).eval()
        for buffer, values in of.named_buffers():
            if buffer.startswith("norm.running"):
                values.uniform_(0.5, 2)
        report = boundkit.analyze(of, model=of, data=str(sample), only=["bounds"])
        terms = report.certificates["sparse_cnn"].terms
        charged = recipe.complexity(of, [1.0], terms.get("bias_energy") or 0.0)

        assert charged.item() == pytest.approx(
            10 ** terms["rho_log10"],
            rel=1e-5,  # float32 against float64
        )


def test_price_of_biases_is_that_of_the_report_at_its_scale(sample):
    of = net("biased")
    report = boundkit.analyze(of, model=of, data=str(sample), only=["bounds"])
    terms = report.certificates["sparse_cnn"].terms
    expected = 2 * terms["K_L"] * terms["S_N"] / 60

    assert recipe.price(of, sample, terms["bias_energy"]) == pytest.approx(
        expected, rel=1e-9
    )
    assert recipe.price(of, sample, 1.0) > recipe.price(of, sample, 1 / 16)


def test_folding_leaves_the_function_of_the_first_layer():
    torch.manual_seed(0)
    of = net("batch_norm").eval()
    with torch.no_grad():
        for p in (of.norm.weight, of.norm.bias, of.norm.running_mean):
            p.copy_(torch.randn(64))
        of.norm.running_var.uniform_(0.5, 2)
    (weight, bias), _ = recipe.layers(of)
    x = torch.randn(3, 1, 28, 28)
    expected = of.norm(of.conv(x))
    folded = torch.nn.functional.conv2d(x, weight, bias, stride=4)

    # float32, by another order of the same sums
    torch.testing.assert_close(folded, expected, rtol=1e-4, atol=1e-5)


def test_residual_complexity_sums_over_routes():
    of = net("residual")
    prices = [2.0, 3.0, 5.0]
    with torch.no_grad():
        for p, norm in zip(of.parameters(), (1, 4, 0.5, 3, 2, 7), strict=True):
            p.mul_(norm / p.norm())
    # Stem 1, head 7, branches 4 * 0.5 and 3 * 2.
    expected = 7 * (2 + 3 * (2 + 6) + 5 * 2 * 6)

    assert recipe.complexity(of, prices).item() == pytest.approx(expected, rel=1e-5)


def test_centered_head_of_ten_classes_is_what_is_charged():
    of = net("linear_ten").double()
    with torch.no_grad():
        of.head.weight.fill_(1.0)
        of.head.weight[0] += 1

    # Rows minus their mean: one of 0.9 and nine of -0.1, 784 times.
    assert recipe.complexity(of, [1.0]).item() == pytest.approx(
        math.sqrt(784 * 0.9), rel=1e-12
    )


def test_center_is_taken_from_images_that_are_left_out(tmp_path):
    write_idx(tmp_path, images=250)
    train, test = dataset.prepare(open_images(tmp_path), tmp_path / "out", "all")
    with np.load(train) as arrays:
        stored = dict(arrays)
    x, labels = dataset.inputs(test)

    assert len(stored["x"]) == 250 - dataset.HELD_BACK
    np.testing.assert_allclose(
        np.linalg.norm((x + stored["center"]).reshape(250, -1), axis=1),
        1,
        rtol=1e-6,  # float32
    )
    assert labels.tolist() == [i % 10 for i in range(250)]


def test_a_pair_is_coded_by_signs():
    x = np.zeros((5, 1, 28, 28), np.uint8)
    images, y = dataset.select(x, np.array([3, 8, 0, 8, 3], np.uint8), "3v8")

    assert len(images) == 4
    assert y.tolist() == [-1, 1, 1, -1]


@pytest.mark.parametrize(
    ("size", "count", "message"),
    [((1, 14, 14), 400, "take gray ones of 28 x 28"), ((1, 28, 28), 200, "give more")],
)
def test_images_that_do_not_fit_are_explained(tmp_path, size, count, message):
    x, y = np.ones((count, *size), np.uint8), np.arange(count) % 10

    with pytest.raises(DataError, match=message):
        dataset.prepare(assembled("these", (x, y), (x, y)), tmp_path, "all")


def head(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def write_idx(folder: Path, images: int) -> None:
    """Write IDX files of two patterns that differ by class parity, under noise."""
    random = np.random.default_rng(0)
    labels = np.arange(images, dtype=np.uint8) % 10
    x = random.integers(0, 60, (images, 28, 28), np.uint8)
    x[labels % 2 == 0, :14] += 150
    x[labels % 2 == 1, 14:] += 150
    for part in ("train", "t10k"):
        for what, content in (
            ("images-idx3", head(2051, images, 28, 28) + x.tobytes()),
            ("labels-idx1", head(2049, images) + labels.tobytes()),
        ):
            path = folder / f"{part}-{what}-ubyte.gz"
            path.write_bytes(gzip.compress(content))


def script(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(ROOT / path), *arguments],
        capture_output=True,
        text=True,
        env=one_thread,
        check=False,
    )


def test_train_then_certify(tmp_path):
    write_idx(tmp_path, images=4000)
    out = tmp_path / "out"
    trained = script(
        "examples/headline/train.py",
        "--net=0v9_linear",
        f"--data={tmp_path}",
        f"--out={out}",
    )
    assert trained.returncode == 0, trained.stderr
    table = script("benchmarks/headline.py", f"--out={out}")
    assert table.returncode == 0, table.stderr
    content = json.loads((out / "headline.json").read_text(encoding="utf-8"))
    (of,) = content["nets"]
    summands = of["margin_loss"] + of["complexity"] + of["confidence"]

    assert of["status"] == "valid"
    assert of["value"] == pytest.approx(summands, rel=1e-9)
    assert of["delta"] == pytest.approx(0.05 / len(runs.ARCHITECTURES), rel=1e-12)
    assert of["test_error"] == 0
    assert (out / "headline.md").read_text(encoding="utf-8") in table.stdout


def test_nothing_to_certify_is_explained(tmp_path):
    table = script("benchmarks/headline.py", f"--out={tmp_path}")

    assert table.returncode == 1
    assert "no trained nets there; run python examples/headline" in table.stderr
