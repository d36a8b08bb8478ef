"""Every number of a report has an entry, and every entry says what it is."""

import pytest
import torch
from torch import nn

import boundkit
from boundkit.measure.collapse import MEASURES
from boundkit.measure.glossary import glossary
from boundkit.measure.noise.findings import COLUMNS
from boundkit.measure.printed import PRINTED

ENTRIES = {entry.name: entry for entry in glossary()}
#: What a row of the layer table has beside its numbers.
WORDS = {"name", "kind", "shape", "parameters", "counted", "geometry", "spectrum"}


def report(outputs, **options):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(60, 55, bias=False), nn.ReLU(), nn.Linear(55, outputs, bias=False)
    )
    x = torch.randn(90, 60)
    y = torch.arange(90) % 3 if outputs > 1 else x[:, 0].sign().long()
    return boundkit.analyze(net, model=net, data=(x, y), **options)


def test_names_are_unique():
    assert len(ENTRIES) == len(glossary())


@pytest.mark.parametrize("entry", glossary(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry):
    assert entry.group
    assert entry.formula
    assert entry.needs
    assert entry.source


def test_formulas_stand_where_they_are_computed():
    assert {m.name for m in MEASURES} <= ENTRIES.keys()
    assert {n.removesuffix("_stderr") for n in COLUMNS} <= ENTRIES.keys()
    for name, source, _ in PRINTED:
        assert ENTRIES[name].heuristic
        assert ENTRIES[name].source.endswith(source)


@pytest.mark.parametrize("outputs", [1, 3])
def test_every_number_of_a_report_has_an_entry(outputs):
    start = nn.Sequential(
        nn.Linear(60, 55, bias=False), nn.ReLU(), nn.Linear(55, outputs, bias=False)
    )
    of = report(
        outputs,
        init=start,
        weight_decay=1e-3,
        only=["norms", "bounds", "spectra", "margins"],
    )
    kinds = {m.name: m.kind for m in of.measurements}
    named = kinds.keys() | set(of.frame("layers").columns) - WORDS
    named |= of.margins.keys() - {"histogram", "normalized", "test"}

    assert len(named) > 60
    assert named <= ENTRIES.keys()
    for name, kind in kinds.items():
        assert ENTRIES[name].heuristic == (kind == "heuristic"), name
