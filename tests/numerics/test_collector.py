import gc

import pytest

from boundkit.numerics.collector import without_collector


@without_collector()
def fail():
    raise ValueError("off" if not gc.isenabled() else "on")


def test_the_collector_is_back_afterwards_whatever_happens():
    assert gc.isenabled()

    with pytest.raises(ValueError, match="off"):
        fail()

    assert gc.isenabled()


def test_one_that_was_off_stays_off():
    gc.disable()
    try:
        with without_collector():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_function_can_be_wrapped():
    @without_collector()
    def found():
        return gc.isenabled()

    assert not found()
    assert gc.isenabled()
