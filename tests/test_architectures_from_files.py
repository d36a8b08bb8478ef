"""The same networks from files that tell of themselves: statuses and reasons as with the model."""

import functools

import pytest
import torch

import boundkit
from boundkit.certify import BOUNDS
from tests.architectures import NETS
from tests.test_architectures import (
    EXCEPTIONS,
    ON_WEIGHTS,
    RULED_OUT,
    RULED_OUT_BY_TENSORS,
    SHAPE,
    N,
)

pytestmark = pytest.mark.filterwarnings("ignore")

each_net = pytest.mark.parametrize("make", NETS, ids=lambda make: make.__name__)


def _scripted(net, path):
    torch.jit.save(torch.jit.script(net), path)


def _jit_traced(net, path):
    x = torch.randn(3, *SHAPE)
    torch.jit.save(torch.jit.trace(net, x, check_trace=False), path)


def _exported(net, path):
    torch.export.save(torch.export.export(net, (torch.randn(3, *SHAPE),)), path)


def _pickled(net, path):
    torch.save(net, path)


@functools.cache
def _report(make, save, folder):
    torch.manual_seed(0)
    path = folder / f"{make.__name__}-{save.__name__}.pt2"
    save(make(), path)
    return boundkit.analyze(path, n=N, input_shape=SHAPE, only=["bounds"])


@functools.cache
def _by_model(make):
    torch.manual_seed(0)
    return boundkit.analyze(make(), n=N, input_shape=SHAPE, only=["bounds"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nets")


def _violated(certificate):
    return " | ".join(a.detail for a in certificate.assumptions if a.holds is False)


@each_net
@pytest.mark.parametrize("save", [_scripted, _jit_traced])
def test_code_gives_every_status_that_the_model_gives(make, save, folder):
    report, expected = _report(make, save, folder), _by_model(make)

    assert report.conventions["architecture"] == "traced"
    for bound in ON_WEIGHTS:
        found, wanted = report.certificates[bound], expected.certificates[bound]
        reason = RULED_OUT.get(make.__name__) or EXCEPTIONS.get((make.__name__, bound))
        assert found.status == wanted.status, bound
        assert (reason or "") in _violated(found)
        assert found.log10 == wanted.log10


#: Networks that no bound on weights covers, and why: programs call no modules.
EXPORTED = {
    "gelu_mlp": "gelu.default is not covered",
    "attention": "is not covered",
    "transformer": "attention is not a chain",
    "lstm": "recurrence is not a chain",
    "gru": "recurrence is not a chain",
}


@each_net
def test_exported_programs_give_the_status_of_the_model(make, folder):
    report, expected = _report(make, _exported, folder), _by_model(make)

    for bound in ON_WEIGHTS:
        found, wanted = report.certificates[bound], expected.certificates[bound]
        reason = EXPORTED.get(make.__name__, EXCEPTIONS.get((make.__name__, bound), ""))
        assert found.status == wanted.status, bound
        assert reason in _violated(found)
        if wanted.log10 is not None:
            assert found.log10 == pytest.approx(wanted.log10, rel=1e-12)


def _is_chain_of_torch(make):
    return make.__name__ not in {"resnet", "attention", "transformer", "lstm", "gru"}


@each_net
def test_pickled_modules_are_traced_where_their_order_is_known(make, folder):
    report, expected = _report(make, _pickled, folder), _by_model(make)
    followed = _is_chain_of_torch(make) and make.__name__ != "gelu_mlp"

    assert (report.conventions["architecture"] == "traced") == followed
    assert ([w.code for w in report.warnings] == ["not-traced"]) != followed
    for bound in ON_WEIGHTS:
        found = report.certificates[bound]
        if followed:
            assert found.status == expected.certificates[bound].status
            assert found.log10 == expected.certificates[bound].log10
        elif reason := RULED_OUT_BY_TENSORS.get(make.__name__):
            assert found.status == "invalid"
            assert reason in _violated(found)
        else:
            assert found.status in {"assumed", "unavailable"}


@each_net
@pytest.mark.parametrize("save", [_scripted, _jit_traced, _exported, _pickled])
def test_no_file_makes_a_bound_without_a_proof_print_a_value(make, save, folder):
    report = _report(make, save, folder)

    assert tuple(report.certificates) == tuple(bound.id for bound in BOUNDS)
    assert report.certificates["holdout"].status == "unavailable"
    for certificate in report.certificates.values():
        proved = certificate.status in {"valid", "assumed"}
        states = {a.holds for a in certificate.assumptions}
        assert (certificate.log10 is not None) == proved
        assert (False in states) == (certificate.status == "invalid")
        if not proved:
            assert certificate.value is None
            assert certificate.note or False in states
