import re
from html.parser import HTMLParser

import pytest

from boundkit.lab.documents import to_json
from boundkit.lab.exhibit import Claimed
from boundkit.lab.page import verdict, write_pages
from tests.lab.test_documents import found

PIXEL = b"\x89PNG\r\n\x1a\n pixels"


@pytest.fixture
def folder(tmp_path):
    hostile = Claimed("a < b | c", "<script>alert(1)</script>", holds=False, reason="|")
    outcome = found().outcome
    one = found(
        outcome=type(outcome)((hostile,), outcome.tables, {}, ("note",), ("u",))
    )
    (tmp_path / "p1-fig3.json").write_bytes(to_json(one))
    (tmp_path / "p1-fig3.png").write_bytes(PIXEL)
    return tmp_path


def test_the_page_holds_its_images_and_asks_for_nothing(folder):
    page, _ = write_pages(folder)
    text = page.read_text(encoding="utf-8")

    assert text.count("data:image/png;base64,") == 1
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text)


def test_text_stays_text(folder):
    page, _ = write_pages(folder)
    tags = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    Parser().feed(page.read_text(encoding="utf-8"))

    assert "script" not in tags
    assert tags.count("table") == 1


def test_markdown_has_one_row_a_claim(folder):
    _, text = write_pages(folder)
    lines = text.read_text(encoding="utf-8").splitlines()

    row = next(line for line in lines if "script" in line)
    assert row == r"| a < b \| c | <script>alert(1)</script> | does not hold: \| |"
    assert (
        "1 figures, 1 claims: 0 hold, 1 do not, 0 cannot be told at this scale."
        in lines
    )
    assert "* Undefined: u" in lines


def test_damaged_results_are_left_out(folder):
    (folder / "p1-fig3.json").write_text("{")

    page, _ = write_pages(folder)

    assert "0 figures" in page.read_text(encoding="utf-8")


def test_verdicts_are_three():
    found = [verdict(Claimed("", "", holds)) for holds in (True, False, None)]

    assert found == ["holds", "does not hold", "cannot be told"]
