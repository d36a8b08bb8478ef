"""Certificates of the headline nets beside every other bound of the catalog.

Reads what ``python examples/headline/train.py --net all --out DIR`` left in DIR, certifies
each net from its weights and its training sample, and prints one table; DIR/headline.md
and DIR/headline.json hold it too. Ends with 1 if a net misses its target::

    python benchmarks/headline.py --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import description, settle

import boundkit
from boundkit.lab.headline.plans import ARCHITECTURES, DELTA, RUNS
from boundkit.lab.headline.trained import certified

if TYPE_CHECKING:
    from boundkit import Certificate, Report
    from boundkit.lab.headline.plans import Plan

__all__ = ["main", "markdown", "row"]

LEAD = "sparse_cnn"
SUMMANDS = ("margin_loss", "complexity", "confidence")
MAX_TEST_ERROR = 0.02  # of two classes; ten classes are held to the certificate only


def _beside(found: Certificate, lead: float | None) -> dict[str, Any]:
    ratio = None if found.value is None or lead is None else found.value / lead
    return {"status": found.status, "value": found.value, "ratio": ratio}


def _term(found: Certificate, name: str) -> float | None:
    value = found.terms.get(name)
    return None if value is None else float(value)


def row(run: Plan, report: Report) -> dict[str, Any]:
    """Return what the table says about one net.

    Args:
        run: How it was trained, and its target.
        report: What boundkit says of it.
    """
    lead = report.certificates[LEAD]
    n = report.conventions["n"]
    log10_rho = _term(lead, "rho_log10")
    test_error = _term(report.certificates["holdout"], "test_error")
    met = run.target is None or (
        lead.status == "valid" and lead.value is not None and lead.value <= run.target
    )
    if run.task != "all":
        met = met and test_error is not None and test_error <= MAX_TEST_ERROR
    broken = [a.detail for a in lead.assumptions if a.holds is False]
    return {
        "net": run.name,
        "task": run.task,
        "architecture": run.architecture,
        "n": n,
        "parameters": report.checkpoint.parameters,
        "parameters_over_n": report.checkpoint.parameters / n,
        "rho": None if log10_rho is None else 10**log10_rho,
        "train_error": report.margins["train_error"] if report.margins else None,
        "test_error": test_error,
        "status": lead.status,
        "value": lead.value,
        "reason": "; ".join(broken) or lead.note,
        **{name: _term(lead, name) for name in (*SUMMANDS, "gamma")},
        "delta": lead.delta,
        "target": run.target,
        "met": met,
        "beside": {
            name: _beside(other, lead.value)
            for name, other in report.certificates.items()
            if name != LEAD
        },
    }


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _lead_cells(of: dict[str, Any]) -> list[str]:
    if of["value"] is None:
        return [of["status"], of["reason"]]
    parts = " + ".join(_number(of[name]) for name in SUMMANDS)
    doubt = "" if of["status"] == "valid" else f" ({of['status']})"
    return [f"**{of['value']:.3f}**{doubt}", parts]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _other_cell(other: dict[str, Any]) -> str:
    if other["value"] is None:
        return str(other["status"])
    doubt = "" if other["status"] == "valid" else f" {other['status']}"
    ratio = "" if other["ratio"] is None else f" ({_short(other['ratio'])}x)"
    return f"{_short(other['value'])}{doubt}{ratio}"


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table, one net per line, every other bound with its ratio to ours."""
    names = list(rows[0]["beside"])
    head = (
        ["net", "params / n", "rho", "train error", "test error", "target", LEAD]
        + ["margin loss + complexity + confidence"]
        + [f"{name} (times {LEAD})" for name in names]
    )
    lines = [head, ["---"] * len(head)]
    for of in rows:
        target = "-" if of["target"] is None else f"{of['target']:g}"
        lines.append(
            [of["net"], f"{of['parameters_over_n']:.2g}", _number(of["rho"], 2)]
            + [_number(of["train_error"], 4), _number(of["test_error"], 4)]
            + [target if of["met"] else f"{target} MISSED", *_lead_cells(of)]
            + [_other_cell(of["beside"][name]) for name in names]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _written(out: Path, rows: list[dict[str, Any]]) -> str:
    share = f"{DELTA:g} / {len(ARCHITECTURES)} architectures tried"
    text = (
        f"{markdown(rows)}\n\nEach number holds with probability 1 - {share}.\n"
        f"boundkit {boundkit.__version__}; {description()}\n"
        "Repeat: python examples/headline/train.py --net all --out DIR; "
        "python benchmarks/headline.py --out DIR\n"
    )
    out.joinpath("headline.md").write_text(text, encoding="utf-8")
    content = {"delta": DELTA, "architectures": ARCHITECTURES, "nets": rows}
    out.joinpath("headline.json").write_text(
        json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    return text


def main() -> None:
    """Certify every trained net and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("headline-out"), metavar="DIR")
    out = parser.parse_args().out
    trained = [run for run in RUNS if (out / f"{run.name}.pt").is_file()]
    if not trained:
        raise SystemExit(
            f"{out}: no trained nets there; run "
            f"python examples/headline/train.py --net all --out {out}"
        )
    rows = []
    for run in trained:
        print(f"certifying {run.name}", file=sys.stderr)
        rows.append(row(run, certified(run, out)))
    print(_written(out, rows))
    if not all(of["met"] for of in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    settle()
    main()
