import pytest

from boundkit.errors import UsageError
from boundkit.tracing.architecture import of_one_architecture
from boundkit.tracing.points import ASIDE, FAILED, TRACED
from tests.tracing.runs import point

WIDER = ({"name": "fc", "shape": (4, 3), "kind": "linear", "rho": 1.0},)
LONGER = (*WIDER, {"name": "out", "shape": (1, 4), "kind": "linear", "rho": 1.0})


def test_one_architecture_passes_as_it_is():
    points = (point("a"), point("b"), point("c", FAILED, layers=()))

    assert of_one_architecture(points) == points


def test_a_stranger_is_set_aside_and_named():
    found = of_one_architecture([point("a"), point("x", layers=WIDER), point("b")])

    assert [one.status for one in found] == [TRACED, ASIDE, TRACED]
    assert found[1].reason == "of another architecture than 'a': 'fc' is 2x3 and 4x3"


def test_a_layer_more_is_named():
    found = of_one_architecture([
        point("a", layers=WIDER),
        point("b", layers=WIDER),
        point("x", layers=LONGER),
    ])

    assert found[2].reason.endswith("'out' is missing and 1x4")


def test_layers_in_another_order_are_the_same_architecture():
    found = of_one_architecture([
        point("a", layers=LONGER),
        point("b", layers=LONGER),
        point("x", layers=LONGER[::-1]),
    ])

    assert [one.status for one in found] == [TRACED, TRACED, TRACED]


def test_two_runs_in_one_folder_are_refused():
    points = [point("a"), point("b", layers=WIDER)]

    with pytest.raises(UsageError, match="several architectures: 'a' and 'b' differ"):
        of_one_architecture(points)
