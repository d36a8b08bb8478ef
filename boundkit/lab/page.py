"""One page with all figures that were reproduced into a folder: HTML and Markdown."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from boundkit.errors import DataError
from boundkit.lab.documents import read
from boundkit.lab.figures import FIGURES
from boundkit.sweeping.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from boundkit.lab.documents import Reproduction
    from boundkit.lab.exhibit import Claimed

__all__ = ["verdict", "write_pages"]

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
td,th{border-bottom:1px solid #8886;padding:.35rem .6rem;text-align:left;vertical-align:top}
img{max-width:100%;height:auto;background:#fff;border-radius:4px}
.holds{color:#007a5a}.fails{color:#c4470b}.open{color:#767676}
@media(prefers-color-scheme:dark){.holds{color:#3ecf9a}.fails{color:#ff8a5c}.open{color:#aaa}}
small{color:#767676}.wide{overflow-x:auto}
"""


def verdict(claimed: Claimed) -> str:
    """Return ``"holds"``, ``"does not hold"`` or ``"cannot be told"``."""
    words = {True: "holds", False: "does not hold", None: "cannot be told"}
    return words[claimed.holds]


def write_pages(folder: Path) -> tuple[Path, Path]:
    """Write ``index.html`` and ``index.md`` over every figure that is in a folder.

    Args:
        folder: Of the results.

    Returns:
        Both files; the HTML holds its images.
    """
    found = []
    for figure in FIGURES:
        path = folder / f"{figure.name}.json"
        if path.is_file():
            try:
                found.append(read(path))
            except DataError:
                continue
    page, text = folder / "index.html", folder / "index.md"
    write_whole(page, _html(found).encode())
    write_whole(text, _markdown(found).encode())
    return page, text


def _summary(found: Sequence[Reproduction]) -> str:
    claims = [each for one in found for each in one.outcome.claims]
    held = sum(each.holds is True for each in claims)
    failed = sum(each.holds is False for each in claims)
    return (
        f"{len(found)} figures, {len(claims)} claims: {held} hold, {failed} do not,"
        f" {len(claims) - held - failed} cannot be told at this scale."
    )


def _html(found: Sequence[Reproduction]) -> str:
    sections = "\n".join(_section(one) for one in found)
    links = " · ".join(
        f'<a href="#{escape(one.figure)}">{escape(one.figure)}</a>' for one in found
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figures, reproduced</title><style>{_STYLE}</style></head><body>
<h1>Figures, reproduced</h1><p>{escape(_summary(found))}</p><p>{links}</p>
{sections}
</body></html>
"""


def _section(one: Reproduction) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.claim)}</td><td>{escape(each.measured)}</td>"
        f'<td class="{_CLASSES[each.holds]}">{verdict(each)}'
        f"{f'<br><small>{escape(each.reason)}</small>' if each.reason else ''}</td></tr>"
        for each in one.outcome.claims
    )
    notes = "".join(f"<li>{escape(each)}</li>" for each in _remarks(one))
    picture = base64.b64encode(one.path.with_suffix(".png").read_bytes()).decode()
    return f"""<h2 id="{escape(one.figure)}">{escape(_heading(one))}</h2>
<p><img alt="{escape(one.title)}" src="data:image/png;base64,{picture}"></p>
<div class="wide"><table><tr><th>The paper's claim</th><th>Measured</th><th></th></tr>
{rows}</table></div><ul>{notes}</ul>
<p><small>{escape(_origin(one))}</small></p>"""


_CLASSES = {True: "holds", False: "fails", None: "open"}


def _heading(one: Reproduction) -> str:
    return f"{one.figure}: {one.title}"


def _remarks(one: Reproduction) -> tuple[str, ...]:
    return (
        *one.outcome.notes,
        *(f"Undefined: {each}" for each in one.outcome.undefined),
    )


def _origin(one: Reproduction) -> str:
    return (
        f"scale {one.scale}, {len(one.runs)} trainings, {one.seconds / 60:.1f} CPU minutes"
        f" on {one.device}, images of {one.images}"
    )


def _markdown(found: Sequence[Reproduction]) -> str:
    lines = ["# Figures, reproduced", "", _summary(found), ""]
    for one in found:
        lines += [f"## {_heading(one)}", "", f"![{one.title}]({one.figure}.png)", ""]
        lines += ["| claim | measured | |", "|---|---|---|"]
        lines += [
            f"| {_cell(each.claim)} | {_cell(each.measured)} | {_cell(_judged(each))} |"
            for each in one.outcome.claims
        ]
        lines += ["", *(f"* {_cell(each)}" for each in _remarks(one)), ""]
        lines += [_cell(_origin(one)), ""]
    return "\n".join(lines)


def _judged(claimed: Claimed) -> str:
    return verdict(claimed) + (f": {claimed.reason}" if claimed.reason else "")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
