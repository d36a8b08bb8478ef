import torch
from torch import nn

from boundkit.normalize import drop_identities
from tests.normalize.nets import wired


def test_dropout_and_identities_are_left_out():
    steps = [nn.Linear(3, 3), nn.Dropout(), nn.Identity(), nn.ReLU(), nn.Linear(3, 1)]
    before = wired(nn.Sequential(*steps).eval(), (3,))

    after = drop_identities(before)

    assert [n.op for n in after.nodes] == [
        "input",
        "layer",
        "activation",
        "layer",
        "output",
    ]
    assert [n.inputs for n in after.nodes[1:]] == [(n.name,) for n in after.nodes[:-1]]


def test_an_addition_of_identities_reads_what_they_read():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.drop = nn.Linear(3, 3), nn.Dropout()

        def forward(self, x):
            y = self.first(x)
            return self.drop(y) + y.clone()

    torch.manual_seed(0)
    after = drop_identities(wired(Net().eval(), (3,)))

    assert after.nodes[2].op == "add"
    assert after.nodes[2].inputs == ("first", "first")


def test_nothing_to_drop_changes_nothing():
    before = wired(nn.Linear(3, 1), (3,))

    assert drop_identities(before) is before
