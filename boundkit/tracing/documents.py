"""A trace as strict JSON, ``boundkit.trace/1``, and as CSV."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from boundkit.report import json as report_json
from boundkit.tracing.counters import whole
from boundkit.tracing.model import TRACE_SCHEMA

if TYPE_CHECKING:
    from boundkit.tracing.dynamics import Flow
    from boundkit.tracing.model import Trace

__all__ = ["document", "render", "schema", "table"]


def document(trace: Trace) -> dict[str, Any]:
    """Return the trace as dicts, lists, strings, numbers, booleans and None.

    Args:
        trace: What to write down; a number that is not finite becomes None, and a warning
            says so.
    """
    return report_json.checked({
        "schema": TRACE_SCHEMA,
        "boundkit": trace.boundkit,
        "run": trace.run,
        "order": asdict(trace.order),
        "conventions": dict(trace.conventions),
        "terminal_phase": None if trace.terminal is None else asdict(trace.terminal),
        "signal_to_noise": _flow(trace.flow, trace.no_flow),
        "checkpoints": [
            {
                "at": whole(one.at),
                "path": one.path,
                "status": one.status,
                "reason": one.reason,
                "columns": {
                    name: value
                    for name, value in one.columns.items()
                    if value is not None
                },
                "layers": [dict(layer) for layer in one.layers] if one.sound else [],
            }
            for one in trace.points
        ],
        "signal_values": trace.signal_rows(),
        "warnings": [
            {"code": "trace", "message": line, "tensor": None} for line in trace.notices
        ],
    })


def _flow(flow: Flow | None, reason: str) -> dict[str, Any]:
    if flow is None:
        return {"reason": reason, "fit": None}
    c1, c2, c3 = flow.constants
    return {
        "reason": None,
        "fit": {
            "c1": c1,
            "c2": c2,
            "c3": c3,
            "places": flow.places.tolist(),
            "ranks": flow.ranks.tolist(),
            "rate": flow.rate,
            "offsets": flow.offsets.tolist(),
            "times": flow.times.tolist(),
            "residual_by_place": flow.residual_by_place,
            "residual_free": flow.residual_free,
            "r2_by_place": flow.r2_by_place,
            "r2_free": flow.r2_free,
            "terminal_phase_only": flow.terminal,
            "source": "Han, Papyan, Donoho (2022), Proposition 2, eq. (9); constants "
            "derived: c1 = N C^2, c2 = N C, c3 = N / 4",
        },
    }


def render(trace: Trace) -> str:
    """Return the trace as one JSON document, one table row a line.

    Args:
        trace: What to write down.
    """
    return report_json.written(document(trace))


def table(trace: Trace) -> str:
    """Return the checkpoints as CSV, one line each.

    Args:
        trace: What to write down.
    """
    text: str = trace.frame().to_csv(index=False, lineterminator="\n")
    return text


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    path = files("boundkit.tracing").joinpath("trace.schema.json")
    own: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return own
