"""A process that analyzes checkpoints one after another: ``python -m`` this module.

A line of JSON on its standard input is an order, a line on its standard output the
answer. It ends when its input does, so it never outlives who started it for long.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from boundkit.errors import BoundkitError
from boundkit.sweeping.atomic import write_whole
from boundkit.sweeping.examine import examine, prepared
from boundkit.sweeping.outcome import Task, one_line
from boundkit.sweeping.store import result_path

if TYPE_CHECKING:
    from boundkit.sweeping.outcome import Outcome

__all__ = ["main", "serve"]


def main() -> None:
    """Serve on standard input and output, which models and data then do not see."""
    orders = os.fdopen(os.dup(0), encoding="ascii")
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    serve(orders, answers)


def serve(orders: TextIO, answers: TextIO) -> None:
    """Answer orders until there are no more.

    Args:
        orders: The first line holds options, their digest and the folder of results;
            each other line a task.
        answers: One line for each: ``ready``, ``refused``, ``outcome`` or ``stop``.
    """
    setup = json.loads(orders.readline())
    folder = Path(setup["folder"])
    try:
        options = prepared(setup["options"], setup["digest"])
    except BoundkitError as error:
        _answer(answers, "refused", [type(error).__name__, one_line(error)])
        return
    _answer(answers, "ready", None)
    for line in orders:
        task = Task(**json.loads(line))
        outcome = examine(
            task,
            options,
            lambda key: result_path(folder, key).exists(),
        )
        try:
            kept = _kept(folder, outcome)
        except OSError as error:
            _answer(answers, "stop", [error.errno, error.strerror or str(error)])
            return
        _answer(answers, "outcome", {**kept.entry(), "fresh": kept.fresh})


def _kept(folder: Path, outcome: Outcome) -> Outcome:
    if outcome.text is not None and outcome.key is not None:
        text = outcome.text.encode("utf-8", "backslashreplace")
        write_whole(result_path(folder, outcome.key), text)
    return replace(outcome, text=None)


def _answer(answers: TextIO, kind: str, content: Any) -> None:
    answers.write(json.dumps([kind, content]) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
    sys.exit(0)
