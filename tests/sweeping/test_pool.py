import time
from pathlib import Path

import pytest

from boundkit.errors import BoundkitError, DataError, ModelError, UsageError
from boundkit.sweeping import crew, pool
from boundkit.sweeping.outcome import Task
from tests.sweeping.nets import misbehaving, names_in, net, nets

NORMS = {"only": ["norms"]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out/results").mkdir(parents=True)
    return tmp_path / "out"


def run(paths, folder, jobs=2, options=NORMS):
    tasks = [Task(path, Path(path).name) for path in paths]
    return list(pool.run(tasks, options, "digest", folder, jobs))


def test_every_checkpoint_comes_back_once(tmp_path, folder):
    paths = nets(tmp_path, 7)
    found = run(paths, folder)

    assert sorted(one.where for one in found) == sorted(paths)
    assert {one.status for one in found} == {"analyzed"}
    assert {f"{one.key}.json" for one in found} == set(names_in(folder / "results"))


def test_nothing_to_do_starts_nobody(folder, monkeypatch):
    monkeypatch.setattr(pool, "Worker", None)

    assert run([], folder) == []


def test_a_worker_that_is_killed_costs_its_checkpoint_only(
    tmp_path, folder, monkeypatch
):
    paths = [*nets(tmp_path, 5), net(tmp_path / "deadly.safetensors", 9)]
    code = """
def deadly(task, *rest):
    if task.name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(task, *rest)
module.examine = deadly
"""
    with misbehaving(monkeypatch, tmp_path / "site", code):
        found = {one.where: one for one in run(paths, folder)}
    lost = found.pop(paths[-1])

    assert {one.status for one in found.values()} == {"analyzed"}
    assert len(found) == 5
    assert lost.status == "failed"
    assert lost.reason.startswith("its worker process was killed by signal 9, twice")
    assert not lost.settled


def test_what_dies_once_is_tried_again_alone(tmp_path, folder, monkeypatch):
    paths = nets(tmp_path, 4)
    code = f"""
def once(task, *rest):
    mark = {str(tmp_path / "mark")!r}
    if task.name.startswith("epoch_2") and not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(3)
    return examine(task, *rest)
module.examine = once
"""
    with misbehaving(monkeypatch, tmp_path / "site", code):
        found = run(paths, folder)

    assert found[-1].where == paths[2]
    assert {one.status for one in found} == {"analyzed"}


def test_what_a_model_prints_does_not_disturb(tmp_path, folder, monkeypatch):
    code = """
def chatty(task, *rest):
    print("hello", flush=True)
    assert sys.stdin.read() == ""
    return examine(task, *rest)
module.examine = chatty
"""
    with misbehaving(monkeypatch, tmp_path / "site", code):
        found = run(nets(tmp_path, 2), folder)

    assert {one.status for one in found} == {"analyzed"}


def test_a_full_disk_ends_the_sweep_and_keeps_what_is_there(
    tmp_path, folder, monkeypatch
):
    code = """
write, there = os.write, []
def full(descriptor, data):
    if len(data) > 1000:
        there.append(1)
        if len(there) > 2:
            raise OSError(28, "No space left on device")
    return write(descriptor, data)
os.write = full
"""
    with (
        misbehaving(monkeypatch, tmp_path / "site", code),
        pytest.raises(UsageError, match=r"cannot write in .*No space left on device"),
    ):
        run(nets(tmp_path, 5), folder, jobs=1)

    assert len(names_in(folder / "results")) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "none.py:make"}, ModelError, "none.py: no such file"),
        ({"data": "none.npz", "model": "torch.nn:Flatten"}, DataError, "none.npz"),
        ({"init": "none.pt"}, BoundkitError, "none.pt: no such file or folder"),
    ],
)
def test_what_every_worker_needs_and_is_not_there_ends_the_sweep(
    options, error, message, tmp_path, folder
):
    with pytest.raises(error, match=message):
        run([net(tmp_path / "a.safetensors")], folder, 1, options)


def test_workers_that_do_not_start_end_the_sweep(tmp_path, folder, monkeypatch):
    with (
        misbehaving(monkeypatch, tmp_path / "site", "os._exit(5)"),
        pytest.raises(BoundkitError, match="do not start: ended with code 5; check"),
    ):
        run([net(tmp_path / "a.safetensors")], folder)


def test_whoever_stops_listening_leaves_no_process(tmp_path, folder, monkeypatch):
    started = []

    class Watched(crew.Worker):
        def __init__(self, *args):
            super().__init__(*args)
            started.append(self._process)

    monkeypatch.setattr(pool, "Worker", Watched)
    tasks = [Task(path, path) for path in nets(tmp_path, 9)]
    outcomes = pool.run(tasks, NORMS, "digest", folder, 2)
    next(outcomes)
    outcomes.close()

    assert started
    assert all(process.returncode is not None for process in started)


def test_a_process_that_is_gone_is_noticed_though_its_output_is_held(
    tmp_path, folder, monkeypatch
):
    monkeypatch.setattr(pool, "_LOOK", 0.05)
    code = """
def gone(task, *rest):
    if not task.name.startswith("epoch_1"):
        return examine(task, *rest)
    if os.fork() == 0:
        import time
        time.sleep(1.5)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
module.examine = gone
"""
    began = time.monotonic()
    with misbehaving(monkeypatch, tmp_path / "site", code):
        found = run(nets(tmp_path, 3), folder, jobs=1)

    assert [one.status for one in found] == ["analyzed", "analyzed", "failed"]
    assert time.monotonic() - began < 60
