"""For each kind of network and each bound: the right status, for the right reason."""

import json

import pytest
import torch
from boundkit_cli.app import app
from typer.testing import CliRunner

import boundkit
from boundkit.certify import BOUNDS
from tests import architectures
from tests.architectures import NETS

N = 60
SHAPE = (1, 8, 8)
IDS = tuple(bound.id for bound in BOUNDS)
ON_WEIGHTS = tuple(name for name in IDS if name != "holdout")

each_net = pytest.mark.parametrize("make", NETS, ids=lambda make: make.__name__)

#: Networks that no bound on weights covers, and why, with their architecture known.
RULED_OUT = {
    "gelu_mlp": "GELU is not covered",
    "attention": "attention is not a chain",
    "transformer": "attention is not a chain",
    "lstm": "recurrence is not a chain",
    "gru": "recurrence is not a chain",
}
#: The same from the tensors alone; an activation does not show in them.
RULED_OUT_BY_TENSORS = {
    "resnet": "running_mean",
    "vgg": "running_mean",
    "depthwise": "running_mean",
    "attention": "attention is not a chain",
    "transformer": "attention is not a chain",
    "lstm": "recurrent",
    "gru": "recurrent",
}
#: (network, bound) -> why it does not hold, where most bounds do.
EXCEPTIONS = {
    **{("resnet", b): "residual addition" for b in ON_WEIGHTS if b != "sparse_cnn"},
    ("vgg", "dense"): "applied at many positions",
    ("vgg", "toeplitz"): "max pooling is not a matrix",
    ("vgg", "neyshabur2015"): "max pooling is not a matrix",
    ("vgg", "galanti2023"): "has a bias",
    ("vgg", "neyshabur2018"): "the theorem does not cover",
    ("biased_mlp", "galanti2023"): "has a bias",
    ("biased_mlp", "neyshabur2018"): "the theorem does not cover",
    ("plain_cnn", "dense"): "applied at many positions",
    ("depthwise", "dense"): "applied at many positions",
    ("depthwise", "galanti2023"): "has a bias",
    ("depthwise", "neyshabur2018"): "the theorem does not cover",
}


def _sample(net):
    torch.manual_seed(1)
    x = torch.randn(N, *SHAPE)
    with torch.inference_mode():
        outputs = net(x).shape[1]
    labels = torch.arange(N) % max(outputs, 2)
    return x, labels if outputs > 1 else 2 * labels - 1


def _made(make):
    torch.manual_seed(0)
    return make()


def _with_data(make):
    net = _made(make)
    sample = _sample(net)
    return boundkit.analyze(
        net.state_dict(), model=net, data=sample, test_data=sample, only=["bounds"]
    )


def _with_model(make):
    net = _made(make)
    return boundkit.analyze(
        net.state_dict(), model=net, n=N, input_shape=SHAPE, only=["bounds"]
    )


def _bare(make):
    return boundkit.analyze(_made(make).state_dict(), n=N, only=["bounds"])


def _violated(certificate):
    return " | ".join(a.detail for a in certificate.assumptions if a.holds is False)


def _reason(make, bound):
    return RULED_OUT.get(make.__name__) or EXCEPTIONS.get((make.__name__, bound))


@each_net
@pytest.mark.parametrize(
    ("analyzed", "good"), [(_with_data, "valid"), (_with_model, "assumed")]
)
def test_each_bound_on_weights_has_the_right_status(make, analyzed, good):
    report = analyzed(make)

    for bound in ON_WEIGHTS:
        certificate, reason = report.certificates[bound], _reason(make, bound)
        assert certificate.status == ("invalid" if reason else good), bound
        assert (reason or "") in _violated(certificate)


@each_net
def test_each_bound_on_tensors_alone_has_the_right_status(make):
    report = _bare(make)
    reason = RULED_OUT_BY_TENSORS.get(make.__name__)

    for bound in ON_WEIGHTS:
        certificate = report.certificates[bound]
        exception = EXCEPTIONS.get((make.__name__, bound))
        allowed = {"invalid"} if reason or exception else {"assumed", "unavailable"}
        assert certificate.status in allowed, bound
        assert (reason or exception or "") in _violated(certificate)
        if certificate.status == "unavailable":
            assert "--model" in certificate.note


@each_net
def test_held_out_samples_need_no_assumption_about_the_network(make):
    assert _with_data(make).certificates["holdout"].status == "valid"
    assert _with_model(make).certificates["holdout"].status == "unavailable"


@each_net
@pytest.mark.parametrize("analyzed", [_with_data, _with_model, _bare])
def test_no_bound_without_a_proof_prints_a_value(make, analyzed):
    report = analyzed(make)

    # The bound on held-out samples comes first where there are some.
    assert sorted(report.certificates) == sorted(IDS)
    for certificate in report.certificates.values():
        states = {a.holds for a in certificate.assumptions}
        proved = certificate.status in {"valid", "assumed"}
        assert (certificate.log10 is not None) == proved
        assert (False in states) == (certificate.status == "invalid")
        assert certificate.status != "valid" or states == {True}
        if not proved:
            assert certificate.value is None
            assert certificate.note or False in states


@each_net
def test_model_and_graph_agree(make):
    assert [w.code for w in _with_data(make).warnings] == []


@each_net
def test_the_report_comes_out(make, tmp_path):
    path = tmp_path / "net.pt"
    torch.save(_made(make).state_dict(), path)
    spec = f"{architectures.__file__}:{make.__name__}"
    given = ["--model", spec, "--input-shape", "1,8,8", "--n", str(N)]

    done = CliRunner().invoke(
        app, ["analyze", str(path), *given, "--format", "json", "--only", "bounds"]
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["conventions"]["architecture"] == "traced"


def test_folded_networks_tell_both_products():
    report = _with_model(architectures.vgg)
    folded = {row.tensor: row for row in report.ledger if row.status == "folded"}

    assert report.rho_folded.log10 != report.rho_stored.log10
    assert report.conventions["rewrites"] == ["drop_identities", "fold_norm"]
    assert folded["1.running_var"].layer == folded["1.weight"].layer == "0.weight"
    assert "folded into 0.weight" in folded["1.bias"].reason
    assert report.coverage > _bare(architectures.vgg).coverage


def test_layer_rows_show_the_norms_as_stored():
    net = _made(architectures.vgg)
    report = boundkit.analyze(net, n=N, input_shape=SHAPE, only=["bounds"])

    stored = float(net[0].weight.detach().double().norm())
    assert report.layers[0].rho == pytest.approx(stored, rel=1e-12)


def test_without_batch_norm_nothing_is_folded():
    assert _with_model(architectures.plain_cnn).rho_folded is None


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (architectures.resnet, {"residual additions": 2, "normalization layers": 5}),
        (architectures.vgg, {"max pooling": 2, "biases": 4}),
        (architectures.depthwise, {"average pooling": 1}),
        (architectures.attention, {"attention": 1}),
        (architectures.lstm, {"recurrence": 1}),
        (architectures.gelu_mlp, {"other operations": 1}),
    ],
)
def test_what_the_graph_holds_is_told(make, found):
    assert found.items() <= _with_model(make).conventions["structure"].items()
