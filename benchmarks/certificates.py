"""Certificates of ordinary networks on Fashion-MNIST: bounds, and the CPU seconds of each.

    python examples/certificates/train.py --out nets
    python benchmarks/certificates.py --nets nets [--only NAME...] [--seconds 112]

One thread. The search reads the clock of the process instead of the clock on the wall, so
that what else runs on the machine does not shorten it: ``--seconds`` is its budget in CPU
seconds, and the table has the CPU seconds of the whole call.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from types import SimpleNamespace

from machine import description, settle

if __name__ == "__main__":
    settle()

import boundkit
from boundkit.posthoc import drawing, refinement, search

NETS = Path(__file__).parents[1] / "examples" / "certificates" / "nets.py"


@dataclass(frozen=True)
class Case:
    """One net: its sample, and the bound that is asked of ``draw``."""

    task: str
    target: float
    init: bool = True


CASES = {
    "cnn_small": Case("all", 0.28),
    "mlp": Case("all", 0.34),
    "cnn": Case("all", 0.33),
    "residual": Case("all", 0.50),
    "mlp_binary": Case("halves", 0.15),
    "cnn_binary": Case("3v8", 0.08),
    "plain_cnn": Case("3v8-1000", 0.18, init=False),
}


def norm_bounds(name: str, nets: Path) -> str:
    """Return the smallest bound from norms that holds of the same net, or why none does."""
    report = boundkit.analyze(
        nets / f"{name}.pt",
        model=f"{NETS}:{name}",
        data=nets / f"{CASES[name].task}.npz",
        only=["bounds"],
        device="cpu",
        batch_size=1000,
    )
    rows = [one for one in report.certificates.values() if one.bound != "holdout"]
    valid = [one for one in rows if one.status == "valid"]
    if not valid:
        return "/".join(sorted({one.status for one in rows}))
    best = min(valid, key=lambda one: one.log10)
    shown = f"{best.value:.3g}" if best.value is not None else f"1e{best.log10:.0f}"
    return f"{best.bound} {shown}{', vacuous' if best.vacuous else ''}"


def measured(name: str, nets: Path, seconds: float) -> str:
    """Return one row of the table: bound, parts, seconds, and what stands beside it."""
    case = CASES[name]
    for module in (drawing, search, refinement):
        module.time = SimpleNamespace(perf_counter=process_time)
    begun = process_time()
    made = boundkit.draw(
        nets / f"{name}.pt",
        model=f"{NETS}:{name}",
        data=nets / f"{case.task}.npz",
        test_data=nets / f"{case.task.removesuffix('-1000')}.test.npz"
        if case.task != "3v8-1000"
        else None,
        init=nets / f"{name}.init.pt" if case.init else None,
        budget=seconds,
        device="cpu",
    )
    spent = process_time() - begun
    found = made.certificate
    beside = found.reference
    shown = [
        "-" if beside[key] is None else f"{beside[key]:.4f}"
        for key in ("certified_test_error", "test_error", "holdout_bound")
    ]
    verdict = "met" if found.bound <= case.target else "MISSED"
    return (
        f"| {name} | {case.target} | {found.bound:.4f} | {found.error:.4f} |"
        f" {found.complexity_nats:.0f} | {' | '.join(shown)} |"
        f" {found.chance_error:.2f} | {norm_bounds(name, nets)} |"
        f" {found.own['posterior']['steps']} |"
        f" {spent:.0f} s | {verdict} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seconds", type=float, default=112)
    wanted = parser.parse_args()
    print(description())
    print(
        "| net | target | bound | training error of the draw | nats | test error of the"
        " draw | of the net | hold-out bound | chance | norm bounds | steps | CPU | |"
    )
    print("|" + "---|" * 13)
    for name in wanted.only:
        print(measured(name, wanted.nets, wanted.seconds), flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
