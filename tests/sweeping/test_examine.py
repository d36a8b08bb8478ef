import json
from pathlib import Path

import fsspec
import pytest
import torch

import boundkit
from boundkit.report.json import schema
from boundkit.sweeping import examine as module
from boundkit.sweeping.examine import examine, head_of_result, prepared
from boundkit.sweeping.outcome import Task
from tests.sweeping.nets import net, served

NORMS = {"only": ["norms"], "n": 100}


def never(_key):
    return False


def examined(path, options=NORMS, there=never, name=None):
    task = Task(str(path), name or str(path))
    return examine(task, prepared(options, "digest"), there)


def test_a_result_holds_the_report_and_a_head_in_its_first_line(tmp_path):
    path = net(tmp_path / "a.safetensors", metadata={"epoch": "3"})
    outcome = examined(path)
    result = json.loads(outcome.text)
    kept = tmp_path / "kept.json"
    kept.write_text(outcome.text)
    expected = boundkit.analyze(path, **NORMS)

    assert outcome.status == "analyzed"
    assert outcome.fresh
    assert outcome.settled
    assert result["report"]["checkpoint"]["sha256"] == expected.checkpoint.sha256
    assert result["report"]["rho"]["stored"]["log10"] == expected.rho_stored.log10
    assert result["metadata"] == {"epoch": "3"}
    assert {**head_of_result(kept), "report": result["report"]} == result


def test_the_report_in_a_result_satisfies_the_schema(tmp_path):
    import jsonschema

    report = json.loads(examined(net(tmp_path / "a.safetensors")).text)["report"]

    jsonschema.Draft202012Validator(schema()).validate(report)


def test_equal_bytes_have_one_key_wherever_they_lie(tmp_path):
    first = examined(net(tmp_path / "a.safetensors"))
    second = examined(net(tmp_path / "b" / "c.safetensors"))
    other = examined(net(tmp_path / "d.safetensors", seed=1))

    assert first.key == second.key != other.key


def test_a_result_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    path = net(tmp_path / "a.safetensors")
    key = examined(path).key
    monkeypatch.setattr(module.analysis, "analyze", None)
    outcome = examined(path, there=lambda asked: asked == key)

    assert (outcome.key, outcome.fresh, outcome.text) == (key, False, None)


def test_what_is_broken_has_a_reason_and_need_not_be_tried_again(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"PK\x03\x04 cut off")
    outcome = examined(path, name="runs/a.pt")

    assert outcome.status == "failed"
    assert outcome.reason.startswith("runs/a.pt: truncated archive")
    assert outcome.settled
    assert outcome.signature


def test_what_is_not_there_may_come(tmp_path):
    outcome = examined(tmp_path / "a.pt", name="a.pt")

    assert outcome.reason == "a.pt: no such file or folder; check the path"
    assert not outcome.settled


def test_what_may_not_be_read_may_be_mended(tmp_path, monkeypatch):
    path = net(tmp_path / "a.safetensors")

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    outcome = examined(path)

    assert outcome.reason == f"{path}: permission denied; check the permissions"
    assert outcome.signature
    assert not outcome.settled


def test_what_needs_trust_may_get_it(tmp_path):
    outcome = examined("fixtures/containers/needs_code.pt")

    assert outcome.reason.endswith("let it run: --trust")
    assert not outcome.settled


def test_numbers_that_are_not_finite_are_a_status():
    assert examined("fixtures/containers/nan_tensor.pt").status == "undefined"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("x"), "internal error: KeyError: 'x'; please report it as a bug"),
        (MemoryError(), "there is not enough memory; analyze fewer at once"),
    ],
)
def test_nothing_ends_a_sweep(error, reason, tmp_path, monkeypatch):
    def analyze(*_args, **_options):
        raise error

    monkeypatch.setattr(module.analysis, "analyze", analyze)
    outcome = examined(net(tmp_path / "a.safetensors"))

    assert outcome.reason.startswith(reason)
    assert not outcome.settled


def test_a_file_that_changes_meanwhile_is_looked_at_again(tmp_path, monkeypatch):
    path = net(tmp_path / "a.safetensors")
    analyze = module.analysis.analyze

    def slow(*args, **options):
        net(tmp_path / "a.safetensors", seed=9)
        return analyze(*args, **options)

    monkeypatch.setattr(module.analysis, "analyze", slow)
    outcome = examined(path)

    assert outcome.reason == f"{path}: changed while it was read; run the sweep again"
    assert not outcome.settled


def test_model_and_data_are_loaded_once_and_named_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def make():\n"
        "    with open('calls', 'a') as calls:\n"
        "        calls.write('x')\n"
        "    return nn.Sequential(nn.Linear(5, 3, bias=False))\n"
    )
    torch.manual_seed(0)
    import numpy as np

    np.savez("d.npz", x=np.eye(5, dtype="f4"), y=np.array([0, 1, 2, 0, 1]))
    options = {"model": "net.py:make", "data": "d.npz", "device": "cpu"}
    ready = prepared(options, "digest")
    for name in ("a.pt", "b.pt"):
        torch.save({"0.weight": torch.randn(3, 5)}, name)
    found = [
        examine(Task(str(tmp_path / n), n), ready, never) for n in ("a.pt", "b.pt")
    ]
    alone = boundkit.analyze("b.pt", **options)
    result = json.loads(found[1].text)

    assert [one.reason for one in found] == ["", ""]
    assert (tmp_path / "calls").read_text() == "xx"  # once for both, once alone
    assert result["report"]["conventions"]["data"] == "d.npz"
    assert result["row"]["margins.mean"] == alone.margins["mean"]
    assert result["row"]["bound.dense"] == alone.certificates["dense"].value


def big(path):
    """Write a net of 12 kB beside 4 MB of optimizer state."""
    state = {"0.weight": torch.randn(50, 30), "1.weight": torch.randn(9, 50)}
    moments = {0: {"exp_avg": torch.randn(1 << 19), "exp_avg_sq": torch.ones(1 << 19)}}
    torch.save(
        {
            "model": state,
            "optimizer": {"state": moments, "param_groups": []},
            "epoch": 3,
        },
        path,
    )
    return path.read_bytes()


def test_a_checkpoint_behind_http_is_read_by_ranges(tmp_path):
    data = big(tmp_path / "big.pt")
    with served({"/big.pt": data}) as server:
        url = f"{server.url}/big.pt"
        outcome = examined(url)
        again = examined(url, there=lambda key: key == outcome.key)
        result = json.loads(outcome.text)
        spent = server.served
    local = json.loads(examined(tmp_path / "big.pt").text)

    assert outcome.status == "analyzed"
    assert spent < len(data) / 3
    assert not again.fresh
    assert result["metadata"]["epoch"] == 3
    assert result["report"]["checkpoint"]["source"] == url
    assert result["report"]["checkpoint"]["sha256"] is None
    assert result["report"]["checkpoint"]["bytes"] == len(data)
    assert result["report"]["layers"] == local["report"]["layers"]
    assert "not-checked" in result["row"]["warnings"]


def test_a_server_without_ranges_sends_all_of_it(tmp_path):
    data = big(tmp_path / "big.pt")
    with served({"/big.pt": data}, ranges=False) as server:
        outcome = examined(f"{server.url}/big.pt")

        assert server.served == len(data)
    assert outcome.status == "analyzed"


def test_a_server_without_marks_is_asked_anew_each_time(tmp_path):
    data = Path(net(tmp_path / "a.safetensors")).read_bytes()
    with served({"/a.safetensors": data}, etags=False) as server:
        url = f"{server.url}/a.safetensors"
        outcome = examined(url, there=lambda _: True)

    assert outcome.fresh


def test_what_a_server_does_not_have_is_a_reason():
    with served({}) as server:
        url = f"{server.url}/a.pt"
        outcome = examined(url)

    assert outcome.reason == f"{url}: no such file or folder; check the address"
    assert not outcome.settled


def test_broken_files_elsewhere_are_named_by_their_address():
    with served({"/a.pt": b"PK\x03\x04 cut off"}) as server:
        url = f"{server.url}/a.pt"
        outcome = examined(url)

    assert outcome.reason.startswith(f"{url}: truncated archive")


@pytest.mark.parametrize(
    "name",
    [
        *("single.safetensors", "legacy_bare.pt", "safetensors_sharded", "distributed"),
        *("exported.pt2", "bin_sharded", "hugging_face", "torchscript_traced.pt"),
    ],
)
def test_every_kind_is_read_from_other_file_systems_alike(name):
    system = fsspec.filesystem("memory")
    system.put(f"fixtures/containers/{name}", f"/kinds/{name}", recursive=True)
    outcome = examined(f"memory://kinds/{name}")
    expected = boundkit.analyze(f"fixtures/containers/{name}", **NORMS)
    system.rm("/kinds", recursive=True)
    report = json.loads(outcome.text)["report"]

    assert report["rho"]["stored"]["log10"] == expected.rho_stored.log10
    assert report["checkpoint"]["bytes"] == expected.checkpoint.bytes
    assert len(report["ledger"]) == len(expected.ledger)


def test_another_version_elsewhere_has_another_key(tmp_path):
    system = fsspec.filesystem("memory")
    keys = set()
    for seed in (0, 1):
        net(tmp_path / "a.safetensors", seed)
        system.put(str(tmp_path / "a.safetensors"), "/versions/a.safetensors")
        keys.add(examined("memory://versions/a.safetensors").key)
    system.rm("/versions", recursive=True)

    assert len(keys) == 2
