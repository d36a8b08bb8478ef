"""Every bound has its page, and the pages name what there is."""

import re
from pathlib import Path

import numpy as np
import pytest

from boundkit.certify import BOUNDS
from boundkit.certify.neyshabur2015 import printed_complexity
from boundkit.certify.neyshabur2018 import printed_excess, printed_log_kl

PAGES = Path(__file__).parents[2] / "docs" / "bounds"
IDS = [bound.id for bound in BOUNDS]


def test_there_is_a_page_per_bound_and_no_other():
    assert {page.stem for page in PAGES.glob("*.md")} == {*IDS, "index"}


@pytest.mark.parametrize("bound", IDS)
def test_the_index_links_every_page(bound):
    assert f"({bound}.md)" in (PAGES / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda p: p.stem)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")

    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("bound", BOUNDS, ids=IDS)
def test_pages_that_a_citation_names_are_there(bound):
    named = re.findall(
        r"docs/(bounds/\w+\.md)", f"{bound.citation} {bound.corrections}"
    )

    assert all((PAGES.parent / page).exists() for page in named)


def test_numbers_of_the_pages():
    assert round(printed_complexity(2, 3, 1, 100), 7) == 0.8485281
    kl = np.exp(printed_log_kl(2, 2, 1.0, np.log(2), 2.25, 1.0))
    assert f"{kl:.5g}" == "1.301e+06"
    assert round(printed_excess(float(kl), 2, 10**6, 0.05), 4) == 4.5625
