import os
from pathlib import Path

import pytest

from boundkit.sweeping import crew
from boundkit.sweeping.crew import Worker, cores, crew_size


def test_there_are_no_more_workers_than_cores_or_tasks(monkeypatch):
    monkeypatch.setattr(crew, "cores", lambda: 8)
    monkeypatch.setattr(crew, "_memory", lambda: 1 << 40)

    assert [crew_size(tasks, 0) for tasks in (0, 1, 3, 100)] == [1, 1, 3, 8]


@pytest.mark.parametrize(
    ("gigabytes", "largest", "expected"), [(4, 0, 6), (4, 1 << 30, 1), (0, 0, 1)]
)
def test_there_are_no_more_workers_than_memory(
    gigabytes, largest, expected, monkeypatch
):
    monkeypatch.setattr(crew, "cores", lambda: 64)
    monkeypatch.setattr(crew, "_memory", lambda: gigabytes << 30)

    assert crew_size(100, largest) == expected


def test_unknown_memory_does_not_limit(monkeypatch):
    monkeypatch.setattr(crew, "cores", lambda: 4)
    monkeypatch.setattr(crew, "_memory", lambda: None)

    assert crew_size(100, 1 << 40) == 4


def test_quotas_of_a_container_count(monkeypatch):
    numbers = {0: 150_000, 1: 100_000}
    monkeypatch.setattr(crew, "_number", lambda path, word: numbers[word])

    assert cores() == 1


def test_the_memory_of_this_machine_is_known():
    assert 0 < crew._memory() < 1 << 50


def test_threads_are_pinned_and_our_modules_in_reach():
    environment = crew._environment(3)

    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "3"
    assert str(Path.cwd()) in environment["PYTHONPATH"].split(os.pathsep)


def test_a_worker_that_ends_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(crew.sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_text(
        "#!/bin/sh\necho first\necho 'out of luck' >&2\nexit 7"
    )
    (tmp_path / "python").chmod(0o755)
    worker = Worker({}, 1)
    worker._process.wait()

    assert worker.ended()
    assert worker.end(patience=5) == "ended with code 7 (out of luck)"
