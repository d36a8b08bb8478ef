"""The HTML report of a 500-layer net: size, rendering, and a headless Chromium on it.

python benchmarks/html_page.py [--screenshots DIR]

Needs chromium and chromedriver on the path (Debian: chromium, chromium-driver). Exits 1 if
the page asks the network for anything, writes to the console, or does not sort and filter.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from math import log10
from pathlib import Path

import boundkit
from boundkit.report.html import render
from boundkit.report.model import Certificates, LayerRow, Provenance, Report, Rho
from boundkit.types import LedgerRow, Notice

PORT = 9715
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


@contextmanager
def browser():
    """Yield a function that sends one WebDriver command to a headless Chromium."""
    driver = subprocess.Popen(
        ["chromedriver", f"--port={PORT}"], stdout=subprocess.DEVNULL
    )

    def call(method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    try:
        for _ in range(100):
            try:
                call("GET", "/status")
                break
            except OSError:
                time.sleep(0.1)
        options = {
            "goog:chromeOptions": {
                "args": ["--headless", "--no-sandbox", "--disable-gpu"],
                "perfLoggingPrefs": {"enableNetwork": True},
            },
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = call("POST", "/session", {"capabilities": {"alwaysMatch": options}})[
            "sessionId"
        ]
        yield lambda method, path, body=None: call(
            method, f"/session/{session}{path}", body
        )
        call("DELETE", f"/session/{session}")
    finally:
        driver.terminate()
        driver.wait()


LOADED = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SORT = """
const head = [...document.querySelectorAll('#layer-table th')][3].querySelector('button');
head.click();
return [...document.querySelectorAll('#layer-table tbody tr')][0].cells[0].textContent;
"""
FILTER = """
const input = document.querySelector('[data-filters=ledger-table]');
input.value = 'BLOCKS.7. skipped';
input.dispatchEvent(new Event('input'));
return [...document.querySelectorAll('#ledger-table tbody tr')].filter(r => !r.hidden).length;
"""


def looked_at(page, screenshots):
    """Return seconds to interactive, and what is wrong with the page."""
    wrong = []
    with browser() as send:

        def script(code):
            return send("POST", "/execute/sync", {"script": code, "args": []})

        seconds = []
        for _ in range(5):
            send("POST", "/url", {"url": page.as_uri()})
            seconds.append(script(LOADED) / 1000)
        seen = {
            "sorted": (script(SORT), script(SORT)),  # largest first, then smallest
            "filtered": script(FILTER),
            "charts": script("return document.querySelectorAll('.uplot').length"),
        }
        meant = {"sorted": ("500", "1"), "filtered": 2, "charts": 3}
        wrong += [(key, seen[key]) for key in meant if seen[key] != meant[key]]
        console = send("POST", "/se/log", {"type": "browser"})
        wrong += [("console", one["message"]) for one in console]
        for entry in send("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                wrong += [("request", url)] * (not url.startswith(("file:", "data:")))
        for width, height in ((1280, 1600), (390, 1600)) if screenshots else ():
            send("POST", "/window/rect", {"width": width, "height": height})
            taken = base64.b64decode(send("GET", "/screenshot"))
            (screenshots / f"report-{width}.png").write_bytes(taken)
    return statistics.median(seconds), wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, help="folder for two pictures")
    screenshots = parser.parse_args().screenshots
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
        interactive, wrong = looked_at(page, screenshots)
    print(f"layers             {len(report.layers)}")
    print(f"size               {len(written.encode()) / 1e6:.2f} MB")
    print(f"rendering          {statistics.median(times):.3f} s of CPU")
    print(f"to interactive     {interactive:.2f} s")
    for what in wrong:
        print("WRONG", *what)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
