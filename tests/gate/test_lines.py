from __future__ import annotations

import pytest

from boundkit.gate.lines import line_of

TEXT = """\
# a comment
[values]
"rho.stored.log10" = {max = 1,
  min = 0}
plain.dotted = 1

[[layers]]
name = "a"
[[layers]]
rho = {max = 1}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("values",), 2),
        (("values", "rho.stored.log10"), 3),
        (("values", "plain", "dotted"), 5),
        (("values", "missing"), 2),
        (("layers",), 7),
        (("layers", "rho"), 10),
        (("nothing",), None),
    ],
)
def test_keys_are_found_on_their_lines(path, line):
    assert line_of(TEXT, path) == line
