"""TorchScript archives give the names and numbers of state_dict() without running."""

import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import Refused, Unreadable
from boundkit.readers import exported, torch_zip, torchscript

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1, dilation=2)
        self.bn = nn.BatchNorm2d(4)
        self.act = nn.LeakyReLU(0.1)
        self.blocks = nn.ModuleList([nn.Linear(16, 3, bias=False)])
        self.register_buffer("scale", torch.ones(1))
        self.constant = 2.5

    def forward(self, x):
        h = self.act(self.bn(self.conv(x))).flatten(1) * self.scale
        for block in self.blocks:
            h = block(h)
        return h + torch.tensor([1.0, 2.0, 3.0])


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


SAMPLE = torch.ones(2, 1, 6, 6)


def values(found):
    flat = np.frombuffer(found.storage.read(0, found.storage.nbytes), found.dtype)
    return flat[found.offset : found.offset + found.numel].reshape(found.shape)


def scripted(net, path):
    torch.jit.save(torch.jit.script(net), path)


def traced(net, path):
    torch.jit.save(torch.jit.trace(net, SAMPLE), path)


def lite(net, path):
    torch.jit.script(net)._save_for_lite_interpreter(str(path))


@pytest.mark.parametrize("save", [scripted, traced, lite])
def test_state_dict_names_and_numbers_are_kept(tmp_path, net, save):
    path = tmp_path / "net.pt"
    save(net, path)

    found = torchscript.read(path)

    expected = net.state_dict()
    assert set(found.tree) == set(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(values(found.tree[name]), tensor.numpy())
    assert found.format == "torchscript"


@pytest.mark.parametrize("save", [scripted, traced])
def test_classes_and_constants_are_kept(tmp_path, net, save):
    path = tmp_path / "net.pt"
    save(net, path)

    found = torchscript.read(path).modules

    assert found["conv"]["class"] == "torch.nn.modules.conv.Conv2d"
    assert found["conv"]["stride"] == (2, 2)
    assert found["conv"]["padding"] == (1, 1)
    assert found["conv"]["dilation"] == (2, 2)
    assert found["blocks.0"]["class"] == "torch.nn.modules.linear.Linear"


def test_constants_of_a_scripted_module_are_kept(tmp_path, net):
    path = tmp_path / "net.pt"
    scripted(net, path)

    found = torchscript.read(path).modules

    assert found["act"]["negative_slope"] == 0.1
    assert found["bn"]["num_features"] == 4
    assert found[""]["constant"] == 2.5


def test_a_frozen_module_gives_its_constants(tmp_path, net):
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(net)), path)

    shapes = {v.shape for v in torchscript.read(path).tree.values()}

    assert {(4, 1, 3, 3), (3, 16)} <= shapes


def test_constants_beside_weights_are_said(tmp_path, net):
    path = tmp_path / "net.pt"
    traced(net, path)

    assert "tensor-constant" in {n.code for n in torchscript.read(path).notices}


def test_readers_know_their_own(tmp_path, net):
    script, plain, program = (tmp_path / n for n in ("s.pt", "p.pt", "e.pt2"))
    scripted(net, script)
    torch.save(net.state_dict(), plain)
    torch.export.save(torch.export.export(net, (SAMPLE,)), program)

    def who(path):
        head = path.read_bytes()[:4096]
        return [
            reader.NAME
            for reader in (exported, torchscript, torch_zip)
            if reader.recognizes(path, head)
        ]

    assert who(script)[0] == "torchscript"
    assert who(plain) == ["torch zip"]
    assert who(program) == ["torch.export"]
    assert not torchscript.recognizes(plain, b"text")
    assert not exported.recognizes(plain, b"text")


def archive(path, records):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in records.items():
            file.writestr(name, data)
    return path


def test_modules_that_contain_themselves_are_refused(tmp_path):
    pickle = b"\x80\x02c__torch__\nNet\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb."
    records = {"n/data.pkl": pickle, "n/constants.pkl": b"\x80\x02)."}

    with pytest.raises(Unreadable, match="nested without end"):
        torchscript.read(archive(tmp_path / "n.pt", records))


def test_code_is_matched_and_not_run(tmp_path):
    canary = tmp_path / "canary"
    call = f"open('{canary}', 'w')"
    code = (
        f"{call}\nclass Net(Module):\n  stride : Final[int] = {call}\n"
        f"  deep : Final[int] = {'(' * 150}\n"
        "  good : Final[Tuple[int, int]] = (1, 2)\n"
    )
    pickle = b"\x80\x02c__torch__\nNet\n)\x81}X\x01\x00\x00\x00aK\x01sb."
    records = {
        "n/data.pkl": pickle,
        "n/constants.pkl": b"\x80\x02).",
        "n/code/__torch__.py": code.encode(),
    }

    found = torchscript.read(archive(tmp_path / "n.pt", records)).modules

    assert not canary.exists()
    assert found[""] == {
        "class": "Net",
        "stride": None,
        "deep": None,
        "good": (1, 2),
        "a": 1,
    }


def test_archives_without_data_are_refused(tmp_path):
    path = archive(tmp_path / "n.pt", {"n/constants.pkl": b"\x80\x02)."})

    with pytest.raises(Refused, match=r"a release before 1.4"):
        torchscript.read(path)
