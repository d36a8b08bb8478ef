"""Whole traces: of the bundled run, and of runs with something wrong in them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import boundkit
from boundkit.errors import CheckpointError, Empty, Unreadable, UsageError
from boundkit.tracing.points import ASIDE, FAILED, TRACED, UNDEFINED
from tests.sweeping.nets import net, nets
from tests.tracing.runs import EPOCHS, FOLDER, OPTIONS, bundled

NORMS = {"only": ("norms",), "jobs": 1}


def statuses(trace):
    return [one.status for one in trace.points]


def test_the_bundled_run_is_in_order_whatever_the_order_of_its_names():
    trace = bundled()

    assert [one.at for one in trace.course] == list(EPOCHS)
    assert trace.order.axis == "epoch"
    assert trace.frame()["epoch"].tolist() == list(EPOCHS)


def test_rho_is_the_product_of_the_norms_that_torch_computes():
    trace = bundled()
    last = torch.load(FOLDER / "epoch_512.pt", weights_only=True)["model"]
    norms = [float(w.double().norm()) for w in last.values()]

    assert trace.frame()["rho"].iloc[-1] == pytest.approx(np.prod(norms), rel=1e-12)
    layers = trace.frame("layers")
    np.testing.assert_allclose(
        layers[layers["epoch"] == 512]["rho"], norms, rtol=1e-12, atol=0
    )


def test_the_terminal_phase_of_the_bundled_run_is_found():
    trace = bundled()

    assert (trace.terminal.after, trace.terminal.began) == (64, 96)
    assert trace.terminal.gain == pytest.approx(8 / 320, rel=0, abs=1e-12)
    errors = trace.frame().set_index("epoch")["margins.train_error"]
    assert errors[64] > 0
    assert (errors[96:] == 0).all()


def test_collapse_sets_in_over_the_bundled_run():
    frame = bundled().frame().set_index("epoch")

    assert frame["collapse.nc1_pinv"][512] < 0.05 * frame["collapse.nc1_pinv"][8]
    assert frame["collapse.nc3_frobenius"][512] < frame["collapse.nc3_frobenius"][0]
    assert frame["collapse.test.nc1_pinv"][512] > 5 * frame["collapse.nc1_pinv"][512]


def test_signal_to_noise_is_fitted_from_the_terminal_phase_on():
    trace = bundled()

    assert trace.flow.terminal
    assert trace.flow.places.tolist() == [96, 128, 192, 256, 384, 512]
    assert trace.flow.measured.shape == (6, 3)
    assert trace.flow.rate > 0
    assert 0.5 < trace.flow.r2_by_place <= trace.flow.r2_free
    assert trace.flow.residual_free <= trace.flow.residual_by_place
    assert len(trace.frame("signal")) == 18


def test_objects_do_what_names_do():
    def make():
        layers = [nn.Conv2d(1, 8, 4, stride=4, bias=False), nn.ReLU(), nn.Flatten()]
        layers += [nn.Linear(392, 16, bias=False), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(16, 4, bias=False))
        names = ["conv", "relu1", "flatten", "hidden", "relu2", "head"]
        return nn.Sequential(dict_of(zip(names, model, strict=True)))

    def dict_of(pairs):
        from collections import OrderedDict

        return OrderedDict(pairs)

    with np.load(FOLDER / "train.npz") as arrays:
        pixels = arrays["x"].astype("f8")
        norms = np.sqrt((pixels**2).sum(axis=(1, 2, 3), keepdims=True))
        x = (pixels / norms).astype("f4") - arrays["center"]
        y = arrays["y"].astype("i8")
    paths = [FOLDER / f"epoch_{at}.pt" for at in (64, 512)]

    trace = boundkit.trace(paths, model=make(), data=(x, y), only=("margins",))

    expected = bundled().frame().set_index("epoch")["margins.mean"][[64, 512]]
    found = trace.frame().set_index("epoch")["margins.mean"]
    # Single precision, in batches that differ.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0)


def test_a_folder_of_results_is_gone_on_with_and_can_be_traced_itself(tmp_path):
    nets(tmp_path / "run", 3)
    out = tmp_path / "out"
    options = {"only": ("norms",), "jobs": 1}

    first = boundkit.trace(tmp_path / "run", out, **options)
    again = boundkit.trace(tmp_path / "run", out, **options)
    read = boundkit.trace(out)

    assert first.frame()["epoch"].tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(first.frame(), again.frame())
    pd.testing.assert_frame_equal(first.frame(), read.frame())


def test_the_pool_of_a_sweep_gives_what_this_process_gives(tmp_path):
    nets(tmp_path / "run", 2)

    here = boundkit.trace(tmp_path / "run", **NORMS).frame()
    there = boundkit.trace(tmp_path / "run", only=("norms",), jobs=2).frame()

    pd.testing.assert_frame_equal(
        here.drop(columns="seconds"), there.drop(columns="seconds")
    )


def test_a_broken_checkpoint_in_the_middle_is_named_and_the_rest_goes_on(tmp_path):
    paths = nets(tmp_path, 4)
    (tmp_path / "epoch_2.safetensors").write_bytes(b"broken")

    trace = boundkit.trace(tmp_path, **NORMS)

    assert statuses(trace) == [TRACED, TRACED, FAILED, TRACED]
    assert [one.at for one in trace.points] == [0, 1, 2, 3]
    (failed,) = trace.failed
    assert paths[2] in failed.reason
    assert np.isnan(trace.frame()["rho"][2])


def test_a_checkpoint_that_is_not_finite_stays_and_is_told(tmp_path):
    from safetensors.numpy import save_file

    nets(tmp_path, 3)
    bad = {"0.weight": np.full((8, 5), np.nan, "f4"), "1.weight": np.ones((3, 8), "f4")}
    save_file(bad, tmp_path / "epoch_1.safetensors")

    trace = boundkit.trace(tmp_path, **NORMS)

    assert statuses(trace) == [TRACED, UNDEFINED, TRACED]
    assert "0.weight" in trace.undefined[0].reason


def test_a_net_of_another_shape_is_set_aside(tmp_path):
    from safetensors.numpy import save_file

    nets(tmp_path, 3)
    other = {"0.weight": np.ones((9, 5), "f4"), "1.weight": np.ones((3, 9), "f4")}
    save_file(other, tmp_path / "epoch_9.safetensors")

    trace = boundkit.trace(tmp_path, **NORMS)

    assert statuses(trace) == [TRACED, TRACED, TRACED, ASIDE]
    assert "'0.weight' is 8x5 and 9x5" in trace.points[-1].reason


def test_without_data_there_is_no_terminal_phase_and_no_fit(tmp_path):
    nets(tmp_path, 2)

    trace = boundkit.trace(tmp_path, n=1000, jobs=1)

    assert (trace.terminal, trace.flow) == (None, None)
    assert trace.no_flow.startswith("needs features")
    assert trace.frame()["bound.sparse_cnn"].notna().all()


def test_a_frame_with_epochs_can_be_traced(tmp_path):
    paths = [net(tmp_path / f"{name}.safetensors", at) for at, name in enumerate("ab")]
    table = pd.DataFrame({"path": paths, "epoch": [20, 10], "seed": [1, 1]})

    frame = boundkit.trace(table, **NORMS).frame()

    assert frame["epoch"].tolist() == [10, 20]
    assert frame["path"].tolist() == paths[::-1]
    assert frame["seed"].tolist() == [1, 1]


def test_one_checkpoint_is_refused(tmp_path):
    nets(tmp_path, 1)

    with pytest.raises(UsageError, match="two checkpoints of a run or more"):
        boundkit.trace(tmp_path, **NORMS)


def test_one_checkpoint_that_is_left_is_refused_with_the_reason(tmp_path):
    nets(tmp_path, 2)
    (tmp_path / "epoch_1.safetensors").write_bytes(b"broken")

    with pytest.raises(UsageError, match=r"1 of 2 can be used .*epoch_1"):
        boundkit.trace(tmp_path, **NORMS)


def test_a_run_that_is_broken_throughout_is_refused_with_the_first_reason(tmp_path):
    for path in nets(tmp_path, 2):
        Path(path).write_bytes(b"broken")

    with pytest.raises(
        CheckpointError, match="none of 2 checkpoints could be analyzed"
    ):
        boundkit.trace(tmp_path, **NORMS)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Unreadable, match="there is no such file or folder"):
        boundkit.trace(tmp_path / "nowhere", **NORMS)


def test_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(Empty, match="there is no checkpoint"):
        boundkit.trace(tmp_path, **NORMS)


def test_nothing_to_order_by_is_refused(tmp_path):
    paths = [net(tmp_path / f"{name}.safetensors") for name in "ab"]

    with pytest.raises(UsageError, match="nothing to order 2 checkpoints by"):
        boundkit.trace(paths, **NORMS)


def test_objects_and_a_folder_of_results_do_not_go_together(tmp_path):
    nets(tmp_path, 2)

    with pytest.raises(UsageError, match="model must be a SPEC where out is given"):
        boundkit.trace(tmp_path, tmp_path / "out", model=nn.ReLU())


def test_arguments_are_checked_in_this_process_too(tmp_path):
    nets(tmp_path, 2)

    with pytest.raises(UsageError, match="delta"):
        boundkit.trace(tmp_path, delta=2.0, jobs=1)


def test_progress_is_told(tmp_path):
    nets(tmp_path, 2)
    told = []

    boundkit.trace(tmp_path, **NORMS, progress=lambda *each: told.append(each))

    assert told == [(1, 2, "1 of 2 checkpoints"), (2, 2, "2 of 2 checkpoints")]


def test_the_run_is_named_as_it_was_given(tmp_path):
    paths = nets(tmp_path, 3)

    assert boundkit.trace(paths, **NORMS).run == f"{paths[0]} and 2 more"


def test_a_damaged_result_is_a_row_with_its_reason(tmp_path):
    nets(tmp_path / "run", 3)
    boundkit.trace(tmp_path / "run", tmp_path / "out", only=("norms",), jobs=1)
    victim = sorted((tmp_path / "out" / "results").glob("*.json"))[0]
    victim.write_text("{")

    trace = boundkit.trace(tmp_path / "out")

    (failed,) = trace.failed
    assert f"its result {victim.name} is damaged" in failed.reason


def test_a_folder_of_results_that_is_none_is_refused(tmp_path):
    (tmp_path / "sweep.json").write_text("{}")

    with pytest.raises(UsageError, match="is damaged"):
        boundkit.trace(tmp_path)


def test_checkpoints_of_an_unfinished_sweep_are_named(tmp_path):
    nets(tmp_path / "run", 3)
    out = tmp_path / "out"
    boundkit.trace(tmp_path / "run", out, only=("norms",), jobs=1)
    lines = (out / "journal.jsonl").read_text().splitlines(keepends=True)
    (out / "journal.jsonl").write_text("".join(lines[:2]))

    trace = boundkit.trace(out)

    assert [one.reason for one in trace.failed] == [
        "not looked at yet: run the sweep again"
    ]


def test_a_copy_of_a_checkpoint_is_set_aside(tmp_path):
    for at in (64, 96, 512):
        shutil.copy(FOLDER / f"epoch_{at}.pt", tmp_path)
    shutil.copy(FOLDER / "epoch_512.pt", tmp_path / "last.pt")

    trace = boundkit.trace(tmp_path, model=OPTIONS["model"], only=("norms",), jobs=1)

    assert [one.at for one in trace.points] == [64, 96, 512, 512]
    assert statuses(trace) == [TRACED, TRACED, TRACED, ASIDE]
    assert trace.points[-1].reason.startswith("the same content as")
