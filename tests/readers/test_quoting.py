"""Names from files stay on one line of printable ASCII."""

from boundkit.readers.quoting import listed, shown


def test_control_characters_and_directions_are_escaped():
    assert shown("a\x1b[31m\n\u202eb") == r"'a\x1b[31m\n\u202eb'"


def test_long_names_are_cut():
    assert shown("x" * 1000) == repr("x" * 77 + "...")


def test_lists_say_how_many_more_there_are():
    assert listed("abc", limit=2) == "'a', 'b' and 1 more"
