"""What a start loads; each case is a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "pandas", "statsmodels", "scipy", "matplotlib")


def loaded(code):
    """Return which heavy packages a fresh interpreter holds after ``code``."""
    tail = f"\nimport sys\nprint('LOADED', *[m for m in {HEAVY} if m in sys.modules])"
    head = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'cli')!r}]\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code + tail],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.rpartition("LOADED")[2].split()


def run(*arguments):
    return f"from boundkit_cli.app import run\nassert run({list(arguments)!r}) == 0"


def test_the_check_sees_a_heavy_import():
    assert loaded("import scipy") == ["scipy"]


@pytest.mark.parametrize(
    "code",
    [
        "import boundkit",
        "import boundkit; boundkit.analyze, boundkit.BOUNDS, boundkit.Report",
        run("--help"),
        run("--version"),
        run("analyze", "--help"),
        run("compare", "--help"),
        run("regress", "--help"),
        run("sweep", "--help"),
        run(
            "compare",
            "fixtures/containers/zip_bare.pt",
            "fixtures/containers/single.safetensors",
        ),
        run("explain"),
        run("explain", "sparse_cnn"),
        run("schema"),
        run("analyze", "--only", "norms", "fixtures/containers/zip_bare.pt"),
        run("analyze", "--only", "norms", "fixtures/containers/single.safetensors"),
        run("analyze", "--only", "norms", "fixtures/containers/bfloat16.pt"),
        run("analyze", "--only", "norms", "fixtures/containers/legacy_bare.pt"),
        run("analyze", "--only", "norms", "fixtures/containers/distributed"),
        "import boundkit; boundkit.load('fixtures/containers/module_own_class.pt')",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded(code) == []


def test_importing_boundkit_loads_no_numpy():
    light = "import boundkit, sys; assert 'numpy' not in sys.modules"

    assert loaded(light) == []
