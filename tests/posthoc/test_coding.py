import json
from dataclasses import replace

import pytest
import torch
from torch import nn

import boundkit
from boundkit.errors import DataError, ModelError, UsageError
from boundkit.posthoc.certificate import document, parsed, schema

_N = 1500


def blobs(n=_N, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (n,), generator=g)
    x = torch.randn(n, 6, generator=g)
    x[:, 0] += 4 * y - 2
    return x, y


def net(norm=False):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(nn.Linear(6, 8), *middle, nn.ReLU(), nn.Linear(8, 2))


def fitted(x, y, norm=False, steps=150):
    module = net(norm)
    adam = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(steps):
        adam.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        adam.step()
    return module.eval()


def errors(state, x, y, norm=False):
    module = net(norm).eval()
    module.load_state_dict(state)
    with torch.no_grad():
        return int((module(x).argmax(1) != y).sum())


@pytest.fixture(scope="module")
def easy():
    x, y = blobs()
    module = fitted(x, y, norm=True)
    return x, y, module, boundkit.code(module, data=(x, y), budget=2.0)


def test_an_easy_task_is_certified(easy):
    x, y, _, found = easy
    certificate = found.certificate

    assert certificate.kind == "code"
    assert certificate.bound < 0.3
    assert not certificate.vacuous
    assert certificate.errors == errors(found.state, x, y, norm=True)
    assert certificate.bound > certificate.error


def test_fresh_samples_agree(easy):
    _, _, _, found = easy
    x, y = blobs(20000, seed=7)

    assert errors(found.state, x, y, norm=True) / len(y) < found.certificate.bound


def test_its_json_satisfies_the_schema(easy):
    from jsonschema import Draft202012Validator

    found = json.loads(json.dumps(document(easy[3].certificate), allow_nan=False))

    Draft202012Validator(schema()).validate(found)


def verified(easy, certificate=None, state=None, data=None):
    x, y, _, found = easy
    return boundkit.verify(
        certificate or found.certificate,
        state or dict(found.state),
        model=net(norm=True),
        data=data or (x, y),
    )


def wrong(found):
    return {check.name for check in found.checks if not check.holds}


def test_a_certificate_verifies(easy):
    assert wrong(verified(easy)) == set()


def test_a_certificate_verifies_from_its_json(easy):
    text = json.loads(json.dumps(document(easy[3].certificate)))

    assert wrong(verified(easy, parsed(text, "c.json"))) == set()


def test_one_flipped_weight_is_found(easy):
    state = {name: value.clone() for name, value in easy[3].state.items()}
    one = state["0.weight"][0, 0]
    state["0.weight"][0, 0] = torch.nextafter(one, torch.tensor(9.0))

    assert "decoded weights" in wrong(verified(easy, state=state))


def test_batch_statistics_cannot_be_smuggled_in(easy):
    state = {name: value.clone() for name, value in easy[3].state.items()}
    state["1.running_mean"] += 0.5

    assert wrong(verified(easy, state=state))


def changed(easy, **keys):
    text = json.loads(json.dumps(document(easy[3].certificate)))
    return parsed(text | keys, "c.json")


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"n": 10 * _N}, "sample size"),
        ({"errors": 0}, "errors"),
        ({"bound": 0.001}, "bound"),
        ({"bits": 3.0}, "bits"),
        ({"bits_symbols": 3.0}, "bits_symbols"),
        ({"delta": 0.5}, "bound"),
    ],
)
def test_a_changed_number_is_found(easy, keys, name):
    assert name in wrong(verified(easy, changed(easy, **keys)))


def test_other_data_are_found(easy):
    assert "data" in wrong(verified(easy, data=blobs(seed=3)))


def test_a_code_that_is_none_is_refused(easy):
    with pytest.raises(DataError, match="no code"):
        verified(easy, changed(easy, code=None))


def test_random_labels_are_not_certified():
    x, _ = blobs(400)
    y = torch.randint(2, (400,), generator=torch.Generator().manual_seed(5))

    found = boundkit.code(fitted(x, y), data=(x, y), budget=1.0)

    assert found.certificate.bound > 0.5
    assert any("vacuous" in told for told in found.certificate.warnings)


class Memorizer(nn.Module):
    """Right on the sample, wrong elsewhere: its table is a counted tensor."""

    def __init__(self, x=None, y=None):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(300, 6) if x is None else x.clone())
        self.answers = nn.Parameter(torch.zeros(300, 2) if y is None else y.clone())

    def forward(self, x):
        near = torch.cdist(x, self.table) < 1e-3
        return near.to(x) @ self.answers + torch.tensor([0.0, 0.1])


def test_a_memorizer_is_not_believed():
    x, _ = blobs(300)
    y = torch.randint(2, (300,), generator=torch.Generator().manual_seed(5))
    module = Memorizer(x, nn.functional.one_hot(y, 2).float()).eval()

    found = boundkit.code(module, data=(x, y), budget=1.0)

    # Its true risk is one half on labels that are coins.
    assert found.certificate.bound > 0.5


def test_the_weights_before_training_may_be_the_center():
    x, y = blobs()
    found = boundkit.code(fitted(x, y), init=net(), data=(x, y), budget=1.5)
    source = found.certificate.own["prior"]["center"]

    assert source in {"zero", "init"}
    checks = boundkit.verify(
        found.certificate, dict(found.state), model=net(), init=net(), data=(x, y)
    )
    assert checks.passed


def test_a_trained_init_is_refused():
    x, y = blobs()
    module = fitted(x, y)

    with pytest.raises(UsageError, match="it has been trained"):
        boundkit.code(module, init=module, data=(x, y), budget=1.0)


def test_ctrl_c_keeps_the_best_so_far():
    x, y = blobs()

    def stop(done, total, label):
        del total, label
        if done == 3:
            raise KeyboardInterrupt

    found = boundkit.code(fitted(x, y), data=(x, y), budget=60, progress=stop)

    assert found.certificate.own["stopped"] == "interrupted"
    assert found.certificate.own["tries"] == 3
    assert boundkit.verify(
        found.certificate, dict(found.state), model=net(), data=(x, y)
    ).passed


def test_a_tiny_budget_gives_a_valid_certificate_that_says_so():
    x, y = blobs()
    found = boundkit.code(fitted(x, y), data=(x, y), budget=1e-6)

    assert found.certificate.own["stopped"] == "budget"
    assert any("budget" in told for told in found.certificate.warnings)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"data": None}, "code needs the training sample"),
        ({"delta": 0.0}, "delta must lie in"),
        ({"delta": 1.0}, "delta must lie in"),
        ({"budget": 0.0}, "budget must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"lowrank": "some"}, "lowrank must be"),
        ({"lowrank": 0}, "lowrank must be"),
        ({"lowrank": True}, "lowrank must be"),
    ],
)
def test_arguments_without_sense_are_refused(keys, message):
    with pytest.raises(UsageError, match=message):
        boundkit.code(net(), **({"data": blobs(20)} | keys))


def test_weights_that_are_not_finite_are_refused():
    module = net()
    module[0].weight.data[0, 0] = float("nan")

    with pytest.raises(ModelError, match="NaN or infinite"):
        boundkit.code(module, data=blobs(20), budget=1.0)


def test_labels_beyond_the_outputs_are_refused():
    x, y = blobs(20)

    with pytest.raises(DataError, match="labels run from"):
        boundkit.code(net(), data=(x, y + 5), budget=1.0)


def test_files_are_written_whole(tmp_path):
    x, y = blobs()
    place = tmp_path / "coded.safetensors"
    found = boundkit.code(fitted(x, y), data=(x, y), budget=1.0, out=place)
    checks = boundkit.verify(
        tmp_path / "coded.safetensors.certificate.json", place, model=net(), data=(x, y)
    )

    assert checks.passed
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "coded.safetensors",
        "coded.safetensors.certificate.json",
    ]
    assert found.certificate.certifies.startswith("the file coded.safetensors")


def test_another_init_is_found():
    x, y = blobs()
    found = boundkit.code(fitted(x, y), init=net(), data=(x, y), budget=1.5)
    torch.manual_seed(9)
    other = net()
    nn.init.normal_(other[0].weight, std=0.1)
    own = dict(found.certificate.own)
    if own["prior"]["center"] == "zero":
        own["code"] = dict(own["code"]) | {"center": "init"}
    checks = boundkit.verify(
        replace(found.certificate, own=own),
        dict(found.state),
        model=net(),
        init=other,
        data=(x, y),
    )

    assert {"prior", "decoded weights"} <= wrong(checks)
