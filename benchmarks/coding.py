"""Certificates by code length on Fashion-MNIST: bounds, bits, and CPU seconds.

    python examples/certificates/train.py --out nets --only cnn_small mlp_binary
    python benchmarks/coding.py --nets nets [--only NAME...] [--budget 1e6]

One thread. By default the search runs to its end, so that the result does not depend on
how busy the machine is; the time is CPU time of the whole call.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from machine import description, settle

if __name__ == "__main__":
    settle()

import boundkit

NETS = Path(__file__).parents[1] / "examples" / "certificates" / "nets.py"


@dataclass(frozen=True)
class Case:
    """One net: its sample and the bound that is asked of it, None for no target."""

    task: str
    target: float | None


CASES = {
    "cnn_small": Case("all", 0.40),
    "mlp_binary": Case("halves", 0.25),
    "cnn_binary": Case("3v8", None),
    "mlp": Case("all", None),
}
DEFAULT = ("cnn_small", "mlp_binary")


def measured(name: str, nets: Path, budget: float) -> str:
    """Return one row of the table."""
    case = CASES[name]
    begun = process_time()
    found = boundkit.code(
        nets / f"{name}.pt",
        model=f"{NETS}:{name}",
        data=nets / f"{case.task}.npz",
        test_data=nets / f"{case.task}.test.npz",
        init=nets / f"{name}.init.pt",
        budget=budget,
        device="cpu",
    ).certificate
    spent = process_time() - begun
    own, beside = found.own, found.reference
    ranks = {tensor["rank"] for tensor in own["code"]["tensors"]} - {0}
    verdict = "-"
    if case.target is not None:
        verdict = "met" if found.bound <= case.target else "MISSED"
    return (
        f"| {name} | {case.target or '-'} | {found.bound:.4f} | {found.error:.4f} |"
        f" {own['bits']:.0f} | {own['prior']['center']} | {max(ranks, default='-')} |"
        f" {beside['certified_test_error']:.4f} | {beside['test_error']:.4f} |"
        f" {beside['holdout_bound']:.4f} | {found.chance_error:.2f} | {own['tries']} |"
        f" {spent:.0f} s | {verdict} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(DEFAULT))
    parser.add_argument("--budget", type=float, default=1e6)
    wanted = parser.parse_args()
    print(description())
    print(
        "| net | target | bound | training error of the code | bits | center | rank |"
        " test error of the code | of the net | hold-out bound | chance | tries | CPU | |"
    )
    print("|" + "---|" * 14)
    for name in wanted.only:
        print(measured(name, wanted.nets, wanted.budget), flush=True)


if __name__ == "__main__":
    main()
