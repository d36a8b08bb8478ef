"""Epochs and steps in names and contents, as trainers write them."""

import math

import pytest

from boundkit.tracing.counters import from_metadata, from_names, number, whole


@pytest.mark.parametrize(
    ("paths", "word", "values"),
    [
        (["run/epoch_3.pt", "run/epoch_12.pt"], "epoch", [3, 12]),
        (["epoch=3-val_loss=0.25.ckpt", "epoch=4-val_loss=0.21.ckpt"], "epoch", [3, 4]),
        (
            ["checkpoint-500/model.bin", "checkpoint-1000/model.bin"],
            "checkpoint",
            [500, 1000],
        ),
        (["e1.pth.tar", "e2.pth.tar"], "e", [1, 2]),
        (["model_0005.pth", "model_0010.pth"], "model", [5, 10]),
        (["1.pt", "2.pt"], "number", [1, 2]),
        (["resnet18_epoch1.pt", "resnet18_epoch2.pt"], "epoch", [1, 2]),
        (["seed7/Epoch-1.pt", "seed7/Epoch-2.pt"], "epoch", [1, 2]),
        (["epoch_1.pt", "best.pt", "epoch_2.pt"], "epoch", [1, None, 2]),
        (["a/epoch_1_lr0.1.pt", "a/epoch_2_lr0.05.pt"], "epoch", [1, 2]),
    ],
)
def test_the_number_that_counts_is_found_in_names(paths, word, values):
    assert from_names(paths) == (word, values)


def test_steps_tell_checkpoints_of_one_epoch_apart():
    paths = ["epoch=1-step=10.ckpt", "epoch=1-step=20.ckpt", "epoch=2-step=30.ckpt"]

    assert from_names(paths) == ("step", [10, 20, 30])


@pytest.mark.parametrize(
    "paths", [["a.pt", "b.pt"], ["net1.pt", "net1.pt"], ["x/a1.pt", "x/b.pt"]]
)
def test_names_that_do_not_count_give_nothing(paths):
    assert from_names(paths) == ("", [])


def test_folders_that_all_share_do_not_count():
    assert from_names(["run_5/a.pt", "run_5/b.pt"]) == ("", [])


def test_the_epoch_goes_before_the_step_in_contents():
    tables = [{"global_step": 10, "epoch": 1}, {"global_step": 20, "epoch": 2}]

    assert from_metadata(tables) == ("epoch", [1, 2])


def test_the_outermost_epoch_goes_first():
    tables = [
        {"scheduler.last_epoch": 5, "epoch": 1},
        {"scheduler.last_epoch": 6, "epoch": 2},
    ]

    assert from_metadata(tables) == ("epoch", [1, 2])


def test_an_entry_that_never_changes_does_not_count():
    tables = [{"epoch": 90, "train.step": 1}, {"epoch": 90, "train.step": 2}]

    assert from_metadata(tables) == ("train.step", [1, 2])


def test_other_numbers_in_contents_do_not_count():
    assert from_metadata([{"loss": 1.0}, {"loss": 0.5}]) == ("", [])


@pytest.mark.parametrize("value", [None, True, "3", math.nan, math.inf])
def test_what_is_no_finite_number_is_none(value):
    assert number(value) is None


@pytest.mark.parametrize(
    ("place", "kind"), [(3.0, int), (2.5, float), (None, type(None))]
)
def test_whole_places_are_integers(place, kind):
    assert whole(place) == place
    assert type(whole(place)) is kind
