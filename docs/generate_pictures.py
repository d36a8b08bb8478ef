"""Makes the example report and the pictures of the documents, from real runs.

python docs/generate_pictures.py [--browser chromium]

Analyzes the bundled net with its data, writes docs/assets/report.html, and photographs
it with a headless Chromium. Look at the pictures before you commit them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import boundkit
from boundkit.report.html import render

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_ASSETS = _ROOT / "docs" / "assets"
#: Picture, window and color scheme.
_SHOTS = (
    ("report.png", (1180, 820), "light"),
    ("report-dark.png", (1180, 820), "dark"),
    ("report-phone.png", (400, 860), "light"),
)


def _analyzed() -> str:
    data = _ROOT / "fixtures/data"
    report = boundkit.analyze(
        "fixtures/checkpoints/two_class.pt",
        model="fixtures/nets.py:two_class",
        data=f"{data.relative_to(_ROOT)}/pair_train.npz",
        test_data=f"{data.relative_to(_ROOT)}/pair_test.npz",
    )
    return render(report)


def _photograph(
    browser: str, page: Path, picture: Path, size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
                "--virtual-time-budget=4000",
                f"--screenshot={picture}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def main(arguments: list[str]) -> int:
    """Write the example report and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chromium")
    chosen = parser.parse_args(arguments)
    page = _ASSETS / "report.html"
    page.write_text(_analyzed(), encoding="utf-8")
    for name, size, scheme in _SHOTS:
        _photograph(chosen.browser, page, _ASSETS / name, size, scheme)
        sys.stdout.write(f"docs/assets/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
