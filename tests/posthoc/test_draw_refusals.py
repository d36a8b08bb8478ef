"""What draw refuses, each in one line."""

import pytest
import torch
from torch import nn

from boundkit.errors import DataError, ModelError, UsageError
from boundkit.posthoc.drawing import draw
from tests.posthoc.nets import cnn, mlp, sample, trained


def test_an_init_that_has_seen_the_sample_is_refused(net):
    with pytest.raises(UsageError, match=r"init errs on .* it has been trained"):
        draw(net, data=sample(), init=net, budget=600)


def test_an_init_whose_batch_norm_has_counted_is_refused():
    x, y = torch.randn(100, 1, 4, 4), torch.randint(2, (100,))
    net = trained(cnn, x, y, steps=3)

    with pytest.raises(UsageError, match="BatchNorm '1' has counted 3 batches"):
        draw(net, data=(x, y), init=net, budget=600)


def test_no_training_data(net):
    with pytest.raises(UsageError, match="draw needs the training sample: give --data"):
        draw(net, data=None)


def test_no_model():
    with pytest.raises(UsageError, match="needs the model that the weights belong to"):
        draw(mlp().state_dict(), data=sample())


def test_labels_that_do_not_fit(net):
    x, y = sample()
    with pytest.raises(DataError, match="labels run from 5 to 7, but the model has 3"):
        draw(net, data=(x, y + 5))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("delta", 0),
        ("delta", 1.0),
        ("budget", 0),
        ("steps", -1),
        ("draws", 0),
        ("batch_size", 0),
    ],
)
def test_numbers_out_of_range(net, option, value):
    with pytest.raises(UsageError, match=rf"{option} must .*, but got"):
        draw(net, data=sample(), **{option: value})


@pytest.mark.parametrize(
    ("out", "message"),
    [("h.bin", "must end in .pt"), ("no/h.pt", "does not exist"), ("", "must end in")],
)
def test_a_place_that_cannot_take_the_weights(net, tmp_path, out, message):
    with pytest.raises(UsageError, match=message):
        draw(net, data=sample(), out=tmp_path / out)


def test_the_checkpoint_is_not_overwritten(made):
    path = made[0] / "net.pt"
    with pytest.raises(UsageError, match="it is the checkpoint itself"):
        draw(path, model=mlp(), data=sample(), out=path)


def test_batch_statistics_are_refused():
    net = nn.Sequential(nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 3))
    with pytest.raises(ModelError, match="keeps no running statistics"):
        draw(net, data=sample())
