import io
import json

from boundkit.sweeping import worker
from tests.sweeping.nets import net


def answers(tmp_path, *tasks, options=None):
    (tmp_path / "results").mkdir(exist_ok=True)
    setup = {"options": options or {"only": ["norms"]}, "digest": "d"}
    lines = [{**setup, "folder": str(tmp_path)}, *tasks]
    out = io.StringIO()
    worker.serve(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def task(path):
    return {"where": str(path), "name": "a", "known": None}


def test_a_result_is_written_before_it_is_told(tmp_path):
    path = net(tmp_path / "a.safetensors")
    ready, (kind, told), (_, again) = answers(tmp_path, task(path), task(path))

    assert ready == ["ready", None]
    assert (kind, told["status"], told["fresh"]) == ("outcome", "analyzed", True)
    assert (tmp_path / f"results/{told['key']}.json").exists()
    assert "text" not in told
    assert (again["key"], again["fresh"]) == (told["key"], False)


def test_a_model_that_does_not_load_is_told_once(tmp_path):
    told = answers(tmp_path, task("x"), options={"model": "none.py:make"})

    assert [kind for kind, _ in told] == ["refused"]
    assert told[0][1][0] == "ModelError"
    assert "none.py: no such file" in told[0][1][1]


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worker, "write_whole", full)
    told = answers(tmp_path, task(net(tmp_path / "a.safetensors")), task("never"))

    assert told[1:] == [["stop", [28, "No space left on device"]]]
