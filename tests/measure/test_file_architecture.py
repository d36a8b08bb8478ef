import json
import zipfile
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from torch import nn

import boundkit
from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.file_architecture import from_file
from tests.normalize.nets import trained

pytestmark = pytest.mark.filterwarnings("ignore")


def _net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 2, 2, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16, 1),
    ).eval()


def _seen(path, shape=None):
    checkpoint = readers.read(path)
    return from_file(from_tensors(checkpoint)[0], checkpoint, shape)


def _exported(path):
    program = torch.export.export(_net(), (torch.randn(2, 1, 4, 4),))
    torch.export.save(program, path)
    return path


def _pickled(path):
    torch.save(_net(), path)
    return path


def _scripted(path):
    torch.jit.script(_net()).save(path)
    return path


@pytest.mark.parametrize("save", [_exported, _pickled, _scripted])
def test_the_architecture_is_read_without_the_model(save, tmp_path):
    found = _seen(save(tmp_path / "net.pt2"), (1, 4, 4))

    assert found.notices == ()
    assert [n.op for n in found.network.nodes] == [
        "input",
        "layer",
        "norm",
        "activation",
        "flatten",
        "layer",
        "output",
    ]
    assert found.rewritten.rewrites == ("fold_norm",)


def test_reports_of_model_and_file_agree(tmp_path):
    path = _exported(tmp_path / "net.pt2")
    by_file = boundkit.analyze(path, n=50, only=["bounds"])
    by_model = boundkit.analyze(
        path, model=_net(), n=50, input_shape=(1, 4, 4), only=["bounds"]
    )

    assert by_file.rho_folded == by_model.rho_folded
    for bound, certificate in by_model.certificates.items():
        assert by_file.certificates[bound].status == certificate.status
        assert by_file.certificates[bound].log10 == certificate.log10


def test_a_dense_sequential_needs_no_input_shape(tmp_path):
    torch.save(nn.Sequential(nn.Linear(3, 1)), tmp_path / "net.pt")

    assert _seen(tmp_path / "net.pt").network.input_shape == (3,)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (_net(), "the size of its inputs is not in the file"),
        (nn.LSTM(3, 3), "'LSTM' applies its layers stands in its code"),
    ],
)
def test_what_the_file_does_not_tell_is_said(module, reason, tmp_path):
    torch.save(module, tmp_path / "net.pt")
    (notice,) = _seen(tmp_path / "net.pt").notices

    assert notice.code == "not-traced"
    assert reason in notice.message
    assert "--model" in notice.message


def test_a_bare_state_dict_tells_nothing_and_nothing_is_said(tmp_path):
    torch.save(_net().state_dict(), tmp_path / "net.pt")
    found = _seen(tmp_path / "net.pt")

    assert (found.network.nodes, found.notices) == (None, ())


def test_weights_that_do_not_fit_their_modules_are_said(tmp_path):
    checkpoint = readers.read(_pickled(tmp_path / "net.pt"))
    less = {k: v for k, v in checkpoint.tensors.items() if k != "4.weight"}
    broken = replace(checkpoint, tensors=MappingProxyType(less))

    (notice,) = from_file(from_tensors(broken)[0], broken, (1, 4, 4)).notices

    assert "'4.weight' does not fit" in notice.message


def test_an_old_archive_without_a_graph_is_said(tmp_path):
    checkpoint = readers.read(_exported(tmp_path / "net.pt2"))
    other = tmp_path / "other.pt"
    torch.save(_net().state_dict(), other)
    hollow = replace(checkpoint, files=(other,))

    (notice,) = from_file(from_tensors(hollow)[0], hollow, None).notices

    assert "it holds no graph" in notice.message


def test_a_graph_that_cannot_be_read_is_said(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 1)

        def forward(self, x, y):
            return self.layer(x) + y

    x = torch.ones(2, 3)
    torch.export.save(torch.export.export(Two(), (x, x[:, :1])), tmp_path / "n.pt2")

    (notice,) = _seen(tmp_path / "n.pt2").notices

    assert "the program has 2 inputs" in notice.message


def _lying(path, **attributes):
    """A pickled convolution whose attributes are not those it was made with."""
    net = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Flatten(), nn.Linear(2, 1))
    torch.save(net, path)
    checkpoint = readers.read(path)
    modules = {**checkpoint.modules, "0": {**checkpoint.modules["0"], **attributes}}
    changed = replace(checkpoint, modules=MappingProxyType(modules))
    return from_file(from_tensors(changed)[0], changed, (1, 4))


def test_attributes_that_ask_for_huge_maps_are_not_run(tmp_path):
    (notice,) = _lying(tmp_path / "net.pt", padding=(10**12,)).notices

    assert "maps out of the ordinary" in notice.message


def test_attributes_that_do_not_run_have_a_reason(tmp_path):
    (notice,) = _lying(tmp_path / "net.pt", padding=(7,)).notices

    assert "cannot be followed" in notice.message


def _told(path, change):
    """The architecture of an exported pool after ``change`` to its description."""
    net = nn.Sequential(nn.Conv1d(1, 1, 1), nn.MaxPool1d(2), nn.Flatten())
    net.append(nn.Linear(4, 1))
    torch.export.save(torch.export.export(net.eval(), (torch.ones(2, 1, 8),)), path)
    records = {}
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (graph,) = (name for name in records if name.endswith("models/model.json"))
    document = json.loads(records[graph])
    change(document["graph_module"]["graph"])
    records[graph] = json.dumps(document)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return _seen(path)


def _window(size):
    def change(graph):
        call = next(n for n in graph["nodes"] if "max_pool1d" in n["target"])
        call["inputs"][1]["arg"]["as_ints"] = [size]

    return change


def _longer(graph):
    graph["tensor_values"]["conv1d"]["sizes"][2] = {"as_int": 9}


def _long(graph):
    graph["tensor_values"]["x" if "x" in graph["tensor_values"] else "input"]["sizes"][
        2
    ] = {"as_int": 10**9}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_longer, "windows and maps do not fit together"),
        (_window(10**9), "a window is out of the ordinary"),
        (_window(0), "a window is out of the ordinary"),
        (_long, "more than 2048 positions in a row"),
    ],
)
def test_a_graph_that_lies_about_sizes_is_not_believed(change, reason, tmp_path):
    (notice,) = _told(tmp_path / "net.pt2", change).notices

    assert reason in notice.message


def test_a_graph_that_does_not_lie_is_believed(tmp_path):
    assert _told(tmp_path / "net.pt2", lambda graph: None).notices == ()


class Branching(nn.Module):
    """A net of no class that torch has, with an addition."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.same = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.head = nn.Linear(16, 1, bias=False)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv(x)))
        y = nn.functional.max_pool2d(y + self.same(y), 2)
        return self.head(y.flatten(1))


def _jit(how, module, path):
    x = torch.randn(3, 1, 4, 4)
    net = torch.jit.script(module) if how == "script" else torch.jit.trace(module, x)
    net.save(path)
    return path


@pytest.mark.parametrize("how", ["script", "trace"])
@pytest.mark.parametrize("make", [_net, lambda: trained(Branching())])
def test_reports_of_model_and_code_agree(how, make, tmp_path):
    torch.manual_seed(0)
    path = _jit(how, make(), tmp_path / "net.pt")
    torch.manual_seed(0)
    given = {"n": 50, "input_shape": (1, 4, 4), "only": ["bounds"]}
    by_file = boundkit.analyze(path, **given)
    by_model = boundkit.analyze(path, model=make(), **given)

    assert [w.code for w in by_file.warnings] == [w.code for w in by_model.warnings]
    assert by_file.conventions["architecture"] == "traced"
    assert by_file.layers == by_model.layers
    assert by_file.rho_folded == by_model.rho_folded
    for bound, certificate in by_model.certificates.items():
        assert by_file.certificates[bound].status == certificate.status
        assert by_file.certificates[bound].log10 == certificate.log10


def test_code_that_cannot_be_followed_is_said(tmp_path):
    class Deciding(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x) if bool(x.sum() > 0) else x

    torch.jit.script(Deciding()).save(tmp_path / "net.pt")
    (notice,) = _seen(tmp_path / "net.pt").notices

    assert notice.code == "not-traced"
    assert "decides by numbers" in notice.message


def test_code_that_starts_dense_needs_no_input_shape(tmp_path):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    torch.jit.trace(net, torch.ones(2, 3)).save(tmp_path / "net.pt")
    found = _seen(tmp_path / "net.pt")

    assert found.notices == ()
    assert found.network.input_shape == (3,)


def test_code_that_starts_otherwise_needs_an_input_shape(tmp_path):
    (notice,) = _seen(_jit("trace", _net(), tmp_path / "net.pt")).notices

    assert "the size of its inputs is not in the file" in notice.message
