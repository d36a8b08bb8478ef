from __future__ import annotations

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.certify import BOUNDS


def test_all_bounds_are_listed(capsys):
    assert run(["explain"]) == exits.DONE
    out = capsys.readouterr().out

    assert [line.split()[0] for line in out.splitlines() if line[2:3].strip()][
        : len(BOUNDS)
    ] == [bound.id for bound in BOUNDS]


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.id)
def test_each_bound_is_explained(bound, capsys):
    assert run(["explain", bound.id]) == exits.DONE
    out = capsys.readouterr().out

    assert out.startswith(f"{bound.id} · ")
    assert "Premises, which no program can check" in out


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    assert run(["explain", "nonsense"]) == exits.USAGE
    err = capsys.readouterr().err

    assert f"must be one of {BOUNDS[0].id}, " in err
    assert "but got 'nonsense'" in err
