"""What a policy may ask for, and the limits it sets."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "RELATIVE",
    "CertificateRule",
    "LayerRule",
    "Limit",
    "Policy",
    "ValueRule",
    "WarningRule",
]

#: Limits that mean something only beside a baseline.
RELATIVE = ("max_increase", "max_decrease", "max_ratio")


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds on one number; None sets none.

    Attributes:
        min: Smallest value allowed.
        max: Largest value allowed.
        max_increase: Largest value less the baseline's.
        max_decrease: Largest value of the baseline's less this one's.
        max_ratio: Largest quotient of the value and the baseline's.
        optional: Whether a value that is not in the report passes.
    """

    min: float | None = None
    max: float | None = None
    max_increase: float | None = None
    max_decrease: float | None = None
    max_ratio: float | None = None
    optional: bool = False

    @property
    def relative(self) -> tuple[str, ...]:
        """The limits that need a baseline."""
        return tuple(name for name in RELATIVE if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class ValueRule:
    """A limit on the number at a path of the report, such as ``rho.stored.log10``."""

    path: str
    limit: Limit
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """What is asked of one bound, or of the best valid one for ``bound == "best"``."""

    bound: str
    status: tuple[str, ...]
    limit: Limit
    line: int | None = None


@dataclass(frozen=True, slots=True)
class LayerRule:
    """A limit on one column of every layer whose name fits a pattern."""

    pattern: str
    column: str
    limit: Limit
    line: int | None = None


@dataclass(frozen=True, slots=True)
class WarningRule:
    """Codes of warnings that may not occur, as patterns, and those that may."""

    forbid: tuple[str, ...]
    allow: tuple[str, ...]
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that one policy file asks for, in its order.

    Attributes:
        source: The file, or what else it was read from.
        rules: In the order in which they are checked.
    """

    source: str
    rules: tuple[ValueRule | CertificateRule | LayerRule | WarningRule, ...]

    @property
    def relative(self) -> tuple[tuple[int | None, str], ...]:
        """Line and key of every limit that needs a baseline."""
        return tuple(
            (rule.line, key)
            for rule in self.rules
            if not isinstance(rule, WarningRule)
            for key in rule.limit.relative
        )
