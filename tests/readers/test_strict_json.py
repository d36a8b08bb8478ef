"""JSON that could be read in two ways is not read at all."""

from pathlib import Path

import pytest

from boundkit.errors import Unreadable
from boundkit.readers.strict_json import parse


def parsed(text):
    return parse(text, Path("x"), "the header", "save it again")


def test_an_object_keeps_its_order():
    assert list(parsed(b'{"b": 1, "a": [2]}')) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b'{"a": 1, "a": 2}', "duplicate key 'a'"),
        (b'{"x": {"a": 1, "a": 2}}', "duplicate key 'a'"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1', "is not valid JSON"),
        (b'{"a": "\xff"}', "is not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not valid JSON"),
        (b'{"a": ' + b"[" * 10**5, "nested too deeply"),
    ],
)
def test_what_is_ambiguous_or_broken_is_refused(text, cause):
    with pytest.raises(Unreadable, match="the header") as caught:
        parsed(text)

    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)
