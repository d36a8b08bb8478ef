"""CPU seconds from the prompt to the first line: help, and a small checkpoint.

Targets: ``boundkit --help`` at most 0.25 s, ``analyze --only norms`` of a small zip or
safetensors file at most 0.5 s, and neither imports torch, pandas, scipy, statsmodels or
matplotlib.

    python benchmarks/startup.py
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import REPEATS, child, description, settle

_CONTAINERS = Path(__file__).parents[1] / "fixtures" / "containers"
_HEAVY = ("torch", "pandas", "scipy", "statsmodels", "matplotlib", "numpy", "pydantic")
_WHICH = f"""
import sys
from boundkit_cli.app import run
code = run(sys.argv[1:])
print("\\nLOADED", code, *(m for m in {_HEAVY} if m in sys.modules))
"""
_ANALYZE = ("analyze", "--only", "norms")
_CASES = (
    ("--help", ("--help",), 0.25),
    ("analyze --help", ("analyze", "--help"), 0.25),
    ("analyze, zip", (*_ANALYZE, str(_CONTAINERS / "zip_bare.pt")), 0.5),
    ("analyze, safetensors", (*_ANALYZE, str(_CONTAINERS / "single.safetensors")), 0.5),
)


def _median(arguments: list[str]) -> float:
    child(arguments)
    return statistics.median(child(arguments)[0] for _ in range(REPEATS))


def _loaded(arguments: tuple[str, ...]) -> str:
    _, out = child(["-c", _WHICH, *arguments])
    _, _, tail = out.rpartition("LOADED ")
    code, *modules = tail.split()
    assert code == "0", out
    return ", ".join(modules) or "-"


def main() -> None:
    """Measure and print."""
    print(description())
    bare = _median(["-c", "pass"])
    numpy = _median(["-c", "import numpy"])
    print(f"\n{'case':24}{'CPU s':>8}{'target':>8}{'ratio':>8}  imported")
    print(f"{'python -c pass':24}{bare:8.3f}{'':8}{1.0:8.1f}")
    print(f"{'python -c import numpy':24}{numpy:8.3f}{'':8}{numpy / bare:8.1f}")
    for name, arguments, target in _CASES:
        seconds = _median(["-m", "boundkit_cli", *arguments])
        verdict = "" if seconds <= target else "  MISSED"
        print(
            f"{name:24}{seconds:8.3f}{target:8.2f}{seconds / bare:8.1f}"
            f"  {_loaded(arguments)}{verdict}"
        )


if __name__ == "__main__":
    settle()
    with TemporaryDirectory() as cache:
        # Compiled modules go here, as they would go beside an installed package.
        os.environ["PYTHONPYCACHEPREFIX"] = cache
        main()
