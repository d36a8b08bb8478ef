import json
from dataclasses import replace

import pytest
import torch

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.lab.data import open_images
from boundkit.lab.recipe import Recipe
from boundkit.lab.runs import checkpoint_name, is_done
from boundkit.lab.training import train

RECIPE = Recipe(
    "xu2023_three",
    epochs=6,
    width=0.1,
    parametrization="lagrange",
    preprocessing="standard",
    rate=0.05,
    decay=0.001,
    decay_on="rho",
    classes=(3, 8),
    n=60,
    n_test=40,
    batch=20,
    noise=0.2,
    pooling=2,
    record=(2, 3),
)


def metrics(folder):
    return (folder / "metrics.jsonl").read_bytes()


def interrupted_after(epoch):
    def progress(done, _total, _what):
        if done == epoch:
            raise KeyboardInterrupt

    return progress


def test_a_run_has_a_row_and_a_checkpoint_a_recorded_epoch(images, tmp_path):
    run = train(RECIPE, images, tmp_path / "run")

    assert run.epochs == (0, 2, 3, 6)
    assert [json.loads(line)["epoch"] for line in metrics(run.folder).splitlines()] == [
        0,
        2,
        3,
        6,
    ]
    assert all((run.folder / checkpoint_name(epoch)).is_file() for epoch in run.epochs)
    assert not list(run.folder.glob(".resume"))
    assert run.diverged is None


def test_it_learns(images, tmp_path):
    easy = replace(RECIPE, noise=0.0, epochs=60, record=(), init=2.0, init_kind="norm")

    run = train(easy, images, tmp_path / "run")

    assert run.last["test_error"] < 0.05
    assert run.last["loss"] < 0.5 < run.rows[0]["loss"]


@pytest.mark.parametrize("name", ["plain", "lagrange", "weight"])
def test_the_same_recipe_gives_the_same_bytes(images, tmp_path, name):
    recipe = replace(RECIPE, parametrization=name)
    first, second = (train(recipe, images, tmp_path / n) for n in "ab")

    assert metrics(first.folder) == metrics(second.folder)


@pytest.mark.parametrize("name", ["plain", "weight"])
@pytest.mark.parametrize("epoch", [1, 2, 3, 5])
def test_an_interrupted_run_ends_with_the_same_bytes(images, tmp_path, name, epoch):
    recipe = replace(RECIPE, parametrization=name, net="poggio2021_batch_norm")
    whole = train(recipe, images, tmp_path / "whole")
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, images, folder, progress=interrupted_after(epoch))
    assert not is_done(folder)

    again = train(recipe, images, folder)

    assert metrics(folder) == metrics(whole.folder)
    for recorded in whole.epochs:
        ours, theirs = again.net(recorded), whole.net(recorded)
        for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(own, other)


def test_a_run_that_is_done_is_not_done_again(images, tmp_path):
    first = train(RECIPE, images, tmp_path / "run")
    before = first.checkpoint().stat().st_mtime_ns

    second = train(RECIPE, images, tmp_path / "run")

    assert second == first
    assert second.checkpoint().stat().st_mtime_ns == before


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_it(images, tmp_path):
    wild = replace(RECIPE, parametrization="plain", rate=1e9, decay_on="layers")

    run = train(wild, images, tmp_path / "run")

    assert run.diverged == 1
    assert run.epochs == (0, 1)
    assert run.rows[0]["loss"] > 0
    assert run.last["loss"] is None
    assert run.last["margins"] is None
    assert run.checkpoint(1).is_file()


def test_a_checkpoint_is_read_by_the_toolkit(archive, tmp_path):
    run = train(RECIPE, open_images(archive), tmp_path / "run")

    report = boundkit.analyze(
        run.checkpoint(), model=run.model_spec, data=run.data_spec, only=["margins"]
    )

    # The norms of float32 weights, and margins of the same forward pass.
    assert report.rho_stored.value == pytest.approx(run.last["rho"], rel=1e-6)
    assert report.margins["mean"] == pytest.approx(
        run.last["margins"]["mean"], rel=1e-5
    )
    assert report.margins["train_error"] == run.last["train_error"]


def test_a_run_is_traced_as_it_lies(archive, tmp_path):
    run = train(RECIPE, open_images(archive), tmp_path / "run")

    found = boundkit.trace(str(run.folder), jobs=1, only=["norms"])

    assert [point.at for point in found.points] == list(run.epochs)
    assert (
        boundkit
        .analyze(
            run.checkpoint(0), model=run.model_spec, test_data=run.test_data_spec, n=60
        )
        .certificates["holdout"]
        .value
        is not None
    )


def test_equilibrium_is_told_where_rho_decays(images, tmp_path):
    first = train(RECIPE, images, tmp_path / "a")
    second = train(
        replace(RECIPE, parametrization="plain", decay_on="layers"),
        images,
        tmp_path / "b",
    )

    assert first.last["margins"]["rho_eq"] is not None
    assert second.last["margins"]["rho_eq"] is None


def test_several_outputs_are_measured_as_well(images, tmp_path):
    recipe = replace(
        RECIPE, coding="centered", classes=(0, 3, 8), n=60, n_test=60, decay=0.001
    )

    run = train(recipe, images, tmp_path / "run")

    # P1 (33), (34): with C outputs the equilibrium follows the aligned outputs.
    assert run.last["margins"]["rho_eq"] > 0
    assert run.net()(torch.zeros(1, 1, 14, 14)).shape == (1, 3)


def test_a_damaged_state_is_named(images, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, images, folder, progress=interrupted_after(3))
    (folder / ".resume").write_bytes(b"no state")

    with pytest.raises(DataError, match="cannot be continued from it"):
        train(RECIPE, images, folder)


def test_a_device_that_is_not_there_is_refused(images, tmp_path):
    with pytest.raises(UsageError, match="is not on this machine"):
        train(RECIPE, images, tmp_path / "run", device="cuda:63")


def test_progress_counts_epochs(images, tmp_path):
    seen = []

    train(RECIPE, images, tmp_path / "run", progress=lambda *call: seen.append(call))

    assert seen[0] == (1, 6, "epoch 1")
    assert len(seen) == 6
