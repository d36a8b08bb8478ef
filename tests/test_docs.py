"""The documents: examples run, links lead somewhere, nothing public is left out."""

import inspect
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from boundkit_cli.app import app
from typer.main import get_command

from boundkit.certify import BOUNDS
from boundkit.readers import READERS

ROOT = Path(__file__).parents[1]
PAGES = sorted([
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / name / "README.md" for name in ("benchmarks", "fixtures")),
])
COMMANDS = get_command(app).commands
RUNNABLE = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s\\]+)[)#]")
EXAMPLES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(RUNNABLE.findall(page.read_text("utf-8")))
]


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_run(code, monkeypatch):
    monkeypatch.chdir(ROOT)

    exec(compile(code, "<example>", "exec"), {"__name__": "example"})


def test_there_are_examples_to_run():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    targets = LINK.findall(page.read_text("utf-8"))

    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_the_cli_page_is_what_help_says():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate_cli.py", "--check"],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example_and_is_documented(name):
    text = COMMANDS[name].help

    assert text
    assert "Example:" in text
    assert f"## boundkit {name}\n" in (ROOT / "docs/cli.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_help(name):
    silent = [
        parameter.name
        for parameter in COMMANDS[name].params
        if not getattr(parameter, "help", None)
    ]

    assert silent == []


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.id)
def test_every_bound_has_its_section(bound):
    page = (ROOT / "docs/bounds.md").read_text("utf-8")

    assert re.search(rf"^## (.*, )?{bound.id}(, .*)?$", page, re.MULTILINE)


def test_every_term_of_a_certificate_is_explained():
    import boundkit

    page = (ROOT / "docs/bounds.md").read_text("utf-8")
    report = boundkit.analyze(ROOT / "fixtures/checkpoints/two_class.pt", n=1000)
    terms = {term for c in report.certificates.values() for term in c.terms}

    assert len(terms) > 10
    assert {term for term in terms if f"`{term}`" not in page} - {"layers"} == set()


def test_every_exit_code_is_on_the_cli_page():
    from boundkit_cli import exits

    page = (ROOT / "docs/cli.md").read_text("utf-8")
    codes = {value for value in vars(exits).values() if isinstance(value, int)}

    assert {c for c in codes if not re.search(rf"(^\| |, ){c}\b", page, re.M)} == set()


def test_the_shown_refusal_is_what_is_said(capfd):
    from boundkit_cli.app import run

    shown = "fixtures/containers/needs_code.pt"
    page = (ROOT / "docs/checkpoints.md").read_text("utf-8")

    assert run(["analyze", str(ROOT / shown)]) == 3
    said = capfd.readouterr().err.replace(f"{ROOT.as_posix()}/", "")
    assert f"$ boundkit analyze {shown} # exit 3\n{said}" in page


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.NAME)
def test_every_reader_is_documented(reader):
    page = (ROOT / "docs/checkpoints.md").read_text("utf-8").lower()

    assert inspect.getdoc(reader)
    assert reader.NAME.split(",")[0].lower().split()[0] in page


def test_readme_has_both_commands_that_are_run_on_a_new_machine():
    page = (ROOT / "README.md").read_text("utf-8")

    for name in ("first", "second"):
        (command,) = re.findall(rf"<!-- ci:{name} -->\n```bash\n(.*)\n```", page)
        assert "-c constraints.txt" in command


def test_every_pinned_version_is_of_a_stated_dependency():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    stated = {
        re.match(r"[\w-]+", line)[0].replace("_", "-")
        for line in [*project["dependencies"], *chain(*extras.values())]
    }
    # What fsspec[http] and distributed are nothing without.
    stated |= {"aiohttp", "dask"}
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {
        line.partition("==")[0].replace("_", "-")
        for line in lines
        if line and not line.startswith("#")
    }

    assert stated - {"boundkit"} == pinned
