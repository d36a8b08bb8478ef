"""A bound: its statement, its rule, and how a rule's answer becomes a certificate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from boundkit.errors import NotApplicable
from boundkit.types import Assumption, Certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Evidence, Network, Norms, Status

__all__ = ["Bound", "Missing", "Outcome", "Rule", "Violated", "evaluate"]


class Missing(NotApplicable):
    """An input of a bound is missing; the message says which option supplies it.

    Args:
        message: What is missing, and the option.
        terms: What can be said without it.
        assumptions: Their state as far as it is known.
    """

    def __init__(
        self,
        message: str,
        terms: Mapping[str, float | str | None] | None = None,
        assumptions: tuple[Assumption, ...] = (),
    ) -> None:
        self.terms = terms or {}
        self.assumptions = assumptions
        super().__init__(message)


class Violated(NotApplicable):
    """An assumption of a bound does not hold, so that the bound says nothing.

    Args:
        assumptions: Each with its state.
        note: Which transform would mend it, or "".
    """

    def __init__(self, assumptions: tuple[Assumption, ...], note: str = "") -> None:
        self.assumptions = assumptions
        self.note = note
        broken = next((a for a in assumptions if a.holds is False), None)
        super().__init__(f"{broken.name}: {broken.detail}" if broken else note)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a rule found.

    Attributes:
        log10: Of the bound; minus infinity for 0. None if an assumption fails.
        terms: Every factor and summand.
        assumptions: Each with its state.
        note: Which transform would mend a violated assumption, or a caution.
    """

    log10: float | None
    terms: Mapping[str, float | str | None]
    assumptions: tuple[Assumption, ...]
    note: str = ""


class Rule(Protocol):
    """Evaluates a bound; names what it uses and ignores the rest."""

    def __call__(
        self,
        network: Network,
        norms: Norms,
        evidence: Evidence | None,
        held_out: Evidence | None,
        delta: float,
        gamma: float | None,
        input_norm: float,
    ) -> Outcome:
        """Return the outcome; raise ``Missing`` for an absent input, or ``Violated``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """One theorem about the error probability of a network.

    Attributes:
        id: The name in reports.
        title: In a few words.
        statement: The theorem, one paragraph, every constant in it.
        assumptions: What the program checks.
        premises: What no program can check.
        citation: Author, year and the number of the theorem.
        corrections: Where our constant differs from print, and why; or "".
        rule: Evaluates it.
    """

    id: str
    title: str
    statement: str
    assumptions: tuple[str, ...]
    premises: tuple[str, ...]
    citation: str
    corrections: str
    rule: Rule


def _status(assumptions: tuple[Assumption, ...]) -> Status:
    states = {a.holds for a in assumptions}
    if False in states:
        return "invalid"
    return "assumed" if None in states else "valid"


def _power_of_ten(log10: float | None) -> float | None:
    if log10 is None or log10 > 308:
        return None
    return math.pow(10.0, log10)


def _certificate(bound: Bound, outcome: Outcome, delta: float) -> Certificate:
    status = _status(outcome.assumptions)
    broken = status == "invalid" or outcome.log10 is None
    log10 = None if broken or outcome.log10 == -math.inf else outcome.log10
    return Certificate(
        bound.id,
        "invalid" if broken else status,
        None if broken else _power_of_ten(outcome.log10),
        log10,
        delta,
        MappingProxyType(dict(outcome.terms)),
        outcome.assumptions,
        bound.citation,
        outcome.note,
    )


def evaluate(
    bound: Bound,
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Certificate:
    """Evaluate one bound on one network.

    Args:
        bound: Which.
        network: Layers, wired if the architecture is known.
        norms: Of its weights.
        evidence: What the training sample tells, or None without ``n``.
        held_out: What a sample that training has not seen tells, or None.
        delta: Probability that the statement fails, in (0, 1).
        gamma: A margin fixed in advance, or None to choose the best.
        input_norm: Norm that every input is taken to stay below, without data.
    """
    try:
        outcome = bound.rule(
            network, norms, evidence, held_out, delta, gamma, input_norm
        )
    except Missing as missing:
        status: Status = "unavailable"
        if any(a.holds is False for a in missing.assumptions):
            status = "invalid"
        return Certificate(
            bound.id,
            status,
            None,
            None,
            delta,
            MappingProxyType(dict(missing.terms)),
            missing.assumptions,
            bound.citation,
            str(missing),
        )
    except Violated as violated:
        outcome = Outcome(None, {}, violated.assumptions, violated.note)
    return _certificate(bound, outcome, delta)
