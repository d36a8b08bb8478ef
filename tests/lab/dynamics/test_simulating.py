from __future__ import annotations

import pytest

import boundkit
from boundkit.errors import UsageError
from boundkit.lab.dynamics import SYSTEMS
from boundkit.lab.dynamics.simulating import options_of, simulate


def test_the_catalog_has_the_three_systems():
    assert [system.name for system in SYSTEMS] == ["flow", "central-path", "ulpm"]
    for system in SYSTEMS:
        assert system.title
        assert system.source
        assert all(isinstance(name, str) for name in options_of(system))


def test_an_unknown_system_is_told_the_known_ones():
    with pytest.raises(
        UsageError, match="system must be one of flow, central-path, ulpm, but got 'x'"
    ):
        simulate("x")


def test_an_unknown_option_is_told_the_known_ones():
    with pytest.raises(
        UsageError, match="flow has no option 'speed'; it has reduction,"
    ):
        simulate("flow", speed=3)


def test_files_are_written_and_the_same_again(tmp_path):
    one = boundkit.simulate(
        "flow", reduction="scalar", rate=1.0, points=20, out=tmp_path
    )
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    boundkit.simulate("flow", reduction="scalar", rate=1.0, points=20, out=tmp_path)

    assert isinstance(one, boundkit.Simulation)
    assert sorted(first) == [
        "flow-descent.csv",
        "flow-descent.png",
        "flow-second-order.csv",
        "flow.csv",
        "flow.json",
        "flow.png",
    ]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first


def test_a_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("mine")
    told = []
    with pytest.raises(UsageError, match="cannot write to"):
        simulate(
            "flow",
            reduction="scalar",
            out=tmp_path / "file",
            progress=lambda *about: told.append(about),
        )

    assert told == []
