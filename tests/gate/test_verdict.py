from __future__ import annotations

from boundkit.gate.verdict import Finding, Verdict

GOOD = Finding("coverage", "at least 1", "1", passed=True)
BAD = Finding("best", "at most 0.1", "0.2", passed=False, why="w", line=4)


def test_one_failure_is_enough():
    assert Verdict("p", "c", None, (GOOD,)).passed
    assert not Verdict("p", "c", None, (GOOD, BAD)).passed
    assert Verdict("p", "c", None, (GOOD, BAD)).failures == (BAD,)


def test_a_frame_has_a_row_per_finding():
    frame = Verdict("p", "c", None, (GOOD, BAD)).frame()

    assert list(frame.columns) == ["rule", "asked", "found", "passed", "why", "line"]
    assert list(frame["passed"]) == [True, False]
    assert list(Verdict("p", "c", None, ()).frame().columns) == list(frame.columns)


def test_a_verdict_shows_itself_as_text():
    assert repr(Verdict("p", "c", None, (BAD,))).startswith("FAILED  c against p")
