from __future__ import annotations

import pytest
from boundkit_cli.app import run

import boundkit
from tests.lab.test_documents import found


@pytest.fixture
def reproduced(monkeypatch):
    calls = []

    def install(**changed):
        def reproduce(name, scale, data, out, *, device, progress):
            calls.append((name, scale, data, str(out), device))
            return (found(**changed),)

        monkeypatch.setattr(boundkit, "reproduce", reproduce, raising=False)
        return calls

    return install


def test_the_list_says_paper_time_and_needs(capsys):
    assert run(["reproduce", "--list"]) == 0

    out = capsys.readouterr().out
    assert "p1-fig3" in out
    assert "CPU time at --scale small" in out


def test_claim_measurement_and_verdict_are_printed(reproduced, capsys):
    calls = reproduced()

    assert run(["reproduce", "p1-fig3", "--data", "d", "--out", "o", "--quiet"]) == 0

    assert calls == [("p1-fig3", "small", "d", "o", "cpu")]
    out = capsys.readouterr().out
    assert "  claim     rho grows\n  measured  1 -> 2\n  HOLDS\n" in out
    assert "  CANNOT BE TOLD: small\n" in out
    assert "note: fewer images" in out


def test_a_divergence_is_exit_code_four(reproduced, capsys):
    outcome = found().outcome
    lost = type(outcome)(outcome.claims, outcome.tables, {}, (), ("run 0 diverged",))
    reproduced(outcome=lost)

    assert run(["reproduce", "p1-fig3"]) == 4
    assert "undefined: run 0 diverged" in capsys.readouterr().out


def test_no_figure_is_wrong_usage(capsys):
    assert run(["reproduce"]) == 2
    assert "name a figure, or all" in capsys.readouterr().err


def test_an_unknown_figure_is_wrong_usage(capsys):
    assert run(["reproduce", "p9-fig9"]) == 2
    assert "there is no figure 'p9-fig9'" in capsys.readouterr().err


def test_missing_images_are_exit_code_three(capsys, tmp_path):
    assert run(["reproduce", "p1-fig3", "--data", str(tmp_path / "x")]) == 3
    assert "put train-images-idx3-ubyte" in capsys.readouterr().err
