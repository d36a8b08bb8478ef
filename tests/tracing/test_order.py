"""What decides the order, and what becomes of checkpoints that do not fit in."""

import pytest

from boundkit.errors import UsageError
from boundkit.sweeping.sources import Source
from boundkit.tracing.order import in_order, require_order
from boundkit.tracing.points import ASIDE, FAILED, TRACED
from tests.tracing.runs import point


def places(points):
    return [(one.path, one.at, one.status) for one in points]


def test_content_decides_and_names_fill_in_what_is_broken():
    points = [
        point("epoch_2.pt", metadata={"epoch": 3}),
        point("epoch_1.pt", FAILED, reason="broken", layers=()),
        point("epoch_0.pt", metadata={"epoch": 1}),
    ]

    found, order, notices = in_order(points, "auto")

    assert places(found) == [
        ("epoch_0.pt", 1, TRACED),
        ("epoch_1.pt", 2, FAILED),
        ("epoch_2.pt", 3, TRACED),
    ]
    assert (order.axis, order.source) == ("epoch", "'epoch' in the checkpoints")
    assert notices == ()


def test_names_decide_where_content_counts_less_of_them():
    points = [
        point("step_10.pt", metadata={"epoch": 1}),
        point("step_20.pt", metadata={"epoch": 2}),
        point("step_30.pt"),
    ]

    found, order, _ = in_order(points, "auto")

    assert [one.at for one in found] == [10, 20, 30]
    assert (order.axis, order.source) == (
        "step",
        "the number after 'step' in their names",
    )


def test_a_column_of_the_manifest_goes_first():
    points = [
        point("b1.pt", carried={"epoch": 2}, metadata={"epoch": 7}),
        point("b2.pt", carried={"epoch": 1}, metadata={"epoch": 8}),
    ]

    found, order, _ = in_order(points, "auto")

    assert [one.path for one in found] == ["b2.pt", "b1.pt"]
    assert order.source == "column 'epoch' of the manifest"


@pytest.mark.parametrize("by", ["samples", "meta.samples"])
def test_any_entry_can_be_asked_for(by):
    points = [
        point("a.pt", metadata={"samples": 9}),
        point("b.pt", metadata={"samples": 4}),
    ]

    found, order, _ = in_order(points, by)

    assert [one.path for one in found] == ["b.pt", "a.pt"]
    assert order.axis == "samples"


def test_by_name_and_by_content_say_so():
    points = [
        point("epoch_1.pt", metadata={"epoch": 20}),
        point("epoch_2.pt", metadata={"epoch": 10}),
    ]

    assert [one.at for one in in_order(points, "name")[0]] == [1, 2]
    assert [one.at for one in in_order(points, "content")[0]] == [10, 20]


def test_names_and_content_that_disagree_are_told():
    points = [
        point("epoch_1.pt", metadata={"epoch": 20}),
        point("epoch_2.pt", metadata={"epoch": 10}),
    ]

    _, _, (notice,) = in_order(points, "auto")

    assert "disagree" in notice
    assert "'epoch_1.pt' says 20 inside" in notice


def test_of_two_checkpoints_of_one_epoch_the_first_keeps_it():
    points = [
        point("epoch_2.pt", metadata={"epoch": 2}, row={"sha256": "b"}),
        point("epoch_1.pt", metadata={"epoch": 1}, row={"sha256": "a"}),
        point("last.pt", metadata={"epoch": 2}, row={"sha256": "b"}),
        point("other.pt", metadata={"epoch": 2}, row={"sha256": "c"}),
    ]

    found, _, _ = in_order(points, "auto")

    assert [one.status for one in found] == [TRACED, TRACED, ASIDE, ASIDE]
    assert found[2].reason == (
        "the same content as 'epoch_2.pt' (epoch 2), which comes first by name"
    )
    assert found[3].reason.startswith("of the same place as 'epoch_2.pt'")


def test_a_checkpoint_without_an_epoch_is_set_aside():
    points = [point("epoch_1.pt"), point("epoch_2.pt"), point("best.pt")]

    found, _, _ = in_order(points, "auto")

    assert found[-1].path == "best.pt"
    assert (found[-1].status, found[-1].at) == (ASIDE, None)
    assert found[-1].reason.startswith("no epoch: ")


def test_a_broken_checkpoint_does_not_take_a_place():
    points = [
        point("a/epoch_1.pt", FAILED, reason="broken", layers=()),
        point("b/epoch_1.pt"),
        point("b/epoch_2.pt"),
    ]

    found, _, _ = in_order(points, "name")

    assert [one.status for one in found] == [FAILED, TRACED, TRACED]


@pytest.mark.parametrize("by", ["auto", "name", "content", "epoch"])
def test_nothing_to_order_by_is_refused(by):
    points = [point("a.pt"), point("b.pt")]

    with pytest.raises(UsageError, match="nothing to order 2 checkpoints by"):
        in_order(points, by)


def test_nothing_to_order_by_is_found_out_before_the_analysis(tmp_path):
    sources = [Source(name, str(tmp_path / name), {}) for name in ("a.pt", "b.pt")]

    with pytest.raises(UsageError, match="nothing to order 2 checkpoints by"):
        require_order(sources, "auto")
    with pytest.raises(UsageError, match="name files like"):
        require_order(sources, "name")


def test_what_only_the_analysis_can_tell_is_not_refused_before_it():
    sources = [Source("a.pt", "/none/a.pt", {}), Source("b.pt", "/none/b.pt", {})]

    assert require_order(sources, "samples") is None
