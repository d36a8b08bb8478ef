import pytest
import torch

from boundkit.errors import DataError
from boundkit.lab.data import open_images
from boundkit.lab.recipe import Recipe
from boundkit.lab.runs import dataset, finished
from boundkit.lab.training import train

RECIPE = Recipe("mlp", epochs=2, width=0.01, n=20, n_test=20, batch=10, pooling=4)


@pytest.fixture(scope="module")
def run(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return train(RECIPE, open_images(archive), folder)


def test_columns_reach_into_tables(run):
    assert run.column("epoch") == [0, 2]
    assert (
        run.column("margins.normalized.mean")[1]
        == (run.last["margins"]["normalized"]["mean"])
    )
    assert run.column("norms.head")[0] == run.rows[0]["norms"]["head"]
    assert run.column("no.such") == [None, None]


def test_its_sample_is_the_one_that_was_trained_on(run):
    x, y = dataset(run.folder, "train")
    x_test, _ = dataset(run.folder, "test")

    assert x.shape == (20, 1, 7, 7)
    assert y.tolist() == [0] * 10 + [1] * 10
    assert len(x_test) == 20
    scores = run.net()(torch.from_numpy(x))
    wrong = ((scores[:, 0] > 0).numpy() != (y == 1)).mean()
    assert wrong == run.last["train_error"]


def test_an_epoch_that_was_not_recorded_is_named(run):
    with pytest.raises(DataError, match=r"epoch 1 was not recorded, only \[0, 2\]"):
        run.checkpoint(1)


def test_images_that_have_changed_are_refused(run, tmp_path):
    text = (run.folder / "recipe.json").read_text()
    (tmp_path / "recipe.json").write_text(text.replace('"digest": "', '"digest": "0'))

    with pytest.raises(DataError, match=r"not the images that .* was trained on"):
        dataset(tmp_path, "train")


@pytest.mark.parametrize("name", ["recipe.json", "done.json", "metrics.jsonl"])
def test_damaged_files_are_named(run, tmp_path, name):
    for each in ("recipe.json", "done.json", "metrics.jsonl"):
        (tmp_path / each).write_bytes((run.folder / each).read_bytes())
    (tmp_path / name).write_text("{")

    with pytest.raises(DataError, match="the run cannot be read again"):
        finished(tmp_path)
