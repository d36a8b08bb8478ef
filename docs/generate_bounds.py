"""Writes the last section of each page in docs/bounds: what the program says of it.

python docs/generate_bounds.py [--check]

The nets are those of fixtures/checkpoints; it takes about 15 CPU seconds.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boundkit

if TYPE_CHECKING:
    from boundkit import Bound, Certificate, Report

__all__ = ["main", "section"]

_ROOT = Path(__file__).parents[1]
_PAGES = _ROOT / "docs" / "bounds"
_BEGIN = (
    "<!-- Written by docs/generate_bounds.py; edit the bound in boundkit/certify. -->"
)


@dataclass(frozen=True, slots=True)
class _Net:
    name: str
    about: str
    test: str
    train: str | None = None
    n: int | None = None


_NETS = (
    _Net(
        "two_class",
        "one convolution of 256 filters and a head, two classes",
        "pair_test.npz",
        train="pair_train.npz",
    ),
    _Net(
        "two_class_small",
        "one convolution of 8 filters and two dense layers, two classes",
        "pair_test.npz",
        train="pair_train.npz",
    ),
    _Net(
        "mlp",
        "784-100-10 with biases, ten classes; its training data do not ship",
        "ten_test.npz",
        n=59_800,
    ),
    _Net(
        "residual",
        "residual net with BatchNorm, ten classes; its training data do not ship",
        "ten_test.npz",
        n=59_800,
    ),
)


def _report(net: _Net) -> Report:
    data = "fixtures/data"
    return boundkit.analyze(
        f"fixtures/checkpoints/{net.name}.pt",
        model=f"fixtures/nets.py:{net.name}",
        data=f"{data}/{net.train}" if net.train else None,
        test_data=f"{data}/{net.test}",
        n=net.n,
        only=("bounds",),
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _value(found: Certificate) -> str:
    if found.log10 is None:
        return "-" if found.value is None else f"{found.value:.3g}"
    if found.value is None:
        return f"10^{found.log10:.0f}"
    return f"{found.value:.3g}"


def _reason(found: Certificate) -> str:
    broken = [a for a in found.assumptions if a.holds is False]
    if broken:
        return f"{broken[0].name}: {broken[0].detail}"
    if found.status == "unavailable":
        return found.note
    opened = [a.name for a in found.assumptions if a.holds is None]
    said = ["vacuous"] if found.vacuous else []
    said += [f"not checked: {', '.join(opened)}"] if opened else []
    return "; ".join(said)


def section(bound: Bound, reports: dict[str, Report]) -> str:
    """Return what the program says of a bound, as Markdown.

    Args:
        bound: Which.
        reports: Of the bundled nets, by name.
    """
    rows = [
        f"| `{net.name}` | {found.status} | {_value(found)} | {_cell(_reason(found))} |"
        for net in _NETS
        for found in (reports[net.name].certificates[bound.id],)
    ]
    return "\n".join((
        _BEGIN,
        "",
        "## In the program",
        "",
        f"**Source.** {bound.citation}.",
        "",
        "**Checked on every net**",
        "",
        *(f"* {one}" for one in bound.assumptions),
        "",
        "**Premises, which no program can check**",
        "",
        *(f"* {one}" for one in bound.premises),
        "",
        f"**On the bundled nets** (`boundkit explain {bound.id}` has the theorem in words)",
        "",
        "| net | status | value | why |",
        "|---|---|---|---|",
        *rows,
        "",
    ))


def _legend() -> str:
    lines = [f"* `{net.name}`: {net.about}" for net in _NETS]
    return "\n".join((_BEGIN, "", "## The bundled nets", "", *lines, ""))


def _pages() -> dict[Path, str]:
    os.chdir(_ROOT)
    reports = {net.name: _report(net) for net in _NETS}
    ends = {bound.id: section(bound, reports) for bound in boundkit.BOUNDS}
    found = {}
    for name, end in (ends | {"index": _legend()}).items():
        path = _PAGES / f"{name}.md"
        written = path.read_text(encoding="utf-8").partition(_BEGIN)[0].rstrip()
        found[path] = f"{written}\n\n{end}"
    return found


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` return 1 if one is out of date."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"usage: {__doc__}")
        return 2
    stale = []
    for path, text in _pages().items():
        if path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not arguments:
            path.write_text(text, encoding="utf-8")
    if arguments and stale:
        sys.stderr.write(
            f"out of date in docs/bounds: {', '.join(stale)}: run python "
            "docs/generate_bounds.py\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
