"""Pages of every kind with names that try to be markup, for tests in a browser."""

from __future__ import annotations

import numpy as np
import pandas as pd

import boundkit
from boundkit.posthoc.certificate import CertificateFile
from boundkit.posthoc.formats import html as certificate_page
from boundkit.regression.html import render as regression_page
from boundkit.regression.ranking_html import render as ranking_page
from boundkit.report.comparison_html import render as comparison_page
from boundkit.report.html import render as report_page
from boundkit.tracing.html import render as trace_page
from boundkit.tracing.model import Trace
from boundkit.tracing.order import Order
from boundkit.tracing.phase import terminal_phase
from boundkit.tracing.points import FAILED, TRACED, Point
from boundkit.types import Notice
from tests.report.comparisons import covered
from tests.report.reports import layer, report, row

HOSTILE = "</script><img src=http://127.0.0.1:1/x onerror=alert(2)><b onclick=alert(3)>"


def net():
    """Return the page of a report whose layers have such a name."""
    rows = tuple(
        layer(f"{HOSTILE} blocks.{k}", "linear", (8, 8), 2.0 + k, 0.3 + k / 10)
        for k in range(12)
    )
    made = report(
        layers=rows,
        ledger=tuple(row(one.name, (8, 8)) for one in rows),
        warnings=(Notice("odd", HOSTILE, HOSTILE),),
        margins={"histogram": {"edges": [-1.0, 0.0, 1.0], "counts": [1, 9]}},
    )
    return report_page(made)


def made_trace(layers=3, places=(0, 1, 2, 4, 8, 16, 32, 64)):
    """Return a run with margins, collapse, ranks and bounds, and one failure."""

    def point(at):
        error = max(0.0, 0.5 - at / 32)
        return Point(
            f"{HOSTILE}.{at}.pt",
            TRACED,
            at=float(at),
            row={
                "rho": 2.0 + at,
                "margins.train_error": error,
                "margins.test.train_error": error + 0.1,
                "margins.median": 0.1 * at,
                "margins.min": -0.1,
                "margins.max": 0.2 * at + 0.1,
                "collapse.nc1_pinv": 10.0 / (1 + at) ** 2,
                "bound.sparse_cnn": 3.0 + at,
            },
            layers=tuple(
                {"name": f"{HOSTILE} {k}", "rho": 1.0 + k + at, "stable_rank": 2.0}
                for k in range(layers)
            ),
            conventions={HOSTILE: HOSTILE},
        )

    points = tuple(point(at) for at in places)
    failed = Point("broken.pt", FAILED, reason=HOSTILE)
    return Trace(
        boundkit="0.1.0",
        run=HOSTILE,
        points=(*points, failed),
        order=Order("epoch", HOSTILE),
        conventions={HOSTILE: HOSTILE},
        terminal=terminal_phase(points),
        flow=None,
        no_flow="",
        notices=(HOSTILE,),
    )


def frame(rows=24):
    """Return a table of nets with two groups and levels that repeat."""
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, rows)
    return pd.DataFrame({
        "inverse_rho": x,
        "test_error": 1 - x / 3 + 0.05 * rng.normal(size=rows),
        "decay": [f"{HOSTILE}{k % 2}" for k in range(rows)],
        "noise": [k % 6 for k in range(rows)],
        "path": [f"{HOSTILE}{k}" for k in range(rows)],
        f"measure.{HOSTILE}": rng.normal(size=rows),
    })


def regression(**options):
    """Return the regression of that table."""
    return boundkit.regress(frame(), resamples=200, **options)


def certificate():
    """Return the page of a certificate."""
    return certificate_page(
        CertificateFile(
            kind="holdout",
            certifies=HOSTILE,
            bound=0.1,
            delta=0.05,
            n=100,
            errors=3,
            classes=3,
            chance_error=0.6,
            complexity_nats=0.0,
            model=HOSTILE,
            sha256_in=None,
            sha256_out=None,
            data_sha256="b" * 64,
            premises=(HOSTILE,),
            own={"selections": 1},
        )
    )


PAGES = {
    "certificate": certificate,
    "report": net,
    "trace": lambda: trace_page(made_trace()),
    "trace-of-many-layers": lambda: trace_page(made_trace(30)),
    "regression": lambda: regression_page(regression()),
    "groups": lambda: regression_page(regression(group="decay", by=("noise", "decay"))),
    "ranking": lambda: ranking_page(
        boundkit.rank_measures(frame(), hyperparameters=("decay", "noise"))
    ),
    "comparison": lambda: comparison_page(covered()),
}
