import time

import pytest
import torch

from boundkit.posthoc.threads import fastest_threads

pytestmark = pytest.mark.usefixtures("two_threads")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def slow_with(threads):
    return lambda: time.sleep(0.01 if torch.get_num_threads() == threads else 0)


@pytest.mark.parametrize(("slow", "chosen"), [(2, 1), (1, 2)])
def test_it_takes_what_is_faster(slow, chosen):
    with fastest_threads(slow_with(slow)):
        assert torch.get_num_threads() == chosen

    assert torch.get_num_threads() == 2


def test_threads_are_put_back_after_an_error():
    with pytest.raises(ZeroDivisionError), fastest_threads(slow_with(2)):
        raise ZeroDivisionError

    assert torch.get_num_threads() == 2


def test_a_single_thread_is_not_timed():
    torch.set_num_threads(1)
    with fastest_threads(lambda: pytest.fail("it was timed")):
        assert torch.get_num_threads() == 1
