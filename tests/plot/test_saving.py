"""Figures on disk: all or nothing, and nothing else is replaced."""

import pytest
from matplotlib.figure import Figure

from boundkit.errors import UsageError
from boundkit.plot import save
from boundkit.plot.saving import FORMATS


def figures():
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([1, 2])
    return {"line": figure}


@pytest.mark.parametrize("form", FORMATS)
def test_a_figure_is_written_under_its_name(tmp_path, form):
    (path,) = save(figures(), tmp_path / "new" / "folder", form)

    assert path == tmp_path / "new" / "folder" / f"line.{form}"
    assert FORMATS[form] in path.read_bytes()[:1024]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figure_is_the_same_file(tmp_path, form):
    (one,) = save(figures(), tmp_path / "a", form)
    (other,) = save(figures(), tmp_path / "b", form)

    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_an_older_figure_is_replaced(tmp_path, form):
    (path,) = save(figures(), tmp_path, form)
    path.chmod(0o640)
    before = path.read_bytes()

    save({"line": Figure(figsize=(2, 2))}, tmp_path, form)

    assert path.read_bytes() != before
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_no_figure_is_not_replaced(tmp_path):
    (tmp_path / "line.png").write_text("thesis", encoding="utf-8")

    with pytest.raises(UsageError, match="what is there is no figure"):
        save({"first": Figure(), **figures()}, tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["line.png"]


def test_a_folder_in_the_place_of_a_figure_stays(tmp_path):
    (tmp_path / "line.png").mkdir()

    with pytest.raises(UsageError, match="no figure"):
        save(figures(), tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("", encoding="utf-8")

    with pytest.raises(
        UsageError, match=r"cannot write figures to '.*out': File exists"
    ):
        save(figures(), tmp_path / "out")


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(UsageError, match="written as png or svg, not as 'bmp'"):
        save(figures(), tmp_path, "bmp")


def test_a_failure_leaves_the_old_figure_and_no_other_file(tmp_path, monkeypatch):
    (path,) = save(figures(), tmp_path)
    before = path.read_bytes()

    def failing(self, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("pathlib.Path.replace", failing)
    with pytest.raises(UsageError, match="No space left on device; choose another"):
        save({"line": Figure(figsize=(2, 2))}, tmp_path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
