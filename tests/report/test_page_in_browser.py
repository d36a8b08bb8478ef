"""Every page in a headless Chromium: it draws, sorts, filters, and asks for nothing.

Opt in with ``-m browser``; needs chromium and chromedriver (Debian: chromium-driver).
"""

from __future__ import annotations

import pytest

from benchmarks.chromium import browser, missing
from tests.report.pages import HOSTILE, PAGES, made_trace

pytestmark = pytest.mark.browser

CHARTS = {
    "certificate": 0,
    "report": 2,
    "trace": 7,
    "trace-of-many-layers": 7,
    "regression": 1,
    "groups": 1,
    "ranking": 1,
    "comparison": 1,
}
DRAWN = "return document.querySelectorAll('.uplot canvas').length"
INKED = """
return [...document.querySelectorAll('.uplot canvas')].map((one) => {
  const all = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
  let inked = 0;
  for (let at = 3; at < all.length; at += 4) inked += all[at] > 0;
  return inked;
});
"""
COLUMN = """
const [table, column, clicks] = arguments;
const place = document.querySelectorAll('table.sortable')[table];
for (let k = 0; k < clicks; k++) place.querySelectorAll('th button')[column].click();
return [...place.tBodies[0].rows].map((row) => row.cells[column].dataset.value ?? row.cells[column].textContent);
"""
FILTERED = """
const input = document.querySelector('input[data-filters]');
input.value = arguments[0];
input.dispatchEvent(new Event('input'));
const rows = [...document.getElementById(input.dataset.filters).tBodies[0].rows];
return [rows.length, rows.filter((row) => !row.hidden).length];
"""
UNWANTED = """
return [...document.querySelectorAll('img, iframe, object, embed, [onclick], [onerror], b[onclick]')].length
  + (document.querySelectorAll('script').length - 3);
"""
WIDE = (
    "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
)


@pytest.fixture(scope="module")
def window():
    """One window for all pages; without the programs these tests fail, and say why."""
    lacking = ", ".join(missing())
    if lacking:
        pytest.fail(f"{lacking} not on the path: apt install chromium chromium-driver")
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """The pages as files."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, made in PAGES.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(made(), encoding="utf-8")
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_draws_and_asks_for_nothing(name, dark, window, places):
    window.resize(1280, 900)
    window.open(places[name], dark)

    assert window.script(DRAWN) == CHARTS[name]
    assert min(window.script(INKED), default=1000) > 500
    assert window.script(UNWANTED) == 0
    assert window.requests() == []
    assert window.console() == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(name, window, places):
    window.resize(390, 800)
    window.open(places[name])

    assert window.script(WIDE) <= 0
    assert window.console() == []


@pytest.mark.parametrize("name", [one for one in PAGES if one != "comparison"])
def test_a_hostile_name_is_text(name, window, places):
    window.open(places[name])

    assert HOSTILE in window.script("return document.body.innerText")


@pytest.mark.parametrize(
    ("name", "table", "column"), [("trace", 0, 2), ("groups", 2, 2)]
)
def test_numbers_sort_by_value_and_unknown_ones_last(
    name, table, column, window, places
):
    window.open(places[name])
    falling = window.script(COLUMN, table, column, 1)
    rising = window.script(COLUMN, table, column, 1)

    known = [float(one) for one in falling if one]
    assert known == sorted(known, reverse=True)
    assert [float(one) for one in rising if one] == known[::-1]
    assert "" not in falling[: len(known)]
    assert "" not in rising[: len(known)]


@pytest.mark.parametrize(
    ("name", "words", "left"),
    [
        ("report", "BLOCKS.7", 1),
        ("trace", "failed onerror", 1),
        ("regression", "onclick=alert(3)>23", 1),
        ("ranking", "nowhere", 0),
    ],
)
def test_a_field_filters_rows_by_every_word(name, words, left, window, places):
    window.open(places[name])
    rows, shown = window.script(FILTERED, words)

    assert shown == left < rows


def test_the_cursor_says_what_it_is_over(window, places):
    window.resize(1280, 900)
    window.open(places["regression"])
    window.script("document.querySelector('.u-over').scrollIntoView()")
    legend = window.script(
        """
        const over = document.querySelector('.u-over'), box = over.getBoundingClientRect();
        for (let x = 2; x < box.width; x += 4) for (let y = 2; y < box.height; y += 4) {
          over.dispatchEvent(new MouseEvent('mousemove', { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
          const told = document.querySelector('.u-legend').innerText;
          if (told.includes(': ') && told.includes(',')) return told;
        }
        return '';
        """
    )

    assert "inverse_rho" in legend
    assert any(f"{k}: " in legend for k in range(24))


def test_a_page_without_scripts_has_its_text(window, places):
    window.scripts(allowed=False)
    try:
        window.send("POST", "/url", {"url": places["trace"].as_uri()})
        element = window.send(
            "POST", "/element", {"using": "css selector", "value": "body"}
        )
        text = window.send("GET", f"/element/{next(iter(element.values()))}/text")
    finally:
        window.scripts(allowed=True)

    assert "Terminal phase: training error is first 0 between epoch 8 and 16." in text
    assert "Charts are drawn with JavaScript" in text


def test_a_page_draws_in_the_frame_of_a_notebook(window, tmp_path):
    window.resize(1280, 900)
    place = tmp_path / "notebook.html"
    place.write_text(f"<!doctype html>{made_trace()._repr_html_()}", encoding="utf-8")
    window.open(place)
    window.send("POST", "/frame", {"id": 0})
    try:
        assert window.script(DRAWN) == CHARTS["trace"]
        assert window.script(UNWANTED) == 0
    finally:
        window.send("POST", "/frame", {"id": None})
    assert window.console() == []
    assert window.requests() == []
