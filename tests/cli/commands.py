"""How the command-line tests run the program."""

from __future__ import annotations

import os
import subprocess
import sys

# What a child process runs: the program, with a report instead of an analysis.
CHILD = """
import signal, sys, time
# A run in the background of a shell inherits SIGINT as ignored; a terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)
import boundkit
from boundkit_cli.app import run
from tests.report.reports import REPORTS, report
def analyze(source, **options):
    {body}
boundkit.analyze = analyze
sys.exit(run(sys.argv[1:]))
"""


def child(arguments, body="return REPORTS['proved']()", **options):
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment |= {"PYTHONPATH": os.pathsep.join([".", "cli"]), "TERM": "xterm"}
    environment |= options.pop("environment", {})
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(body=body), *arguments],
        env=environment,
        **options,
    )


def output(arguments, body="return REPORTS['proved']()", **options):
    """Run to the end; returns (exit code, stdout bytes, stderr bytes)."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    process = child(arguments, body, **pipes)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
