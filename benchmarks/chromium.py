"""A headless Chromium over the WebDriver protocol, with nothing but the standard library.

Needs chromium and chromedriver on the path (Debian: chromium, chromium-driver).
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager

PATIENCE_S = 120


def missing():
    """Return the programs that are not on the path."""
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Browser:
    """One window; remembers what pages wrote to the console and asked the network for."""

    def __init__(self, port, session):
        self._place = f"http://127.0.0.1:{port}/session/{session}"

    def send(self, method, path, body=None):
        return _call(method, f"{self._place}{path}", body)

    def open(self, page, dark=False):
        """Show a file, forgetting what was logged before."""
        self._cdp(
            "Emulation.setEmulatedMedia",
            {
                "features": [
                    {
                        "name": "prefers-color-scheme",
                        "value": "dark" if dark else "light",
                    }
                ]
            },
        )
        self.console()
        self.requests()
        self.send("POST", "/url", {"url": page.as_uri()})

    def script(self, code, *arguments):
        """Run JavaScript in the page; what it returns."""
        body = {"script": code, "args": list(arguments)}
        return self.send("POST", "/execute/sync", body)

    def console(self):
        """Return what was written to the console since the last look."""
        found = self.send("POST", "/se/log", {"type": "browser"})
        return [one["message"] for one in found]

    def requests(self):
        """Return the addresses that were asked for since the last look, files aside."""
        found = []
        for entry in self.send("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    found.append(url)
        return found

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        self._cdp(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": width < 600}
        )

    def scripts(self, allowed):
        """Let pages run JavaScript, or not."""
        self._cdp("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.send("GET", "/screenshot")))

    def _cdp(self, command, parameters):
        body = {"cmd": command, "params": parameters}
        return self.send("POST", "/goog/cdp/execute", body)


@contextmanager
def browser():
    """Yield a headless browser, and end it."""
    port = _free_port()
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    place = f"http://127.0.0.1:{port}"
    try:
        _wait(place)
        options = {
            "goog:chromeOptions": {
                "args": [
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",  # small in containers
                ],
                "perfLoggingPrefs": {"enableNetwork": True},
            },
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        wanted = {"capabilities": {"alwaysMatch": options}}
        session = _call("POST", f"{place}/session", wanted)["sessionId"]
        yield Browser(port, session)
        _call("DELETE", f"{place}/session/{session}")
    finally:
        driver.terminate()
        driver.wait()


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(place):
    for _ in range(10 * PATIENCE_S):
        try:
            _call("GET", f"{place}/status")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"chromedriver did not answer within {PATIENCE_S} s")


def _call(method, url, body=None):
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)["value"]
