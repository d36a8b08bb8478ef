"""Recurrence and attention in TorchScript archives."""

import pytest
import torch
from torch import nn

from tests.architectures import attention, gru, lstm, transformer
from tests.layers.scripts import jit_traced, scripted, told

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("save", [scripted, jit_traced])
@pytest.mark.parametrize(
    ("make", "label"),
    [
        (attention, "MultiheadAttention"),
        (transformer, "TransformerEncoderLayer"),
        (lstm, "LSTM"),
        (gru, "GRU"),
    ],
)
def test_they_are_one_operation_each(make, label, save, tmp_path):
    found = told(save(make(), tmp_path / "net.pt"))

    assert found.reason == ""
    assert [n.detail for n in found.nodes].count(label) == 1
    assert found.nodes[-2].layer == "head.weight"
    assert found.nodes[-1].shape == (3,)


@pytest.mark.parametrize(
    ("options", "width"),
    [({"bidirectional": True}, 12), ({"proj_size": 4}, 4), ({"num_layers": 2}, 6)],
)
def test_width_of_what_a_recurrent_net_returns(options, width, tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(8, 6, batch_first=True, **options)
            self.head = nn.Linear(width, 3)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    torch.manual_seed(0)
    found = told(jit_traced(Net().eval(), tmp_path / "net.pt", (7, 8)), (7, 8))

    assert next(n.shape for n in found.nodes if n.detail == "LSTM") == (7, width)
    assert found.nodes[-1].shape == (3,)
