import numpy as np
import pytest
import torch

from boundkit.lab.exhibit import Bench
from boundkit.lab.measuring import collapse_of, features_of, margins_of, sample_of
from boundkit.lab.recipe import Recipe
from boundkit.lab.training import train

SIGNED = Recipe(
    "xu2023_three", epochs=3, width=0.1, n=40, n_test=20, batch=10, pooling=2, noise=0.5
)
SEVERAL = Recipe(
    "poggio2021_batch_norm",
    epochs=3,
    width=0.1,
    coding="centered",
    classes=(1, 4, 7),
    n=60,
    n_test=30,
    batch=20,
)


@pytest.fixture(scope="module", params=[SIGNED, SEVERAL], ids=["signed", "several"])
def bench(request, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    run = train(request.param, images, folder / "run")
    return Bench("test", {request.param: run}, images, folder)


def recipe(bench):
    return next(iter(bench.runs))


def test_features_and_head_give_the_scores(bench):
    found = features_of(bench, recipe(bench))
    net = bench.runs[recipe(bench)].net()

    expected = net(torch.from_numpy(sample_of(bench, recipe(bench)).x_train))

    scores = torch.nn.functional.linear(found.rows, found.weight, found.bias)
    torch.testing.assert_close(scores, expected.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("epoch", [0, 3])
def test_margins_are_those_of_the_run(bench, epoch):
    run = bench.runs[recipe(bench)]
    row = run.rows[run.epochs.index(epoch)]

    found = margins_of(bench, recipe(bench), epoch)

    # float32 scores of other batches, rho multiplied in before or after
    np.testing.assert_allclose(found.mean(), row["margins"]["mean"], rtol=1e-4)
    assert (found <= 0).mean() == row["train_error"]


def test_collapse_is_of_the_features(bench):
    found = collapse_of(bench, recipe(bench))

    assert found.n == recipe(bench).n
    assert found["nc1_ratio"] > 0


def test_held_out_samples_are_decided_by_training_means(bench):
    task = sample_of(bench, recipe(bench))
    train, test = (features_of(bench, recipe(bench), part=p) for p in ("train", "test"))
    means = torch.stack([
        train.rows[train.labels == c].double().mean(0) for c in range(task.classes)
    ])
    scores = torch.nn.functional.linear(test.rows, test.weight, test.bias)
    decided = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(1)
    nearest = torch.cdist(test.rows.double(), means).argmin(1)

    found = collapse_of(bench, recipe(bench), part="test")

    expected = (decided.long() != nearest).double().mean().item()
    assert found["nc4_mismatch"] == pytest.approx(expected, abs=1e-12)
