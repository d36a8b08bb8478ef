"""Objects and code of TorchScript archives, as they are parsed."""

import zipfile

import pytest
import torch
from torch import nn

from boundkit.errors import Unreadable
from boundkit.readers import script_program as module
from boundkit.readers.script_program import script_program

pytestmark = pytest.mark.filterwarnings("ignore")
RELU = "__torch__.torch.nn.functional.relu"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return nn.functional.relu(self.layer(x))


@pytest.fixture
def archive(tmp_path):
    torch.jit.save(torch.jit.script(Net()), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def rewritten(path, change):
    """The archive with its functional.py changed."""
    with zipfile.ZipFile(path) as old:
        records = {name: old.read(name) for name in old.namelist()}
    (name,) = (n for n in records if n.endswith("nn/functional.py"))
    records[name] = change(records[name])
    with zipfile.ZipFile(path, "w") as new:
        for key, data in records.items():
            new.writestr(key, data)
    return script_program(path).code


def test_functions_and_methods_are_found_by_their_names(archive):
    program = script_program(archive)
    name = program.root.class_name

    assert program.code.function(RELU).name == "relu"
    assert program.code.method(name, "forward").args.args[1].arg == "x"
    assert not program.code.hooked(name)


def test_what_is_not_there_is_none(archive):
    code = script_program(archive).code

    assert code.function("__torch__.nowhere.f") is None
    assert code.method("__torch__.nowhere.Net", "forward") is None
    assert not code.hooked("__torch__.nowhere.Net")


def test_a_file_without_code_has_no_program(tmp_path):
    torch.save(Net().state_dict(), tmp_path / "net.pt")

    assert script_program(tmp_path / "net.pt") is None


@pytest.mark.parametrize(
    "text",
    [
        b"def relu(",
        b"x = " + b"(" * 5000,
        b"x = a" + b".b" * 50_000,
        b"x = " + b"-" * 100_000 + b"1",
        b"x = " + b"1+" * 50_000 + b"1",
        b"\0",
    ],
)
def test_code_that_python_cannot_parse_is_damage(archive, text):
    code = rewritten(archive, lambda _: text)

    with pytest.raises(Unreadable, match="cannot be parsed"):
        code.function(RELU)


def test_code_longer_than_code_ever_is_is_not_parsed(archive, monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_FILE", 100)
    code = rewritten(archive, lambda text: text + b"#" * 100)

    with pytest.raises(Unreadable, match=r"functional\.py.* cannot be parsed"):
        code.function(RELU)


def test_many_files_of_code_are_not_parsed_without_end(archive, monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_ALL", 50)

    with pytest.raises(Unreadable, match="cannot be parsed"):
        script_program(archive).code.function(RELU)


def test_hooks_are_seen(archive):
    hooked = b'class Net(Module):\n  __forward_hooks__ = ["h", ]\n'
    plain = b"class Other(Module):\n  __forward_hooks__ = []\n"
    code = rewritten(archive, lambda text: text + hooked + plain)

    assert code.hooked("__torch__.torch.nn.functional.Net")
    assert not code.hooked("__torch__.torch.nn.functional.Other")
