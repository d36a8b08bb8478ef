from __future__ import annotations

import json

from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.report.json import schema


def test_the_printed_schema_is_the_shipped_one(capsys):
    assert run(["schema"]) == exits.DONE

    assert json.loads(capsys.readouterr().out) == schema()
