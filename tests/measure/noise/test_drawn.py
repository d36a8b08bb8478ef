"""Drawing samples: without replacement, by the seed alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import DataError
from boundkit.measure.noise.drawn import draw

X = torch.arange(20.0)[:, None]
SAMPLES = open_data((X, torch.arange(20) % 2), "train")


def test_all_are_taken_in_order_where_few_are_there():
    found = draw(SAMPLES, 50, 0, 7)

    assert torch.equal(found.x, X)
    assert found.population == 20


def test_the_choice_depends_on_the_seed_alone():
    one, other = (draw(SAMPLES, 8, 3, size).x for size in (3, 20))
    unlike = draw(SAMPLES, 8, 4, 20).x

    assert torch.equal(one, other)
    assert len(np.unique(one)) == 8
    assert not torch.equal(one, unlike)


def test_labels_stay_with_their_samples():
    found = draw(SAMPLES, 8, 1, 6)

    assert torch.equal(found.labels, found.x[:, 0].long() % 2)


def test_a_stream_is_counted_first():
    found = draw(replace(SAMPLES, n=None), 8, 1, 6)

    assert found.population == 20
    assert torch.equal(found.x, draw(SAMPLES, 8, 1, 6).x)


def test_every_sample_is_as_likely_as_any_other():
    counts = np.zeros(20)
    for seed in range(400):
        counts[draw(SAMPLES, 5, seed, 20).x[:, 0].long()] += 1

    # Five standard deviations of a count with mean 100.
    np.testing.assert_allclose(counts, 100, atol=45)


def test_a_stream_that_grows_is_refused():
    lengths = iter([10, 20])

    def source(size):
        n = next(lengths)
        yield X[:n], torch.zeros(n)

    growing = replace(SAMPLES, n=None, source=source)
    with pytest.raises(DataError, match="gives 20 samples or more, but gave 10 before"):
        draw(growing, 5, 0, 32)


def test_progress_is_told():
    calls = []
    draw(SAMPLES, 5, 0, 8, lambda *call: calls.append(call))

    assert calls == [(8, 20, "samples"), (16, 20, "samples"), (20, 20, "samples")]
