"""The order of the certificates in a report."""

import pytest
import torch
from torch import nn

import boundkit
from boundkit.report import markdown, text


def analyzed(**test):
    torch.manual_seed(0)
    x, y = torch.randn(60, 1, 6, 6), torch.randint(2, (60,)) * 2 - 1
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 1, bias=False))
    return boundkit.analyze(net, data=(x, y), only=["bounds"], **test)


def test_a_held_out_sample_comes_first():
    torch.manual_seed(1)
    held = torch.randn(40, 1, 6, 6), torch.randint(2, (40,)) * 2 - 1
    report = analyzed(test_data=held)

    assert next(iter(report.certificates)) == "holdout"
    assert report.certificates["holdout"].value is not None
    assert set(report.certificates) == {bound.id for bound in boundkit.BOUNDS}


@pytest.mark.parametrize("layout", [text, markdown])
def test_it_is_printed_first(layout):
    torch.manual_seed(1)
    held = torch.randn(40, 1, 6, 6), torch.randint(2, (40,)) * 2 - 1
    printed = layout.render(analyzed(test_data=held))
    # Markdown escapes underscores.
    plain = [bound.id for bound in boundkit.BOUNDS if "_" not in bound.id]
    rows = [printed.index(name) for name in plain]

    assert min(rows) == printed.index("holdout")


def test_without_one_the_catalog_keeps_its_order():
    assert list(analyzed().certificates) == [bound.id for bound in boundkit.BOUNDS]
