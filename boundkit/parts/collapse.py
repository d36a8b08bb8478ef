"""The part ``collapse``: features of the last layer, from a model or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    from boundkit.data.features import Features
    from boundkit.measure.collapse import Collapse
    from boundkit.measure.features import Collected
    from boundkit.measure.head import Head
    from boundkit.measure.observed import Observed
    from boundkit.measure.ranks import Ranks
    from boundkit.measure.stored_features import FeatureStatistics
    from boundkit.report.model import Rho
    from boundkit.types import Network

    Batches = Callable[[], Iterator[tuple[torch.Tensor, torch.Tensor]]]
    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["collapse_section"]

#: Rows of stored features at a time.
_ROWS = 4096


def collapse_section(
    parts: frozenset[str],
    seen: Observed,
    features: str | None,
    head: str | None,
    stored: Rho,
    weight_decay: float | None,
    device: str,
    batch_size: int,
    progress: Progress,
    ranks: Ranks,
) -> dict[str, Any] | None:
    """Return what a report says of neural collapse, or None where nothing is known.

    Args:
        parts: To be computed.
        seen: What the net and the data gave.
        features: File of the training sample's features, in place of a net's; or None.
        head: What the last layer is called, or None for the last linear one.
        stored: The product of norms.
        weight_decay: Of the optimizer, or None.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        ranks: This process among others that each read a share.

    Raises:
        DataError: The file is broken, or its features do not fit the last layer.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The head is not there.
    """
    if "collapse" not in parts:
        return None
    if features is not None:
        network = seen.architecture.network
        return _from_stored(
            features, network, head, stored, weight_decay, device, progress, ranks
        )
    batches = None
    train, module, samples = seen.train_features, seen.module, seen.train_samples
    if train is not None and module is not None and samples is not None:
        from boundkit.measure.feature_batches import feature_batches

        batches = feature_batches(
            train,
            module,
            samples,
            device=device,
            batch_size=batch_size,
            progress=progress,
            ranks=ranks,
        )
    return _from_nets(train, seen.test_features, stored, weight_decay, batches, ranks)


def _from_nets(
    train: Collected | None,
    test: Collected | None,
    stored: Rho,
    weight_decay: float | None,
    batches: Batches | None,
    ranks: Ranks,
) -> dict[str, Any] | None:
    from boundkit.measure.collapse import section

    if train is None and test is None:
        return None
    found = [
        None if one is None else _measured(one, one.head, stored, weight_decay)
        for one in (train, test)
    ]
    peeled = {}
    if train is not None and batches is not None:
        peeled["train"] = _peeled(train.head, batches, ranks)
    return section(found[0], found[1], ulpm=peeled)


def _from_stored(
    path: str,
    network: Network,
    head: str | None,
    stored: Rho,
    weight_decay: float | None,
    device: str,
    progress: Progress,
    ranks: Ranks,
) -> dict[str, Any]:
    from boundkit.data.features import open_features
    from boundkit.measure.collapse import section
    from boundkit.measure.stored_features import feature_statistics
    from boundkit.measure.stored_head import stored_head

    features = open_features(path)
    if features.weight is None or head is not None:
        features = stored_head(network, head, features)
    seen = feature_statistics(features, device=device, progress=progress, ranks=ranks)
    if seen.broken:
        raise DataError(
            f"{path}: h[{seen.broken[0]}] holds NaN or Inf; remove or repair that sample"
        )
    peeled = {}
    if seen.head is not None:
        peeled["train"] = _peeled(seen.head, _stored_batches(features, ranks), ranks)
    return section(_measured(seen, seen.head, stored, weight_decay), None, ulpm=peeled)


def _stored_batches(features: Features, ranks: Ranks) -> Batches:
    from boundkit.measure.ranks import share

    start, stop = share(features.n, ranks)

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        first = start
        for block in features.rows(start, stop, _ROWS):
            yield block, features.labels[first : first + len(block)]
            first += len(block)

    return batches


def _measured(
    seen: Collected | FeatureStatistics,
    head: Head | None,
    stored: Rho,
    weight_decay: float | None,
) -> Collapse:
    from boundkit.measure.collapse import collapse_of

    return collapse_of(
        seen.moments,
        None if head is None else head.weight,
        None if head is None else head.bias,
        seen.agreement,
        weight_decay=weight_decay,
        rho=stored.value,
        rho_decay=weight_decay,
    )


def _peeled(head: Head, batches: Batches, ranks: Ranks) -> dict[str, Any]:
    from boundkit.measure.layer_peeled import layer_peeled, two_rows
    from boundkit.measure.ranks import merged

    weight, bias = head.weight, head.bias
    if len(weight) == 1:
        weight, bias = two_rows(weight, bias)
    return layer_peeled(
        batches, weight, bias, merged=lambda make: merged(make, ranks)
    ).summary()
