from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import boundkit
from boundkit.comparison import compare
from boundkit.errors import ModelError, Unreadable, UsageError
from tests.report.reports import report

DECAYS = (1e-2, 1e-3, 0.0)


def make():
    return nn.Sequential(
        nn.Linear(6, 16, bias=False), nn.ReLU(), nn.Linear(16, 1, bias=False)
    )


def sample(count, seed):
    x = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))
    x /= x.norm(dim=1, keepdim=True)
    return x, 2 * (x[:, 0] > 0).long() - 1


def trained(decay, seed):
    torch.manual_seed(seed)
    net, (x, y) = make(), sample(200, 0)
    steps = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9, weight_decay=decay)
    for _ in range(100):
        steps.zero_grad()
        ((net(x)[:, 0] - y) ** 2).mean().backward()
        steps.step()
    return net


@pytest.fixture(scope="module")
def nets():
    return [trained(decay, seed) for seed, decay in enumerate(DECAYS)]


@pytest.fixture(scope="module")
def files(nets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets")
    for name, net in zip("abc", nets, strict=True):
        torch.save(net.state_dict(), folder / f"{name}.pt")
    return [str(folder / f"{name}.pt") for name in "abc"]


def with_data(sources, **options):
    return compare(
        sources, model=make(), data=sample(200, 0), test_data=sample(500, 1), **options
    )


def test_rho_over_gamma_is_the_norms_over_the_quantile_of_the_margins(nets, files):
    found = with_data(files, margin_loss=0.1).relative
    x, y = sample(200, 0)
    for net, margin, ratio in zip(
        nets, found.chosen.margins, found.chosen.log10_ratios, strict=True
    ):
        rho = math.prod(float(w.detach().double().norm()) for w in net.parameters())
        gamma = np.quantile((net(x)[:, 0] * y).detach().double().numpy(), 0.1)

        assert margin == pytest.approx(gamma, rel=1e-6)  # margins are float32
        assert 10**ratio == pytest.approx(rho / gamma, rel=1e-6)  # the same


def test_the_held_out_errors_are_those_of_the_nets(nets, files):
    x, y = sample(500, 1)
    expected = tuple(float((net(x)[:, 0] * y <= 0).double().mean()) for net in nets)

    assert with_data(files).relative.test_errors == pytest.approx(expected, rel=1e-12)


def test_the_bounds_are_valid_and_ranked_as_rho_over_gamma(files):
    found = with_data(files)
    ratios = dict(zip(found.labels, found.relative.chosen.log10_ratios, strict=True))
    ranked = [label for group in found.ranking for label in group]

    assert found.relative.status == "valid"
    assert sorted(ranked) == ["A", "B", "C"]
    assert all(ratios[a] < ratios[b] for a, b in pairwise(ranked))
    assert {one.status for one in found.certificates["sparse_cnn"]} == {"valid"}


@pytest.mark.parametrize("c", [1e-3, 0.5, 1e4])
@pytest.mark.parametrize("layer", [0, 2])
def test_scaling_a_layer_changes_neither_rho_over_gamma_nor_the_ranking(c, layer, nets):
    base = with_data(nets)
    scaled = [make() for _ in nets]
    for old, new in zip(nets, scaled, strict=True):
        new.load_state_dict(old.state_dict())
        with torch.no_grad():
            new[layer].weight *= c
    found = with_data(scaled)

    assert found.ranking == base.ranking
    for new, old in zip(
        found.relative.chosen.log10_ratios,
        base.relative.chosen.log10_ratios,
        strict=True,
    ):
        assert new == pytest.approx(old, abs=1e-5)  # margins are float32


def test_the_order_of_a_pair_is_antisymmetric(files):
    one, two = with_data(files[:2]).pairs[0], with_data(files[1::-1]).pairs[0]

    assert one.order == -two.order != 0
    assert one.log10_factor == -two.log10_factor
    assert one.test_order == -two.test_order


def test_the_norms_stand_side_by_side(nets, files):
    found = compare(files)
    norms = [float(net[2].weight.detach().double().norm()) for net in nets]

    assert [layer.name for layer in found.layers] == ["0.weight", "2.weight"]
    assert found.layers[1].rho == pytest.approx(norms, rel=1e-12)
    assert found.layers[1].log10_rho == pytest.approx(np.log10(norms), rel=1e-12)


def test_without_data_rho_itself_is_ranked_at_an_assumed_margin(files):
    found = compare(files)
    rhos = [one.value for one in found.relative.rhos]

    assert found.relative.status == "assumed"
    assert found.ranking == tuple(
        (label,) for _, label in sorted(zip(rhos, found.labels, strict=True))
    )
    assert found.agreements == ()


def test_every_pair_is_held_against_the_held_out_errors(files):
    found = with_data(files)
    by = [one.by for one in found.agreements]

    assert by[:2] == ["rho / gamma", "sparse_cnn"]
    assert "holdout" not in by
    for one in found.agreements:
        groups = one.agree + one.disagree + one.ties + one.undefined
        assert sorted(groups) == [("A", "B"), ("A", "C"), ("B", "C")]


def test_another_architecture_is_refused_before_anything_is_computed(
    files, tmp_path, monkeypatch
):
    path = tmp_path / "other.pt"
    torch.save(nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 1)), path)
    monkeypatch.setattr("boundkit.analysis.analyze", None)

    # Names of files are shortened in a message; where the test runs may be a long one.
    with pytest.raises(UsageError, match=r"' is not of .*'0.weight' is linear 9x6"):
        compare([*files, str(path)])


def test_a_broken_checkpoint_is_named(files, tmp_path):
    path = tmp_path / "broken.pt"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 40)

    with pytest.raises(Unreadable, match=r"broken\.pt"):
        compare([*files, str(path)])


def test_a_model_that_does_not_fit_is_refused_with_the_checkpoint(files):
    with pytest.raises(ModelError, match=r"a\.pt"):
        compare(files, model=nn.Linear(6, 1), data=sample(10, 0))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_checkpoints_are_refused(count, files):
    with pytest.raises(UsageError, match=f"at least two checkpoints, but got {count}"):
        compare(files[:count])


def test_the_same_bytes_twice_are_said_and_rank_equal(files):
    found = compare([files[0], files[1], files[0]])
    (said,) = [n for n in found.warnings if n.code == "same-bytes"]

    assert said.message == "A and C are the same bytes, so their numbers agree"
    assert ("A", "C") in found.ranking


def test_the_order_of_tensors_in_a_container_does_not_matter(nets, files, tmp_path):
    from safetensors.torch import save_file

    state = nets[0].state_dict()
    torch.save(dict(reversed(state.items())), tmp_path / "turned.pt")
    save_file(state, tmp_path / "a.safetensors")
    found = compare([files[0], str(tmp_path / "turned.pt"), tmp_path / "a.safetensors"])

    assert found.ranking == (("A", "B", "C"),)


def test_numbers_that_are_not_finite_are_named_with_their_net(nets, files):
    bad = {name: w.clone() for name, w in nets[0].state_dict().items()}
    bad["0.weight"][0, 0] = math.nan
    found = compare([files[0], bad])

    assert [n.tensor for n in found.undefined] == ["0.weight"]
    assert any(n.message.startswith("B: 0.weight holds 1 NaN") for n in found.warnings)
    assert found.ranking == (("A",),)
    assert "Only A can be ranked." in repr(found)


def test_a_net_that_is_zero_is_not_ranked_and_said(nets, files):
    zero = {name: 0 * w for name, w in nets[0].state_dict().items()}
    found = with_data([files[0], zero], margin_loss=0.5)
    said = [n.message for n in found.warnings if n.code == "not-ranked"]

    assert said == ["B is not ranked: its rho has no logarithm"]
    assert found.undefined == ()


def test_a_net_with_no_positive_margin_is_not_ranked_and_said(nets, files):
    turned = {name: w.clone() for name, w in nets[0].state_dict().items()}
    turned["2.weight"] *= -1
    found = with_data([files[0], turned])
    said = [n.message for n in found.warnings if n.code == "not-ranked"]

    assert said == ["B is not ranked: its margin is not positive at this margin loss"]
    assert found.ranking == (("A",),)


def test_a_ranking_that_depends_on_the_margin_loss_is_said():
    from tests.report.comparisons import covered

    (said,) = [n for n in covered().warnings if n.code == "order-depends-on-margin"]

    assert said.message == "at margin loss 0.05, 0.1 and 0.5 the ranking is another one"


def test_reports_are_compared_as_checkpoints_are(files):
    ready = [boundkit.analyze(file, only=("norms", "bounds")) for file in files]
    found = compare([ready[0], ready[1], ready[2]])

    assert found.ranking == compare(files).ranking


def test_reports_made_under_other_conventions_are_refused(files):
    ready = boundkit.analyze(files[0], n=100)

    with pytest.raises(
        UsageError, match="different conventions: n is '100' and 'None'"
    ):
        compare([ready, files[1]])


def test_labels_go_on_after_z():
    labels = compare([report()] * 29).labels

    assert labels[:2] + labels[24:] == ("A", "B", "Y", "Z", "AA", "AB", "AC")


def test_progress_says_which_checkpoint(files):
    seen = []
    compare(files, progress=lambda done, total, label: seen.append(label))

    assert {"1/3 norms", "2/3 norms", "3/3 norms"} <= set(seen)
