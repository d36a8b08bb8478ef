"""A share of stored features is read block by block."""

import torch

from boundkit.data.features import features_of
from boundkit.measure.feature_share import Share


def test_blocks_carry_their_first_index_and_labels():
    h, y = torch.arange(20.0).reshape(10, 2), torch.arange(10) % 3
    told = []
    share = Share(features_of(h, y), 3, 9, "cpu", lambda *a: told.append(a))

    found = list(share.blocks(4, "reading"))

    assert [first for first, _, _ in found] == [3, 7]
    assert torch.equal(torch.cat([block for _, block, _ in found]), h[3:9])
    assert torch.equal(torch.cat([labels for _, _, labels in found]), y[3:9])
    assert told == [(4, 6, "reading"), (6, 6, "reading")]


def test_blocks_of_wide_features_have_fewer_rows():
    narrow, wide = (
        Share(features_of(torch.ones(2, p), [0, 1]), 0, 2, "cpu", None)
        for p in (10, 10_000)
    )

    assert narrow.rows() > 100 * wide.rows() >= 100
    assert wide.rows(512) == 512
