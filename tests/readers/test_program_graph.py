import json
import zipfile

import pytest

from boundkit.errors import Unreadable
from boundkit.readers.program_graph import program_graph


def _archive(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "net/models/model.json",
        "models/model.json",
        "serialized_exported_program.json",
    ],
)
def test_both_layouts_are_found(name, tmp_path):
    path = _archive(tmp_path / "n.pt2", **{name: json.dumps({"graph_module": {}})})

    assert program_graph(path) == {"graph_module": {}}


def test_an_archive_without_a_graph_has_none(tmp_path):
    assert program_graph(_archive(tmp_path / "n.pt2", other="{}")) is None


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1, "a": 2}', "[" * 100_000])
def test_a_damaged_graph_is_unreadable(text, tmp_path):
    path = _archive(tmp_path / "n.pt2", **{"models/model.json": text})

    with pytest.raises(Unreadable, match="the program's graph"):
        program_graph(path)
