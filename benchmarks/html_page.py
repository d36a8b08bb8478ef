"""The HTML report of a 500-layer net: size, rendering, seconds to interactive in Chromium.

python benchmarks/html_page.py [--screenshots DIR]

Needs chromium and chromedriver on the path (Debian: chromium, chromium-driver). What the
page must do there is tested: python -m pytest -m browser.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from math import log10
from pathlib import Path

from chromium import browser, missing

import boundkit
from boundkit.report.html import render
from boundkit.report.model import Certificates, LayerRow, Provenance, Report, Rho
from boundkit.types import LedgerRow, Notice

HOSTILE = "<script>alert(1)</script><img src=http://127.0.0.1:1/x onerror=alert(2)>"


def large_report(layers=500, points=120):
    rows = tuple(
        LayerRow(
            f"encoder.blocks.{k}.attention.projection.weight" if k else HOSTILE,
            "linear",
            (1024, 1024),
            2**20,
            30.0 + k,
            log10(30.0 + k),
            counted=True,
            columns={"spectral_norm": 3.0 + k, "stable_rank": 20.0, "alpha": 3.0},
            spectrum=tuple((p, 10.0 / p**0.5) for p in range(1, points + 1)),
        )
        for k in range(layers)
    )
    ledger = tuple(
        LedgerRow(f"{row.name}{tail}", shape, "float32", status, row.name, "r", True)
        for row in rows
        for tail, shape, status in (
            ("", (1024, 1024), "counted"),
            (".bias", (1024,), "skipped"),
            (".scale", (1024,), "skipped"),
        )
    )
    return Report(
        boundkit=boundkit.__version__,
        checkpoint=Provenance("large.pt", "torch zip", (), "0" * 64, 1, 1500, 2**29),
        conventions={"n": 50_000, "delta": 0.05},
        ledger=ledger,
        coverage=0.99,
        layers=rows,
        rho_stored=Rho(sum(log10(30.0 + k) for k in range(layers)), None),
        rho_folded=None,
        measurements=(),
        certificates=Certificates(()),
        margins={"histogram": {"edges": [-1.0, 0.0, 1.0], "counts": [1, 9]}},
        collapse=None,
        noise=None,
        warnings=(Notice("odd", HOSTILE),),
        seconds={"total": 1.0},
    )


LOADED = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def seconds_to_interactive(page, screenshots):
    """Return the median of five loads; take two pictures."""
    with browser() as window:
        seconds = []
        for _ in range(5):
            window.open(page)
            seconds.append(window.script(LOADED) / 1000)
        for width, height in ((1280, 1600), (390, 1600)) if screenshots else ():
            window.resize(width, height)
            window.open(page)
            window.screenshot(screenshots / f"report-{width}.png")
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, help="folder for two pictures")
    screenshots = parser.parse_args().screenshots
    if missing():
        sys.exit(
            f"not on the path: {', '.join(missing())} (apt install chromium-driver)"
        )
    report = large_report()
    render(report)  # The template is compiled once.
    times = []
    for _ in range(5):
        start = time.process_time()
        written = render(report)
        times.append(time.process_time() - start)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(written, encoding="utf-8")
        interactive = seconds_to_interactive(page, screenshots)
    print(f"layers             {len(report.layers)}")
    print(f"size               {len(written.encode()) / 1e6:.2f} MB")
    print(f"rendering          {statistics.median(times):.3f} s of CPU")
    print(f"to interactive     {interactive:.2f} s")


if __name__ == "__main__":
    main()
