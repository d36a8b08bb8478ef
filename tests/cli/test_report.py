from __future__ import annotations

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.posthoc.certificate import rendered
from boundkit.posthoc.formats import CERTIFICATE_FORMATS
from boundkit.report import FORMATS
from boundkit.report.json import render
from tests.posthoc.test_certificate import certificate
from tests.report.reports import REPORTS


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Store a report as r.json in the working folder."""
    monkeypatch.chdir(tmp_path)

    def store(name="proved"):
        (tmp_path / "r.json").write_text(render(REPORTS[name]()), encoding="utf-8")
        return tmp_path

    return store


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_stored_report_is_rendered_as_the_analysis_would(form, stored, capsys):
    stored()

    assert run(["report", "r.json", "--format", form.name]) == exits.DONE
    assert capsys.readouterr().out == form.render(REPORTS["proved"]())


def test_numbers_that_are_not_finite_show_in_the_exit_code(stored):
    stored("refuted")

    assert run(["report", "r.json"]) == exits.UNDEFINED


def test_tables_alone_print_nothing(stored, capsys):
    folder = stored()

    assert run(["report", "r.json", "--tables", "t"]) == exits.DONE
    assert capsys.readouterr().out == ""
    assert (folder / "t" / "layers.csv").exists()
    assert run(["report", "r.json", "--tables", "t", "--format", "text"]) == exits.DONE
    assert "boundkit 0.1.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.json"], exits.UNREADABLE, "No such file"),
        (["r.json", "--output", "r.json"], exits.USAGE, "choose another name"),
        (
            ["r.json", "--table-format", "xls"],
            exits.USAGE,
            "as csv or parquet, but got",
        ),
        (["r.json", "--format", "pdf"], exits.USAGE, "the format must be one of text"),
    ],
)
def test_what_cannot_work_is_refused(stored, arguments, code, message, capsys):
    stored()

    assert run(["report", *arguments]) == code
    assert message in capsys.readouterr().err


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """Store a certificate as c.json in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.json").write_text(rendered(certificate()), encoding="utf-8")


@pytest.mark.usefixtures("certified")
@pytest.mark.parametrize("form", CERTIFICATE_FORMATS, ids=lambda form: form.name)
def test_a_certificate_is_shown_in_every_format(form, capsys):
    assert run(["report", "c.json", "--format", form.name]) == exits.DONE
    assert capsys.readouterr().out == form.render(certificate())


@pytest.mark.usefixtures("certified")
def test_a_certificate_has_no_tables(capsys):
    assert run(["report", "c.json", "--tables", "t"]) == exits.USAGE
    assert "'c.json' is a certificate, which has no tables" in capsys.readouterr().err
