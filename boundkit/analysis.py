"""The story on one page: load, layers, normalize, measure, certify, report."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from boundkit import __version__, arguments, readers
from boundkit.arguments import PARTS
from boundkit.layers import from_tensors
from boundkit.layers.structure import structure
from boundkit.measure.layer_columns import layer_spectra
from boundkit.measure.norms import norms
from boundkit.measure.scan import non_finite
from boundkit.measure.spectral_summaries import spectral_measurements
from boundkit.measure.weightwatcher import weightwatcher_measurements
from boundkit.normalize import folded_tensors
from boundkit.parts.bounds import bounded, taken_on_trust
from boundkit.parts.collapse import collapse_section
from boundkit.parts.noise import noise_section
from boundkit.parts.sample import looked_at, together
from boundkit.readers.digest import fingerprint
from boundkit.report import assembly
from boundkit.report.model import Certificates, Provenance, Report
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from boundkit.measure.spectra import Extent
    from boundkit.types import Checkpoint

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["PARTS", "analyze", "load"]


def load(source: Any, *, key: str | None = None, trust: bool = False) -> Checkpoint:
    """Open a checkpoint without running anything in it.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Returns:
        Lazy tensors, provenance and the ledger.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
    """
    checkpoint = readers.read(source, key=key, trust=trust)
    _, ledger = from_tensors(checkpoint)
    return replace(checkpoint, ledger=ledger)


def analyze(
    source: Any,
    *,
    model: Any = None,
    data: Any = None,
    test_data: Any = None,
    n: int | None = None,
    input_norm: float = 1.0,
    input_shape: Sequence[int] | None = None,
    delta: float = 0.05,
    gamma: float | Literal["auto"] = "auto",
    confidence: Literal["empirical", "normalized"] = "empirical",
    loss: str | None = None,
    weight_decay: float | None = None,
    only: Sequence[str] | None = None,
    device: str = "auto",
    batch_size: int = 256,
    key: str | None = None,
    trust: bool = False,
    init: Any = None,
    head: str | None = None,
    features: str | None = None,
    spectra: Extent = "auto",
    convention: Literal["boundkit", "weightwatcher"] = "boundkit",
    sgd_batch: int | None = None,
    learning_rate: float | None = None,
    steps: int | None = None,
    earlier: Sequence[Any] = (),
    progress: Progress = None,
) -> Report:
    """Analyze one checkpoint and say what learning theory can say about it.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        model: An nn.Module, or ``"pkg.mod:callable"`` or ``"file.py:callable"``.
        data: The training sample: a SPEC string, Dataset, DataLoader or (x, y).
        test_data: A sample that training has not seen.
        n: Size of the training sample, without data.
        input_norm: Norm that inputs are taken to stay below, without data.
        input_shape: Of one sample, to trace the model without data.
        delta: Probability that a certificate fails, each on its own.
        gamma: A margin fixed in advance, or ``"auto"`` for the best.
        confidence: ``"normalized"`` to rest on preprocessing that the data declare.
        loss: The training loss, recorded in the conventions.
        weight_decay: As torch's optimizers count it; the equilibrium of the square
            loss takes it for the coefficient of rho^2.
        only: Parts to compute, out of norms, spectra, margins, collapse, noise,
            bounds; None for what the inputs allow, noise only with ``sgd_batch``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.
        init: The checkpoint from before training, for measures of how far it went.
        head: The last linear layer, whose inputs are the features; None to find it.
        features: An .npz or .safetensors file with features of the training sample.
        spectra: ``"full"``, ``"top"``, ``"none"``, or ``"auto"`` by the layer's size.
        convention: ``"weightwatcher"`` for its numbers beside ours.
        sgd_batch: Samples of a step of SGD, for its noise.
        learning_rate: Of plain SGD, for the bound on ranks.
        steps: Of SGD since the last of the earlier checkpoints.
        earlier: Checkpoints of the same run, oldest first, for jitter.
        progress: Called with the number done, the total or None, and a label.

    Returns:
        The report.

    Raises:
        CheckpointError: The checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        UsageError: An argument is out of range or contradicts another.
    """
    clock = Stopwatch()
    parts = arguments.wanted_parts(only, noise=sgd_batch is not None)
    margin = arguments.wanted_margin(gamma)
    # A module in memory is its own architecture.
    model = source if model is None and hasattr(source, "named_modules") else model
    arguments.require_sense(
        model=model,
        data=data,
        test_data=test_data,
        n=n,
        input_norm=input_norm,
        delta=delta,
        batch_size=batch_size,
        confidence=confidence,
        spectra=spectra,
        device=device,
    )
    extent = spectra if "spectra" in parts else "none"
    arguments.require_convention(convention, extent)
    with clock.stage("load"):
        checkpoint = readers.read(source, key=key, trust=trust)
        digest = fingerprint(checkpoint)
        network, ledger = from_tensors(checkpoint)
    with together(parts, data, test_data, features) as ranks:
        with clock.stage("data"):
            seen = looked_at(
                network,
                checkpoint,
                parts,
                model=model,
                data=data,
                test_data=test_data,
                input_shape=input_shape,
                device=device,
                batch_size=batch_size,
                progress=progress,
                normalized=confidence == "normalized",
                head=None if features else head,
                ranks=ranks,
            )
        network, rewritten = seen.architecture.network, seen.architecture.rewritten
        train, test = seen.train, seen.test
        notices = [*checkpoint.notices, *seen.architecture.notices]
        with clock.stage("norms"):
            step = None if progress is None else _labeled(progress, "norms")
            sizes = norms(network, step)
            odd = non_finite(checkpoint, sizes)
            notices += assembly.norm_notices(network, sizes, odd)
        stored = assembly.rho(network, sizes)
        with clock.stage("collapse"):
            collapsed = collapse_section(
                parts,
                seen,
                features,
                head,
                stored,
                weight_decay,
                device,
                batch_size,
                progress,
                ranks,
            )
    with clock.stage("noise"):
        noisy, told = noise_section(
            parts,
            seen,
            batch=sgd_batch,
            loss=loss,
            weight_decay=weight_decay,
            learning_rate=learning_rate,
            steps=steps,
            earlier=earlier,
            model=model,
            device=device,
            batch_size=batch_size,
            progress=progress,
            trust=trust,
        )
    folds = folded_tensors(network, rewritten)
    ledger = assembly.folded_rows(assembly.graph_rows(ledger, network), folds)
    seen_sizes = norms(rewritten) if folds else sizes
    with clock.stage("spectra"):
        spectral = layer_spectra(network, sizes, progress, extent)
        theirs, refused = (
            weightwatcher_measurements(network.layers, progress)
            if convention == "weightwatcher"
            else ((), ())
        )
    sample = train or taken_on_trust(n, input_norm)
    with clock.stage("bounds"):
        certified, measured = bounded(
            parts,
            network,
            rewritten,
            seen_sizes,
            sample,
            test,
            delta=delta,
            gamma=margin,
            input_norm=input_norm,
            stored=stored,
            columns=spectral.columns,
            folds=folds,
            init=init,
            trust=trust,
        )
    return Report(
        boundkit=__version__,
        checkpoint=Provenance(
            checkpoint.source,
            checkpoint.format,
            checkpoint.wrapping,
            digest,
            checkpoint.nbytes,
            len(ledger),
            assembly.parameters(ledger),
        ),
        conventions=MappingProxyType({
            "conv_norm": "filter",
            "spectra": "filter matrix, outputs x rest",
            "delta": delta,
            "n": sample.n if sample else None,
            "input_norm": None if train else input_norm,
            "gamma": gamma,
            "device": device,
            "loss": loss,
            "weight_decay": weight_decay,
            "spectra_extent": extent,
            "convention": convention,
            "sgd_batch": sgd_batch,
            "learning_rate": learning_rate,
            "features": features,
            "architecture": "traced" if network.nodes else "not known",
            "data": arguments.named(data),
            "test_data": arguments.named(test_data),
            "init": arguments.named(init),
            "confidence": arguments.form_of(confidence),
            "rewrites": list(rewritten.rewrites),
            "structure": {k: len(v) for k, v in structure(network).items()},
            "head": assembly.head_convention(network.outputs),
        }),
        ledger=ledger,
        coverage=assembly.coverage(ledger),
        layers=assembly.layer_rows(network, sizes, spectral.columns, spectral.points),
        rho_stored=stored,
        rho_folded=assembly.rho(rewritten, seen_sizes) if folds else None,
        measurements=(
            *assembly.rho_measurements(stored),
            *spectral_measurements(network, spectral.columns, spectral.spectra),
            *theirs,
            *measured,
        ),
        certificates=Certificates(certified),
        margins=assembly.margins(train, test, stored, weight_decay)
        if "margins" in parts
        else None,
        collapse=collapsed,
        noise=noisy,
        warnings=(*notices, *told, *spectral.notices, *refused),
        seconds=clock.read(),
    )


def _labeled(
    progress: Callable[[int, int | None, str], None], label: str
) -> Callable[[int, int], None]:
    return lambda done, total: progress(done, total, label)
