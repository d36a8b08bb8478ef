"""What all tests share: processes that share the cores, and modules of examples."""

import os
import sys
from pathlib import Path

import pytest

# Two test processes take one thread each, from before anything imports torch.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_ROOT = Path(__file__).parents[1]
_FOLDERS = (_ROOT / "examples", _ROOT / "fixtures")


@pytest.fixture(autouse=True, scope="module")
def _modules_of_examples_go_again():
    """Forget modules such as ``nets``: each example and the fixtures have their own."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if "." not in name and any(each in Path(file).parents for each in _FOLDERS):
            del sys.modules[name]
