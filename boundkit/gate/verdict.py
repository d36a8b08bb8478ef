"""What a policy says of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from boundkit.report.painting import Console, Painted

__all__ = ["Finding", "Verdict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked for.

    Attributes:
        rule: What it is about, such as ``"certificates.sparse_cnn"``.
        asked: What was asked, such as ``"at most 0.2"``.
        found: What the report has, such as ``"0.263"``.
        passed: Whether that will do.
        why: What a reader should know, or "".
        line: Of the policy, or None.
    """

    rule: str
    asked: str
    found: str
    passed: bool
    why: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """Every finding, in the order of the policy.

    Attributes:
        policy: The file.
        subject: The checkpoint that the report is about.
        baseline: The checkpoint of the baseline, or None.
        findings: One per limit and row.
    """

    policy: str
    subject: str
    baseline: str | None
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether everything passed."""
        return all(one.passed for one in self.findings)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What did not pass."""
        return tuple(one for one in self.findings if not one.passed)

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.gate.rendering import text

        return text(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as text, painted, for rich's consoles."""
        from boundkit.gate.rendering import lines
        from boundkit.report.painting import painted

        return painted(lines(self, options.max_width), console)

    def frame(self) -> pd.DataFrame:
        """Return one row per finding."""
        import pandas as pd

        names = ("rule", "asked", "found", "passed", "why", "line")
        return pd.DataFrame(
            [{name: getattr(one, name) for name in names} for one in self.findings],
            columns=list(names),
        )
