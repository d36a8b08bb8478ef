"""Samples from objects: datasets, loaders, pairs of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.data.arrays import from_arrays
from boundkit.data.samples import Samples
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch.utils.data import DataLoader

    from boundkit.data.samples import Source

__all__ = ["from_object"]


def from_object(found: Any, name: str) -> Samples:
    """Return samples of a Dataset, a DataLoader, a pair of arrays, or Samples.

    A loader that goes through its dataset in order or shuffled is read in stored order,
    each sample once, whatever it would drop at the end.

    Args:
        found: The object.
        name: For provenance and messages.

    Returns:
        The samples.

    Raises:
        DataError: It is none of these, draws with replacement, or its items are not
            pairs.
    """
    from torch.utils.data import DataLoader, IterableDataset, TensorDataset

    if isinstance(found, Samples):
        return found
    if isinstance(found, DataLoader):
        return _from_loader(found, name)
    if isinstance(found, TensorDataset) and len(found.tensors) == 2:
        return from_arrays(*found.tensors, name)
    pair = _pair_of_arrays(found)
    if pair is not None:
        return from_arrays(*pair, name)
    if isinstance(found, IterableDataset):
        return _streamed(lambda size: DataLoader(found, batch_size=size), None, name)
    if hasattr(found, "__getitem__") and hasattr(found, "__len__"):
        return _from_dataset(found, None, name)
    raise DataError(
        f"{name}: a {type(found).__name__} is no data set; give a Dataset, a DataLoader"
        " or a pair of arrays (x, y)"
    )


def _pair_of_arrays(found: Any) -> tuple[Any, Any] | None:
    if isinstance(found, Mapping) and {"x", "y"} <= found.keys():
        found = (found["x"], found["y"])
    if isinstance(found, tuple | list) and len(found) == 2:
        inputs, labels = found
        if hasattr(inputs, "shape") and not isinstance(labels, tuple):
            return inputs, labels
    return None


def _from_loader(loader: DataLoader[Any], name: str) -> Samples:
    from torch.utils.data import (
        BatchSampler,
        IterableDataset,
        RandomSampler,
        SequentialSampler,
        WeightedRandomSampler,
    )

    sampler, dataset = loader.sampler, loader.dataset
    _without_replacement(
        isinstance(sampler, WeightedRandomSampler)
        or (isinstance(sampler, RandomSampler) and sampler.replacement),
        name,
    )
    own_batches = type(loader.batch_sampler) is not BatchSampler
    if isinstance(dataset, IterableDataset):
        return _streamed(lambda _: loader, None, name)
    if own_batches:
        return replace(_streamed(lambda _: loader, None, name), fixed_order=False)
    if isinstance(sampler, SequentialSampler | RandomSampler):
        return _from_dataset(dataset, loader, name)
    count = None if loader.drop_last else len(sampler)  # type: ignore[arg-type] # torch types no Sampler as Sized
    return replace(_streamed(lambda _: loader, count, name), fixed_order=False)


def _from_dataset(dataset: Any, like: DataLoader[Any] | None, name: str) -> Samples:
    """Return the samples of a dataset in order, loaded as another loader does."""
    from torch.utils.data import DataLoader, Subset

    def loading(part: Any) -> Callable[[int], Iterable[Any]]:
        if like is None:
            return lambda size: DataLoader(part, batch_size=size)
        return lambda size: DataLoader(
            part,
            batch_size=size,
            collate_fn=like.collate_fn,
            num_workers=like.num_workers,
            worker_init_fn=like.worker_init_fn,
        )

    def window(start: int, stop: int) -> Source:
        return _pairs(loading(Subset(dataset, range(start, stop))), name)

    whole = _streamed(loading(dataset), len(dataset), name)
    return replace(whole, window=window)


def _without_replacement(replaced: bool, name: str) -> None:
    if replaced:
        raise DataError(
            f"{name}: the loader draws with replacement, so its samples are not the"
            " training sample; give the dataset itself"
        )


def _streamed(
    make: Callable[[int], Iterable[Any]], n: int | None, name: str
) -> Samples:
    source = _pairs(make, name)
    first = next(iter(source(1)), None)
    if first is None:
        raise DataError(f"{name}: no samples in it; give at least one")
    if not hasattr(first[0], "shape"):
        raise DataError(
            f"{name}: x comes as {type(first[0]).__name__}, not as a tensor; give a"
            " dataset of (x, y) with x a tensor or an array"
        )
    return Samples(name, n, tuple(int(s) for s in first[0].shape[1:]), source)


def _pairs(make: Callable[[int], Iterable[Any]], name: str) -> Source:
    def source(batch_size: int) -> Iterator[tuple[Any, Any]]:
        for item in _guarded(make, batch_size, name):
            yield _as_pair(item, name)

    return source


def _guarded(
    make: Callable[[int], Iterable[Any]], batch_size: int, name: str
) -> Iterator[Any]:
    try:
        yield from make(batch_size)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{name}: reading a batch raised {type(error).__name__}: {_line(error)};"
            " the items must be (x, y) of tensors, arrays or numbers"
        ) from error


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _as_pair(item: Any, name: str) -> tuple[Any, Any]:
    if isinstance(item, Mapping) and {"x", "y"} <= item.keys():
        return item["x"], item["y"]
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    if isinstance(item, Mapping):
        found = f"a dict with keys {sorted(map(str, item))}"
    elif isinstance(item, tuple | list):
        found = f"a {type(item).__name__} of {len(item)}"
    else:
        found = f"a {type(item).__name__}"
    raise DataError(
        f"{name}: a batch is {found}; give pairs (x, y), or dicts with keys x and y"
    )
