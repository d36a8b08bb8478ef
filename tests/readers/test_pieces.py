"""Pieces that ranks wrote as safetensors make up whole tensors."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from boundkit.errors import Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers import read

WHOLE = np.arange(35, dtype=np.float32).reshape(5, 7)


def write(folder, *ranks, parts=1):
    """Write one file per rank, each with {name: (offsets, piece)}."""
    folder.mkdir(exist_ok=True)
    for number, pieces in enumerate(ranks, 1):
        if pieces is None:
            continue
        offsets = {
            name: {"saved_offsets": begin} for name, (begin, _) in pieces.items()
        }
        save_file(
            {name: np.ascontiguousarray(piece) for name, (_, piece) in pieces.items()},
            folder / f"shard-{number:05}-model-00001-of-{parts:05}.safetensors",
            metadata={"DCP_SHARDING_INFO": json.dumps(offsets), "DCP_VERSION": "1.0"},
        )
    return folder


def test_pieces_are_put_together(tmp_path):
    folder = write(
        tmp_path / "x",
        {"rows": ([0, 0], WHOLE[:3]), "columns": ([0, 0], WHOLE[:, :4])},
        {"rows": ([3, 0], WHOLE[3:]), "columns": ([0, 4], WHOLE[:, 4:]),
         "whole": ([0], WHOLE[0])},
    )  # fmt: skip

    checkpoint = read(folder)

    assert checkpoint.format == "distributed safetensors"
    assert [n.code for n in checkpoint.notices] == ["shapes-inferred"]
    np.testing.assert_array_equal(array(checkpoint.tensors["rows"]), WHOLE)
    np.testing.assert_array_equal(array(checkpoint.tensors["columns"]), WHOLE)
    np.testing.assert_array_equal(array(checkpoint.tensors["whole"]), WHOLE[0])


@pytest.mark.parametrize(
    ("ranks", "cause"),
    [
        (({"w": ([0, 0], WHOLE[:2])}, {"w": ([3, 0], WHOLE[3:])}), "do not add up"),
        (({"w": ([0, 0], WHOLE[:3])}, {"w": ([1, 0], WHOLE[3:])}), "do not add up"),
        (({"w": ([0, 0], WHOLE)}, {"w": ([0], WHOLE[0])}), "numbers of dimensions"),
        (({"w": ([0], WHOLE)},), "numbers of dimensions"),
        (({"w": ([0, 0], WHOLE[:3])}, {"w": ([3, 0], WHOLE[3:].astype("f8"))}),
         "of several types: 'float32', 'float64'"),
        (({"w": ([-1, 0], WHOLE)},), "does not say where the piece of 'w' begins"),
        (({"w": ("x", WHOLE)},), "does not say where the piece of 'w' begins"),
        ((None, {"w": ([0, 0], WHOLE)}), "holds files of 1 of 2 ranks and 1 of 1 parts"),
    ],
)  # fmt: skip
def test_pieces_that_do_not_fit_are_unreadable(tmp_path, ranks, cause):
    with pytest.raises(Unreadable, match=cause):
        read(write(tmp_path / "x", *ranks))


def test_missing_parts_are_said(tmp_path):
    with pytest.raises(Unreadable, match="1 of 1 ranks and 1 of 3 parts"):
        read(write(tmp_path / "x", {"w": ([0, 0], WHOLE)}, parts=3))


def test_one_piece_alone_says_so(tmp_path):
    folder = write(
        tmp_path / "x", {"w": ([0, 0], WHOLE[:3])}, {"w": ([3, 0], WHOLE[3:])}
    )

    notices = read(folder / "shard-00001-model-00001-of-00001.safetensors").notices

    assert [n.code for n in notices] == ["one-shard"]
    assert "analyze its folder" in notices[0].message
