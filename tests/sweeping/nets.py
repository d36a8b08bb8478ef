"""Small checkpoints, a server that counts what it serves, and workers that misbehave."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from safetensors.numpy import save_file


def net(path, seed=0, metadata=None):
    """Write a chain of two layers; returns its path as text."""
    generator = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "0.weight": generator.standard_normal((8, 5)).astype("f4"),
            "1.weight": generator.standard_normal((3, 8)).astype("f4"),
        },
        path,
        metadata,
    )
    return str(path)


def names_in(folder):
    """Return what is in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def nets(folder, count):
    """Write so many, each with weights of its own."""
    return [net(folder / f"epoch_{i}.safetensors", i) for i in range(count)]


@contextmanager
def misbehaving(monkeypatch, folder, code):
    """Run ``code`` in every worker before it begins; the name ``examine`` is at hand."""
    folder.mkdir(exist_ok=True)
    lines = ["import os, signal, sys", "import boundkit.sweeping.examine as module"]
    (folder / "sitecustomize.py").write_text(
        "\n".join([*lines, "examine = module.examine", code])
    )
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        yield


class _Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        server = self.server
        data = server.files.get(self.path.partition("?")[0])
        if data is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        asked = self.headers.get("Range")
        start, stop = 0, len(data)
        if asked and server.ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1, len(data))
        self.send_response(206 if (start, stop) != (0, len(data)) else 200)
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        if server.etags:
            self.send_header("ETag", f'"{hash(data)}"')
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        if body:
            server.served += stop - start
            self.wfile.write(data[start:stop])

    def log_message(self, *_args):
        pass


@contextmanager
def served(files, *, ranges=True, etags=True):
    """Serve bytes by path; yields the server, with ``url`` and ``served``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Counting)
    server.files, server.ranges, server.etags, server.served = files, ranges, etags, 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
