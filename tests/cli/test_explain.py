from __future__ import annotations

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.certify import BOUNDS
from boundkit.measure.glossary import glossary


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


@pytest.mark.parametrize("name", ["nc1_pinv", "alpha", "conjecture1", "update_rank"])
def test_measurements_are_explained(name, capsys):
    assert run(["explain", name]) == exits.DONE
    out = capsys.readouterr().out

    assert out.startswith(f"{name} · ")
    assert "Needs\n" in out


def test_a_standard_error_is_explained_with_its_number(capsys):
    assert run(["explain", "signal_stderr"]) == exits.DONE

    assert capsys.readouterr().out.startswith("signal · ")


def test_measurements_are_listed_after_the_bounds(capsys):
    assert run(["explain"]) == exits.DONE
    words = capsys.readouterr().out.replace(",", " ").split()

    assert {entry.name for entry in glossary()} <= set(words)


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    assert run(["explain", "nonsense"]) == exits.USAGE
    err = capsys.readouterr().err

    assert "there is no bound or measurement 'nonsense'" in err
    assert f"the bounds are {BOUNDS[0].id}, " in err


def test_a_misspelled_name_is_answered_with_the_closest(capsys):
    assert run(["explain", "nc1_pniv"]) == exits.USAGE

    assert "did you mean nc1_pinv" in capsys.readouterr().err
