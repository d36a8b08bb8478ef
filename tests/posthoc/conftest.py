"""A certified network that several files look at."""

import pytest
import torch

from boundkit.posthoc.drawing import draw
from tests.posthoc.nets import mlp, sample, trained


@pytest.fixture(scope="session")
def net():
    return trained(mlp, *sample())


@pytest.fixture(scope="session")
def made(net, tmp_path_factory):
    """Return a folder with a certified file and its certificate."""
    folder = tmp_path_factory.mktemp("certified")
    torch.save(net.state_dict(), folder / "net.pt")
    torch.save(mlp().state_dict(), folder / "init.pt")
    drawing = draw(
        folder / "net.pt",
        model=mlp(),
        data=sample(),
        init=str(folder / "init.pt"),
        test_data=sample(500, seed=5),
        unlabelled=sample(400, seed=6)[0],
        budget=60,
        steps=150,
        draws=4,
        out=folder / "h.pt",
    )
    return folder, drawing
