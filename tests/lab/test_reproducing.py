import inspect
import sys

import numpy as np
import pytest

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.lab import reproducing
from boundkit.lab.documents import read


@pytest.fixture(scope="module")
def done(archive, tmp_path_factory):
    out = tmp_path_factory.mktemp("done")
    (first,) = boundkit.reproduce("p1-fig3", "test", archive, out)
    return out, first


def test_everything_is_written(done):
    out, first = done

    assert {path.name for path in out.iterdir()} == {
        "p1-fig3.json",
        "p1-fig3.png",
        "p1-fig3.csv",
        "index.html",
        "index.md",
        "runs",
    }
    assert len(list((out / "runs").iterdir())) == len(first.runs) == 4
    assert first.seconds > 0


def test_it_is_not_done_again(done, archive, monkeypatch):
    out, first = done
    monkeypatch.setattr(reproducing, "train", lambda *_, **__: pytest.fail("trained"))

    (again,) = boundkit.reproduce("p1-fig3", "test", archive, out)

    assert not again.fresh
    assert again.outcome.claims == first.outcome.claims


@pytest.mark.parametrize("name", ["p1-fig3.png", "p1-fig3.csv"])
def test_a_lost_file_is_made_again_from_the_same_trainings(
    done, archive, monkeypatch, name
):
    out, _ = done
    before = (out / name).read_bytes()
    (out / name).unlink()
    trained = []
    train = reproducing.train

    def watched(recipe, images, folder, **options):
        trained.append((folder / "done.json").stat().st_mtime_ns)
        return train(recipe, images, folder, **options)

    monkeypatch.setattr(reproducing, "train", watched)
    (again,) = boundkit.reproduce("p1-fig3", "test", archive, out)

    assert again.fresh
    assert (out / name).read_bytes() == before
    assert trained == [
        (out / run["folder"] / "done.json").stat().st_mtime_ns for run in again.runs
    ]


def test_a_damaged_result_is_made_again(done, archive):
    out, _ = done
    (out / "p1-fig3.json").write_text("{")

    (again,) = boundkit.reproduce("p1-fig3", "test", archive, out)

    assert again.fresh
    assert read(again.path).settings == again.settings


def test_other_images_are_another_result(done, archive, tmp_path):
    out, first = done
    with np.load(archive) as arrays:
        np.savez(
            tmp_path / "b.npz", **(dict(arrays) | {"x_test": 255 - arrays["x_test"]})
        )

    (found,) = boundkit.reproduce("p1-fig3", "test", tmp_path / "b.npz", out)

    assert found.settings != first.settings
    assert found.fresh


def test_an_interrupted_figure_goes_on(archive, tmp_path):
    seen = []

    def stop(done, total, _what):
        seen.append((done, total))
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        boundkit.reproduce("p1-fig3", "test", archive, tmp_path, progress=stop)
    left = list((tmp_path / "runs").iterdir())
    (found,) = boundkit.reproduce("p1-fig3", "test", archive, tmp_path)

    assert seen[-1] == (5, 12)
    assert len(left) == 2
    assert found.fresh
    assert not list(tmp_path.rglob(".resume"))


def test_a_scale_that_is_none_is_refused(archive, tmp_path):
    with pytest.raises(
        UsageError, match="scale must be small or paper, but got 'huge'"
    ):
        boundkit.reproduce("p1-fig3", "huge", archive, tmp_path)


def test_missing_images_are_told_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        boundkit.reproduce("p1-fig3", "test", tmp_path / "none", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(archive, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match=r"cannot write to .*; choose another folder"):
        boundkit.reproduce("p1-fig3", "test", archive, tmp_path / "file")


def test_a_module_that_figures_share_decides_too():
    own = reproducing._code_of("boundkit.lab.figures.p2_collapse")

    # What it draws with, and what that trains.
    for shared in ("han2022_courses", "han2022_runs", "beyond_noise"):
        module = sys.modules[f"boundkit.lab.figures.{shared}"]
        assert inspect.getsource(module) in own
    assert inspect.getsource(sys.modules["boundkit.lab.figures.p1_fig8"]) not in own
