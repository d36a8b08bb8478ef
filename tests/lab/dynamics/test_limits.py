"""Claims about limits: held, on the way, or no nearer."""

import numpy as np

from boundkit.lab.dynamics.limits import approached


def claim(*values):
    return approached("n", "claim", "source", 1.0, np.array(values), 0.05, 0)


def test_what_is_there_holds():
    assert claim(2.0, 1.04).holds


def test_what_comes_nearer_is_open_and_says_so():
    found = claim(2.0, 1.5)

    assert found.holds is None
    assert found.reason == "on its way, 2 before and 1.5 at the end; run longer"
    assert (found.predicted, found.found) == (1.0, 1.5)


def test_what_stays_is_no_nearer():
    found = claim(1.5, 1.5)

    assert found.holds is None
    assert found.reason == "no nearer, 1.5 before and 1.5 at the end"


def test_what_is_no_number_does_not_hold():
    assert claim(2.0, np.nan).holds is False
