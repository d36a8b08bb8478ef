"""Arguments that make no sense are told before anything is read."""

import pytest

from boundkit.arguments import form_of, named, require_convention, require_sense
from boundkit.errors import UsageError


def sense(**changed):
    given = {
        "model": "m.py:f",
        "data": None,
        "test_data": None,
        "n": None,
        "input_norm": 1.0,
        "delta": 0.05,
        "batch_size": 1,
    }
    require_sense(**(given | changed))


def test_the_confidence_form_is_one_that_is_known():
    with pytest.raises(UsageError, match="confidence must be among empirical, normali"):
        sense(confidence="c")


def test_declared_normalization_needs_data():
    sense(confidence="normalized", data="x.npz")
    with pytest.raises(UsageError, match="'normalized' needs data"):
        sense(confidence="normalized")


def test_forms_have_names():
    assert form_of("empirical").startswith("form d")
    assert form_of("normalized").startswith("form c'")


def test_objects_are_recorded_by_their_class():
    assert (named(None), named("a.npz"), named([1])) == (None, "a.npz", "list")


def test_conventions_are_known_and_have_spectra_to_speak_of():
    require_convention("boundkit", "none")
    require_convention("weightwatcher", "top")
    with pytest.raises(UsageError, match="among boundkit, weightwatcher, but got 'ww'"):
        require_convention("ww", "auto")
    with pytest.raises(UsageError, match="'weightwatcher' adds numbers of whole"):
        require_convention("weightwatcher", "none")
