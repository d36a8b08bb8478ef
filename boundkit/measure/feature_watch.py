"""What enters the last layer of a net, seen batch by batch while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boundkit.layers.probe import evaluating
from boundkit.measure.forward import forward_passes, placed, resolved
from boundkit.measure.label_coding import classes_of
from boundkit.measure.ranks import on_cpu
from boundkit.numerics.class_moments import Agreement, ClassMoments
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.largest import decision
from boundkit.numerics.nearest import Centers, agreement
from boundkit.numerics.pivoted_sums import PivotedSums
from boundkit.numerics.span import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.head import Head
    from boundkit.measure.head_inputs import HeadInputs

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Batch", "Seen", "Source", "Watch"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The first pass over a share of the sample, on the CPU.

    Attributes:
        sums: Moments of the features; where they are wide, class sums only.
        is_output: Whether the head gave the outputs there.
    """

    sums: ClassMoments | ClassTotals
    is_output: bool

    def __add__(self, other: Seen) -> Seen:
        """Merge two disjoint samples of one net."""
        both = self.is_output and other.is_output
        if isinstance(self.sums, ClassMoments):
            assert isinstance(other.sums, ClassMoments)  # noqa: S101 - one width
            return Seen(self.sums + other.sums, both)
        assert isinstance(other.sums, ClassTotals)  # noqa: S101 - one width
        return Seen(self.sums + other.sums, both)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One batch at the last layer.

    Attributes:
        features: (b, p).
        labels: (b,) classes.
        decided: (b,) the net's decisions.
        unbiased: (b,) the same without the bias of the head.
    """

    features: torch.Tensor
    labels: torch.Tensor
    decided: torch.Tensor
    unbiased: torch.Tensor

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.features.nbytes + self.labels.nbytes * 3

    def against(self, centers: Centers) -> Agreement:
        """Hold the nearest class mean against labels and decisions.

        Args:
            centers: Class means.
        """
        return agreement(
            centers, self.features, self.labels, self.decided, self.unbiased
        )


@dataclass(slots=True, eq=False)
class Watch:
    """Adds up the features of the batches that it sees, and keeps them if they are few.

    Attributes:
        inputs: Catches them.
        head: The layer they enter.
        reference: Moments whose means they are compared with, if those are known.
        memory: Bytes to keep at most.
        kept: The batches, where all of them fit and are needed once more.
        kept_all: Whether none was left out.
        agreement: With the means of the reference; None without one.
    """

    inputs: HeadInputs
    head: Head
    reference: ClassMoments | None
    memory: int
    kept: list[Batch] = field(default_factory=list)
    kept_all: bool = True
    agreement: Agreement | None = None
    _sums: PivotedSums | ClassTotals | None = None
    _bytes: int = 0
    _same: torch.Tensor | None = None
    _centers: Centers | None = None

    def watching(self, net: nn.Module) -> AbstractContextManager[None]:
        """Watch a net as long as the block runs.

        Args:
            net: It runs once per batch, as a module.
        """
        return self.inputs.watching(net)

    def saw(self, labels: torch.Tensor, outputs: torch.Tensor) -> None:
        """Add the batch that has just run.

        Args:
            labels: (b,) as the data code them.
            outputs: (b, C) of the net, on the same device.

        Raises:
            ModelError: The net does not run in a way that can be watched.
        """
        import torch

        batch, same = self.batch(labels, outputs)
        if self._sums is None:
            classes, width = max(outputs.shape[1], 2), batch.features.shape[1]
            kind = ClassTotals if width > WIDE else PivotedSums
            self._sums = kind.empty(classes, width, labels.device)
            self._same = same
        self._sums.add(batch.features, batch.labels)
        self._same = same if self._same is None else torch.logical_and(self._same, same)
        if self.reference is not None:
            self._compare(batch, self.reference)
        if self.reference is None or isinstance(self._sums, ClassTotals):
            self._keep(batch)

    def batch(
        self, labels: torch.Tensor, outputs: torch.Tensor
    ) -> tuple[Batch, torch.Tensor]:
        """Return the batch that has just run, and whether the head gave the outputs.

        Args:
            labels: (b,) as the data code them.
            outputs: (b, C) of the net, on the same device.
        """
        caught = self.inputs.taken(outputs)
        given = caught.outputs.to(outputs.device)
        bias = self.head.bias
        plain = given if bias is None else given.double() - bias.to(outputs.device)
        same = (given == outputs).all()
        features = caught.features.to(outputs.device)
        classes = classes_of(labels)
        return Batch(features, classes, decision(outputs), decision(plain)), same

    def _keep(self, batch: Batch) -> None:
        self._bytes += batch.nbytes
        if self._bytes <= self.memory:
            self.kept.append(batch)
        else:
            self.kept.clear()
            self.kept_all = False

    def _compare(self, batch: Batch, reference: ClassMoments) -> None:
        if self._centers is None:
            device = batch.labels.device
            mean, count = reference.mean.to(device), reference.count.to(device)
            self._centers = Centers.of(mean, count)
        found = batch.against(self._centers)
        self.agreement = found if self.agreement is None else self.agreement + found

    def seen(self) -> Seen | None:
        """Return the sums of what was seen, or None for nothing."""
        if self._sums is None or self._same is None:
            return None
        sums = self._sums
        done = sums if isinstance(sums, ClassTotals) else sums.finished()
        return Seen(on_cpu(done), bool(self._same))


@dataclass(slots=True, eq=False)
class Source:
    """The batches once more: those that were kept, or the net run over the sample again.

    Attributes:
        watch: What saw them the first time.
        module: The net.
        samples: This process's share.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        runs: How often the net ran, the first time counted.
    """

    watch: Watch
    module: nn.Module
    samples: Samples
    device: str
    batch_size: int
    progress: Progress
    runs: int = 1

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of this process's share."""
        if self.watch.kept_all:
            yield from self.watch.kept
            return
        import torch

        self.runs += 1
        label = f"pass {self.runs}"
        where = resolved(self.device)
        net = placed(self.module, where)
        home = "cpu" if where.type == "mps" else where
        done = 0
        with evaluating(net), torch.inference_mode(), self.watch.watching(net):
            for _, labels, outputs in forward_passes(
                net, self.samples, where, self.batch_size
            ):
                batch, _ = self.watch.batch(labels.to(home), outputs.to(home))
                yield batch
                done += len(labels)
                if self.progress is not None:
                    self.progress(done, self.samples.n, label)
