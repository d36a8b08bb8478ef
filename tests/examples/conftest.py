import sys
from pathlib import Path

import pytest
import torch

RUNNER = Path(__file__).parents[2] / "examples" / "notebooks"


@pytest.fixture
def run(monkeypatch):
    """Import the runner of notebooks, and leave threads and modules as they are."""
    monkeypatch.syspath_prepend(str(RUNNER))
    threads = torch.get_num_threads()
    import run as runner

    yield runner
    torch.set_num_threads(threads)
    for name in ("run", "nets", "picture"):
        sys.modules.pop(name, None)
