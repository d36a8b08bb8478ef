"""Several processes of one run: each reads its share, sums are merged in rank order."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from boundkit import errors
from boundkit.data.shards import strided, window
from boundkit.errors import BoundkitError, DataError, ProcessLost, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from boundkit.data import Samples

__all__ = [
    "ALONE",
    "Ranks",
    "is_shared",
    "joined",
    "local_device",
    "merged",
    "on_cpu",
    "shard",
    "share",
]

#: Seconds that one process waits for another, by default.
_PATIENCE = 1800.0
#: Set by torchrun for each process it starts.
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


#: Noted on errors that every process has got.
_SHARED = "told to all processes of the run"


class _Mergeable(Protocol):
    def __add__(self, other: Self, /) -> Self: ...


_State = TypeVar("_State", bound=_Mergeable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of the run.

    Attributes:
        number: Its rank, from 0.
        size: How many there are.
        group: torch's handle on all of them; None for a process that is alone.
    """

    number: int = 0
    size: int = 1
    group: Any = None

    @property
    def is_writer(self) -> bool:
        """Whether it is the one that shows progress and writes results."""
        return self.number == 0


#: A process of its own, which is what everything is unless it joins others.
ALONE = Ranks()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What stopped a process, as the others are told."""

    rank: int
    kind: str
    message: str


@contextmanager
def joined(patience: float = _PATIENCE) -> Generator[Ranks]:
    """Join the processes that ``torchrun`` started, for as long as the block runs.

    Sums travel through the processors' memory (gloo), also where the nets run on GPUs.

    Args:
        patience: Seconds to wait for another process before giving it up.

    Yields:
        This process among the others; `ALONE` where torchrun started no others.

    Raises:
        ProcessLost: The others cannot be reached.
        UsageError: The variables that torchrun sets do not make sense.
    """
    number, size = _numbers()
    if size == 1:
        yield ALONE
        return
    import torch.distributed as dist

    wait = timedelta(seconds=patience)
    ours = not dist.is_initialized()
    try:
        if ours:
            dist.init_process_group("gloo", timeout=wait)
        group = dist.new_group(backend="gloo", timeout=wait)
    except RuntimeError as error:
        raise ProcessLost(
            f"process {number} of {size} cannot reach the others ({_line(error)}); start"
            " all of them with torchrun"
        ) from error
    try:
        yield Ranks(number, size, group)
    finally:
        if ours:
            dist.destroy_process_group()


def _numbers() -> tuple[int, int]:
    if not all(name in os.environ for name in _VARIABLES):
        return 0, 1
    rank, size = os.environ["RANK"], os.environ["WORLD_SIZE"]
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        raise UsageError(
            f"RANK={rank!r} and WORLD_SIZE={size!r} must be whole numbers with RANK below"
            " WORLD_SIZE; start the processes with torchrun"
        )
    return int(rank), int(size)


def local_device(device: str, ranks: Ranks) -> str:
    """Return the device of this process: each has a GPU of its own where there are many.

    Args:
        device: What the user asked for; an index in it is kept.
        ranks: This process among the others.
    """
    import torch

    local = os.environ.get("LOCAL_RANK", "")
    if ranks.size == 1 or device not in {"auto", "cuda"} or not local.isdecimal():
        return device
    count = torch.cuda.device_count()
    return f"cuda:{int(local) % count}" if count else device


def share(n: int, ranks: Ranks) -> tuple[int, int]:
    """Return the first row of this process's share of ``n`` rows, and the one after it.

    Args:
        n: Rows in all.
        ranks: This process among the others.
    """
    return n * ranks.number // ranks.size, n * (ranks.number + 1) // ranks.size


def shard(samples: Samples, ranks: Ranks) -> Samples:
    """Return this process's share of the samples, in their order.

    Every sample is in one share. Consecutive ones make a share; of a stream of unknown
    length every ``size``-th batch does. A share may be empty.

    Args:
        samples: The same in all processes, in the same order.
        ranks: This process among the others.

    Raises:
        DataError: The samples come in an order, or a selection, of their own.
    """
    if ranks.size == 1:
        return samples
    if not samples.fixed_order:
        raise DataError(
            f"{samples.name}: its sampler may draw otherwise in each process, so it cannot"
            " be shared out among several; give the dataset itself"
        )
    if samples.n is None:
        return strided(samples, ranks.number, ranks.size)
    return window(samples, *share(samples.n, ranks))


def merged(make: Callable[[], _State | None], ranks: Ranks) -> _State | None:
    """Return the sum of what all processes make, added in the order of their ranks.

    All of them must call this, and all of them get the same sum. Where one of them
    fails, all do, with the message of the first.

    Args:
        make: Returns the state of this process's share; None for an empty share.
        ranks: This process among the others.

    Returns:
        The sum, on the CPU if there are several processes; None if all shares are empty.

    Raises:
        BoundkitError: ``make`` failed here or in another process.
        ProcessLost: Another process ended or went silent.
    """
    if ranks.size == 1:
        return make()
    own, error = _attempted(make, ranks)
    total: Any = None
    failure: _Failure | None = None
    # One after the other: two states are in memory at a time, however many ranks.
    for source in range(ranks.size):
        found = _sent(own, source, ranks)
        if isinstance(found, _Failure):
            failure = failure or found
        elif found is not None and failure is None:
            total = found if total is None else total + found
    if error is not None:
        error.add_note(_SHARED)
        raise error
    if failure is not None:
        stopped = _as_error(failure, ranks)
        stopped.add_note(_SHARED)
        raise stopped
    return total  # type: ignore[no-any-return] # states of one kind, or None


def is_shared(error: Exception) -> bool:
    """Return whether all processes of the run have been stopped by the same error.

    Args:
        error: What stopped this one.
    """
    return _SHARED in getattr(error, "__notes__", ())


def _attempted(
    make: Callable[[], _State | None], ranks: Ranks
) -> tuple[Any, Exception | None]:
    try:
        return on_cpu(make()), None
    # Also bugs: the others would wait for this process in vain.
    except Exception as error:  # noqa: BLE001 - raised again once the others know
        kind = type(error).__name__
        known = isinstance(error, BoundkitError)
        message = str(error) if known else f"{kind}: {_line(error)}"
        return _Failure(ranks.number, kind, message), error


def _sent(own: Any, source: int, ranks: Ranks) -> Any:
    import torch.distributed as dist

    parcel = [own if source == ranks.number else None]
    try:
        dist.broadcast_object_list(parcel, src=source, group=ranks.group)
    except RuntimeError as error:
        raise ProcessLost(
            f"process {ranks.number} of {ranks.size} lost another one or waited too long"
            f" for it ({_line(error)}); nothing is written: see what the others say"
        ) from error
    return parcel[0]


def _as_error(failure: _Failure, ranks: Ranks) -> BoundkitError:
    kinds = {kind.__name__: kind for kind in (DataError, UsageError, errors.ModelError)}
    kind = kinds.get(failure.kind, ProcessLost)
    return kind(f"process {failure.rank} of {ranks.size} stopped: {failure.message}")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


def on_cpu(state: _T) -> _T:
    """Return a state with all its tensors on the CPU.

    Args:
        state: A tensor, or tuples and dataclasses of them, one within the other.
    """
    return cast("_T", _on_cpu(state))


def _on_cpu(state: Any) -> Any:
    import torch

    if isinstance(state, torch.Tensor):
        return state.cpu()
    if isinstance(state, tuple):
        return tuple(map(_on_cpu, state))
    if is_dataclass(state) and not isinstance(state, type):
        named = {field.name: getattr(state, field.name) for field in fields(state)}
        return replace(state, **{name: _on_cpu(value) for name, value in named.items()})
    return state
