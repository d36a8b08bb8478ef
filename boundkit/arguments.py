"""Arguments of an analysis, checked before anything is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "PARTS",
    "form_of",
    "named",
    "require_convention",
    "require_sense",
    "wanted_margin",
    "wanted_parts",
]

#: What ``only`` chooses from.
PARTS = ("norms", "bounds", "spectra", "margins", "collapse", "noise")


#: Choices of ``spectra``.
_EXTENTS = ("auto", "full", "top", "none")
#: Choices of ``convention``.
_CONVENTIONS = ("boundkit", "weightwatcher")
#: Choices of ``confidence``.
_FORMS = {
    "empirical": "form d: empirical complexity, self-bounding",
    "normalized": "form c': expected complexity, normalized inputs, for sparse_cnn and "
    "dense without additions; else form d",
}


def _require(condition: bool, argument: str, expected: str, value: object) -> None:
    if not condition:
        raise UsageError(f"{argument} must {expected}, but got {value!r}")


def wanted_parts(only: Sequence[str] | None, *, noise: bool = False) -> frozenset[str]:
    """Return the parts to compute.

    Args:
        only: Names out of ``PARTS``; None for all, noise where that is asked for.
        noise: Whether something was said that only noise depends on.

    Raises:
        UsageError: There is no such part.
    """
    if only is None:
        # Gradients of single samples cost many forward passes.
        return frozenset(PARTS) - (frozenset() if noise else {"noise"})
    for part in only:
        _require(part in PARTS, "only", f"be among {', '.join(PARTS)}", part)
    return frozenset(only)


def wanted_margin(gamma: object) -> float | None:
    """Return the margin fixed in advance, or None where the best is chosen.

    Args:
        gamma: ``"auto"`` or a positive number.

    Raises:
        UsageError: It is neither.
    """
    if gamma == "auto":
        return None
    if not isinstance(gamma, int | float) or not 0 < gamma < math.inf:
        raise UsageError(
            f'gamma must be "auto" or a positive number, but got {gamma!r}'
        )
    return float(gamma)


def form_of(confidence: str) -> str:
    """Return what a confidence form is called; it is chosen before any number.

    Args:
        confidence: ``"empirical"`` or ``"normalized"``.
    """
    return _FORMS[confidence]


def named(spec: object) -> str | None:
    """Return how an argument is recorded: a path as it is, an object by its class.

    Args:
        spec: What the user gave, or None.
    """
    return spec if spec is None or isinstance(spec, str) else type(spec).__name__


def require_convention(convention: str, extent: str) -> None:
    """Refuse a convention that there is not, or that has nothing to say.

    Args:
        convention: Whose definitions of the numbers of spectra.
        extent: How much of each spectrum is computed.

    Raises:
        UsageError: The message names the argument, what it must be and what it is.
    """
    known = ", ".join(_CONVENTIONS)
    _require(convention in _CONVENTIONS, "convention", f"be among {known}", convention)
    if convention == "weightwatcher" and extent == "none":
        raise UsageError(
            "convention 'weightwatcher' adds numbers of whole spectra: leave spectra "
            "in --only, and --spectra at something else than none"
        )


def require_sense(
    *,
    model: Any,
    data: Any,
    test_data: Any,
    n: int | None,
    input_norm: float,
    delta: float,
    batch_size: int,
    confidence: str = "empirical",
    spectra: str = "auto",
    device: str = "auto",
) -> None:
    """Refuse arguments that are out of range or contradict each other.

    Args:
        model: An nn.Module or SPEC, or None.
        data: A training sample, or None.
        test_data: A held-out sample, or None.
        n: Size of the training sample, or None.
        input_norm: Norm that inputs are taken to stay below.
        delta: Probability that a certificate fails.
        batch_size: Samples at a time.
        confidence: Form of the confidence terms.
        spectra: How much of each spectrum to compute.
        device: Where to compute; one that is asked for by name must be there, whether
            or not something is computed on it.

    Raises:
        UsageError: The message names the argument, what it must be and what it is.
    """
    _require(0 < delta < 1, "delta", "lie in (0, 1)", delta)
    _require(n is None or n >= 1, "n", "be at least 1", n)
    good = math.isfinite(input_norm) and input_norm > 0
    _require(good, "input_norm", "be a positive number", input_norm)
    _require(batch_size >= 1, "batch_size", "be at least 1", batch_size)
    _require(spectra in _EXTENTS, "spectra", f"be among {', '.join(_EXTENTS)}", spectra)
    if device not in {"auto", "cpu"}:
        # Only now, since it loads torch.
        from boundkit.measure.forward import resolved

        resolved(device)
    if model is None and (data is not None or test_data is not None):
        raise UsageError(
            "data need a model to run them through: give --model, or model= in Python"
        )
    if data is not None and n is not None:
        raise UsageError("n is counted from the data: give --data or --n, not both")
    _require(
        confidence in _FORMS, "confidence", f"be among {', '.join(_FORMS)}", confidence
    )
    if confidence == "normalized" and data is None:
        raise UsageError(
            "confidence 'normalized' needs data that declare their normalization: give "
            "--model and --data, or leave it at 'empirical'"
        )
