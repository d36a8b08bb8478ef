"""The site: nothing public is left out, nothing is fetched, formulas read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import boundkit

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def pages(nav):
    """Return the files that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    if isinstance(nav, dict):
        nav = nav.values()
    return [page for one in nav for page in pages(one)]


def navigation():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    return pages(yaml.safe_load(text)["nav"])


def test_every_page_has_its_place_in_the_navigation():
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}

    assert sorted(navigation()) == sorted(there)


def test_every_public_name_is_on_the_page_of_the_api():
    text = (DOCS / "api.md").read_text("utf-8")
    named = re.findall(r"^::: boundkit\.(\w+)$", text, re.MULTILINE)

    assert sorted(named) == sorted(set(boundkit.__all__) - {"__version__"})
    assert "boundkit.__version__" in text


@pytest.mark.parametrize(
    "script",
    [
        "generate_schema.py",
        pytest.param("generate_bounds.py", marks=pytest.mark.slow),
    ],
)
def test_generated_pages_are_what_the_program_says(script):
    done = subprocess.run(
        [sys.executable, DOCS / script, "--check"],
        check=False,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_schemas_has_every_schema():
    from boundkit_cli.schema import _NAMES

    text = (DOCS / "schema.md").read_text("utf-8")

    assert [name for name in _NAMES if f"\n## {name}\n" not in text] == []


def test_pictures_are_small_enough_to_be_loaded_on_a_phone():
    pictures = list((DOCS / "assets").glob("*.png"))

    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 300_000] == []


def test_the_text_names_no_machine():
    # Folders of a machine, and paths that lead out of the repository.
    found = []
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md"]:
        text = page.read_text("utf-8")
        found += re.findall(
            r"(?<![\w.$}>-])/(?:tmp|opt|root|home|mnt|srv|work|Users)/.*", text
        )
        found += [
            link
            for link in re.findall(r"(?:\.\./)+[\w.-]+", text)
            if not (page.parent / link).resolve().is_relative_to(ROOT)
        ]

    assert found == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", folder],
        check=False,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_asks_the_network_for_nothing(site):
    loading = re.compile(
        r"<(?:script|img|iframe|source)[^>]* src=\"(?!data:)(?:https?:)?//"
        r"|<link[^>]* rel=\"(?:stylesheet|preconnect|preload|icon)\"[^>]* href=\"https?:"
        r"|url\(['\"]?https?:|@import ['\"]?https?:"
    )
    found = {
        path.name: loading.search(path.read_text("utf-8"))
        for suffix in ("html", "css")
        for path in site.rglob(f"*.{suffix}")
    }

    assert len(found) > 50
    assert {name for name, one in found.items() if one} == set()


@pytest.mark.slow
def test_formulas_are_markup_and_no_dollar_is_left(site):
    text = (site / "theory.html").read_text("utf-8")
    prose = re.sub(r"<(pre|code|script|style).*?</\1>", "", text, flags=re.DOTALL)

    assert text.count("<math") > 300
    assert "$" not in prose
    assert "\\lVert" not in prose


@pytest.mark.slow
def test_every_page_of_the_navigation_is_built(site):
    missing = [
        page
        for page in navigation()
        if not (site / page).with_suffix(".html").is_file()
    ]

    assert missing == []


@pytest.mark.slow
def test_a_formula_becomes_markup_by_itself():
    sys.path.insert(0, str(DOCS))
    try:
        from formulas import Formulas, markup
    finally:
        sys.path.remove(str(DOCS))
    from markdown import Markdown

    assert (
        markup("x^2", block=False) == "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    )
    assert '<span class="number">(1)</span>' in markup(r"a=b\tag{1}", block=True)
    page = Markdown(extensions=[Formulas()]).convert(
        "`$x$` costs 5$ and $y_1$ or $z_1$"
    )
    assert page.startswith("<p><code>$x$</code> costs 5$ and <math>")
    assert page.count("<math>") == 2
