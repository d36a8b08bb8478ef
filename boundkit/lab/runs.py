"""The folder of a run: what lies where, and reading it again.

::

    runs/KEY/
      recipe.json      the recipe, and which images
      metrics.jsonl    one line a recorded epoch
      epoch_0007.pt    weights after 7 epochs: {"epoch", "rho", "state_dict"}
      model.py         net, train, test: SPECs for boundkit's other commands
      done.json        how it ended; only there at the end
      .resume          where to go on; gone at the end
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError
from boundkit.lab.data import open_images, task_of
from boundkit.lab.nets import build
from boundkit.lab.recipe import Recipe, from_json
from boundkit.sweeping.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import nn

    from boundkit.lab.data import Images, Task

__all__ = [
    "Run",
    "blank_net",
    "checkpoint_name",
    "dataset",
    "ended",
    "finished",
    "is_done",
    "prepared",
    "recipe_task",
]

_SPECS = '''"""Net and data of this run, for boundkit: --model model.py:net, and so on."""

from pathlib import Path

from boundkit.lab.runs import blank_net, dataset

HERE = Path(__file__).resolve().parent


def net():
    """Return the net, without its weights."""
    return blank_net(HERE)


def train():
    """Return the training sample."""
    return dataset(HERE, "train")


def test():
    """Return the held-out sample."""
    return dataset(HERE, "test")
'''


@dataclass(frozen=True, slots=True)
class Run:
    """A training run that has ended.

    Attributes:
        folder: Where it lies.
        recipe: What was done.
        shape: Channels, rows and columns of an image.
        rows: What was measured, one table a recorded epoch.
        diverged: The epoch in which the loss stopped being finite, None if it never did.
        seconds: CPU time of the training, without what came before it was interrupted.
    """

    folder: Path
    recipe: Recipe
    shape: tuple[int, int, int]
    rows: tuple[Mapping[str, Any], ...]
    diverged: int | None
    seconds: float

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs with a row and a checkpoint."""
        return tuple(row["epoch"] for row in self.rows)

    @property
    def last(self) -> Mapping[str, Any]:
        """The last row."""
        return self.rows[-1]

    def column(self, name: str) -> list[Any]:
        """Return a value of every row, None where there is none.

        Args:
            name: Such as ``"rho"``, or with dots, ``"margins.normalized.variance"``.
        """
        return [_within(row, name.split(".")) for row in self.rows]

    def checkpoint(self, epoch: int | None = None) -> Path:
        """Return the file with the weights after an epoch, the last one if None.

        Raises:
            DataError: That epoch was not recorded.
        """
        wanted = self.epochs[-1] if epoch is None else epoch
        if wanted not in self.epochs:
            raise DataError(
                f"{self.folder}: epoch {wanted} was not recorded, only"
                f" {list(self.epochs)}"
            )
        return self.folder / checkpoint_name(wanted)

    def net(self, epoch: int | None = None) -> nn.Module:
        """Return the net with the weights after an epoch, in eval mode, on the CPU.

        Args:
            epoch: A recorded one; None for the last.
        """
        import torch

        stored = torch.load(self.checkpoint(epoch), weights_only=True)
        net = build(self.recipe.net, self.shape, self.recipe.outputs, self.recipe.width)
        net.load_state_dict(stored["state_dict"])
        return net.eval()

    @property
    def model_spec(self) -> str:
        """What ``--model`` takes."""
        return f"{self.folder / 'model.py'}:net"

    @property
    def data_spec(self) -> str:
        """What ``--data`` takes: the training sample."""
        return f"{self.folder / 'model.py'}:train"

    @property
    def test_data_spec(self) -> str:
        """What ``--test-data`` takes."""
        return f"{self.folder / 'model.py'}:test"


def _within(table: Any, names: list[str]) -> Any:
    return reduce(
        lambda inner, name: inner.get(name) if isinstance(inner, dict) else None,
        names,
        table,
    )


def checkpoint_name(epoch: int) -> str:
    """Return the name of the file with the weights after an epoch."""
    return f"epoch_{epoch:04d}.pt"


def recipe_task(recipe: Recipe, images: Images) -> Task:
    """Return the samples of a recipe."""
    return task_of(
        images,
        classes=recipe.classes,
        n=recipe.n,
        n_test=recipe.n_test,
        noise=recipe.noise,
        pooling=recipe.pooling,
        preprocessing=recipe.preprocessing,
        seed=recipe.seed,
    )


def prepared(
    folder: Path, recipe: Recipe, images: Images, shape: tuple[int, int, int]
) -> None:
    """Make the folder of a run, with what is known before it.

    Args:
        folder: Of the run.
        recipe: What will be done.
        images: What with.
        shape: Channels, rows and columns of an image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(images.source)
    source = str(place.resolve()) if place.exists() else images.source
    about = {
        "recipe": asdict(recipe),
        "images": {"source": source, "digest": images.digest},
        "shape": list(shape),
    }
    write_whole(folder / "recipe.json", _json(about))
    write_whole(folder / "model.py", _SPECS.encode())


def _json(table: Any) -> bytes:
    return (
        json.dumps(table, indent=1, sort_keys=True, allow_nan=False) + "\n"
    ).encode()


def is_done(folder: Path) -> bool:
    """Say whether a run has ended."""
    return (folder / "done.json").is_file()


def finished(folder: Path) -> Run:
    """Return a run that has ended.

    Args:
        folder: Of the run.

    Raises:
        DataError: Its files are damaged.
    """
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: the run cannot be read again ({type(error).__name__}); delete the"
            " folder to train anew"
        ) from error


def _read(folder: Path) -> Run:
    about = json.loads((folder / "recipe.json").read_bytes())
    ending = json.loads((folder / "done.json").read_bytes())
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    channels, height, width = about["shape"]
    return Run(
        folder,
        from_json(about["recipe"]),
        (channels, height, width),
        tuple(json.loads(line) for line in lines),
        ending["diverged"],
        ending["cpu_seconds"],
    )


def ended(folder: Path, diverged: int | None, seconds: float, device: str) -> None:
    """Mark a run as ended.

    Args:
        folder: Of the run.
        diverged: The epoch in which the loss stopped being finite, or None.
        seconds: CPU time.
        device: Where it ran.
    """
    import torch

    from boundkit import __version__

    about = {
        "diverged": diverged,
        "cpu_seconds": round(seconds, 2),
        "device": device,
        "boundkit": __version__,
        "torch": str(torch.__version__),
    }
    write_whole(folder / "done.json", _json(about))


def blank_net(folder: Path) -> nn.Module:
    """Return the net of a run, without its weights."""
    about = json.loads((folder / "recipe.json").read_bytes())
    recipe = from_json(about["recipe"])
    return build(recipe.net, tuple(about["shape"]), recipe.outputs, recipe.width)


def dataset(folder: Path, part: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return images and classes of a run, as its net saw them.

    Args:
        folder: Of the run.
        part: ``"train"`` with the noise in its labels, or ``"test"``.

    Raises:
        DataError: The images are not the same any more.
    """
    about = json.loads((folder / "recipe.json").read_bytes())
    images = open_images(about["images"]["source"])
    if images.digest != about["images"]["digest"]:
        raise DataError(
            f"{images.source}: not the images that {folder} was trained on; put those"
            " back"
        )
    task = recipe_task(from_json(about["recipe"]), images)
    if part == "train":
        return task.x_train, task.y_train
    return task.x_test, task.y_test
