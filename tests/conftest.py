"""What all tests share: processes that share the cores, and modules of examples."""

import os
import sys
from pathlib import Path

# Two test processes take one thread each, from before anything imports torch.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_ROOT = Path(__file__).parents[1]
_FOLDERS = (_ROOT / "examples", _ROOT / "fixtures")


def pytest_runtest_teardown(item, nextitem):
    """Forget modules such as ``nets`` after a file: each example has its own."""
    if nextitem is not None and nextitem.path == item.path:
        return
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if (
            "." not in name
            and isinstance(file, str)
            and any(each in Path(file).parents for each in _FOLDERS)
        ):
            del sys.modules[name]
