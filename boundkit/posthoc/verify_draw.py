"""Recomputes the certificate of a draw from the weights, the data and the prior."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError, UsageError
from boundkit.posthoc.coordinates import SHIFTS, coordinates_of
from boundkit.posthoc.counting import counted
from boundkit.posthoc.family import (
    Member,
    center_sha256,
    decoded,
    nats_of_choice,
    posterior_bytes,
    prior_document,
    prior_of,
)
from boundkit.posthoc.gaussians import Posterior
from boundkit.posthoc.prior_center import neutral
from boundkit.posthoc.seeds import DERIVED, ENTROPY, derived_seed, normals
from boundkit.posthoc.settled import settled
from boundkit.posthoc.single_draw import complexity, drawn_tensors, single_draw
from boundkit.posthoc.starting_values import starting_values
from boundkit.posthoc.verification import Check, close, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.coordinates import Coordinates
    from boundkit.posthoc.gaussians import Prior
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.settled import Settled

__all__ = ["verify_draw"]

#: Two libraries of mathematical functions differ in the last bits of a draw.
_DRAW_ERROR = 1e-6
_NATS_ERROR = 1e-6


def verify_draw(
    certificate: CertificateFile,
    found: Opened,
    sample: Sample,
    init: Any,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> tuple[Check, ...]:
    """Recompute everything that a certificate of a draw states.

    Args:
        certificate: Trusted in nothing.
        found: The certified weights in their model.
        sample: The training sample.
        init: The center of the prior; None for the one that the certificate names.
        device: Where to run.
        batch_size: Samples at a time.
        trust: Allow code in the init to run.

    Returns:
        What was compared.

    Raises:
        BoundkitError: The certificate is no certificate of a draw, or the init cannot
            be opened.
    """
    own = certificate.own
    _require_keys(own)
    names = [str(group["name"]) for group in own["prior"]["groups"]]
    template = settled(found.made, sample.samples.shape, _buffers(found, names))
    checks = [same("counted tensors", list(names), list(template.free))]
    if not checks[0].holds:
        return tuple(checks)
    center, guard = _center(certificate, found, template, sample, init, device, trust)
    net, chosen, of_prior = _prior(own["prior"], template)
    checks += [
        *_constants(found, template),
        guard,
        same("prior center", own["prior"]["sha256"], center_sha256(center)),
        *of_prior,
    ]
    if not all(check.holds for check in of_prior):
        return tuple(checks)
    prior = prior_of(net, net.flattened(center), chosen)
    posterior, drawn = _posterior(certificate, net, sample)
    tensors = _held(found, net)
    checks += [*drawn, _as_drawn(net, posterior, own, tensors)]
    parts = (net, tensors, posterior, prior, device, batch_size)
    return (*checks, *_numbers(certificate, found, sample, *parts))


def _prior(
    stated: Mapping[str, Any], template: Settled
) -> tuple[Coordinates, Member, list[Check]]:
    """Return coordinates and member that a prior names, and compare its declared family."""
    at = stated["shift_index"]
    shift = at if isinstance(at, int) and 0 <= at < len(SHIFTS) else 0
    net = coordinates_of(template).shifted(SHIFTS[shift])
    scales = tuple(group["scale_index"] for group in stated["groups"])
    chosen = Member(scales, shift)
    expected = prior_document(net, chosen, stated["center"], None, "")
    keys = ("grid", "shifts", "shift_index", "groups")
    return net, chosen, [same(f"prior {k}", stated[k], expected[k]) for k in keys]


def _require_keys(own: Mapping[str, Any]) -> None:
    wanted: dict[str, Any] = {
        "prior": dict,
        "posterior": dict,
        "draws": int,
        "chosen": int,
        "seed": str,
    }
    broken = [key for key, kind in wanted.items() if not isinstance(own.get(key), kind)]
    groups = () if broken else own["prior"].get("groups")
    fine = isinstance(groups, list) and all(
        isinstance(group, dict)
        and isinstance(group.get("scale_index"), int)
        and isinstance(group.get("scale_count"), int)
        and 0 <= group["scale_index"] < group["scale_count"]
        for group in groups
    )
    whole = not broken and {"center", "sha256", "grid", "shifts", "shift_index"} <= {
        *own["prior"]
    }
    if broken or not fine or not whole or not 0 <= own["chosen"] < own["draws"]:
        what = broken[0] if broken else "prior or chosen"
        raise DataError(
            f"the certificate of a draw has no usable {what!r}; give the .json file that"
            " draw wrote"
        )


def _center(
    certificate: CertificateFile,
    found: Opened,
    template: Settled,
    sample: Sample,
    init: Any,
    device: torch.device,
    trust: bool,
) -> tuple[Mapping[str, torch.Tensor], Check]:
    name = "init has not learned the sample"
    prior = certificate.own["prior"]
    if prior["center"] == "zero":
        return neutral(template), Check(name, holds=True, stated="zero", found="zero")
    place = init if init is not None else prior.get("source")
    if place is None:
        raise UsageError(
            "the prior of this certificate is centered at an init: give --init"
        )
    alike = replace(found, net=template, loose=_buffers(found, template.free))
    try:
        values = starting_values(alike, place, sample, device, 1000, trust)
    except UsageError as error:
        return neutral(template), Check(
            name, holds=False, stated="init", found=str(error)
        )
    return values, Check(name, holds=True, stated="init", found="init")


def _buffers(found: Opened, names: Sequence[str]) -> tuple[str, ...]:
    buffers = {name for name, _ in found.trained.named_buffers()}
    return tuple(name for name in names if name in buffers)


def _constants(found: Opened, template: Settled) -> list[Check]:
    """Check that what is not counted is as the architecture has it."""
    import torch

    wanted = template.module.state_dict(keep_vars=True)
    held = found.trained.state_dict()
    free = {id(value) for name, value in wanted.items() if name in template.free}
    odd = [
        name
        for name, value in wanted.items()
        if id(value) not in free
        and not name.endswith("num_batches_tracked")
        and not torch.equal(held[name].cpu().float(), value.detach().float())
    ]
    stated = "as the architecture has it"
    shown = f"{odd[0]!a} differs" if odd else stated
    return [Check("what is not counted", not odd, stated, shown)]


def _held(found: Opened, net: Coordinates) -> dict[str, torch.Tensor]:
    parts = (found.trained.named_parameters(), found.trained.named_buffers())
    held = {name: value for part in parts for name, value in part}
    return {name: held[name].detach().cpu().float() for name in net.names}


def _posterior(
    certificate: CertificateFile, net: Coordinates, sample: Sample
) -> tuple[Posterior, list[Check]]:
    own, size = certificate.own, sum(net.sizes)
    parts = own["posterior"]
    posterior = Posterior(
        decoded(parts.get("mean"), size, "the certificate"),
        decoded(parts.get("log_scale"), size, "the certificate"),
    )
    stored = posterior_bytes(posterior)
    digest = hashlib.sha256(stored).hexdigest()
    checks = [same("posterior", parts.get("sha256"), digest)]
    if own.get("seed_rule") == ENTROPY:
        return posterior, checks
    checks += [
        same("seed rule", own.get("seed_rule"), DERIVED),
        same("seed", own["seed"], derived_seed(stored, sample.sha256)),
    ]
    return posterior, checks


def _as_drawn(
    net: Coordinates,
    posterior: Posterior,
    own: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
) -> Check:
    import torch

    name, stated = "weights are the draw", f"draw {own['chosen']} of {own['draws']}"
    try:
        noise = normals(own["seed"], own["chosen"], sum(net.sizes))
    except (ValueError, OverflowError):
        return Check(name, holds=False, stated=stated, found="the seed is not one")
    again = drawn_tensors(net, posterior, noise)
    odd = [
        key
        for key, value in again.items()
        if not torch.allclose(value, tensors[key], rtol=_DRAW_ERROR, atol=1e-8)
    ]
    shown = f"{odd[0]!a} differs" if odd else stated
    return Check(name, not odd, stated, shown)


def _numbers(
    certificate: CertificateFile,
    found: Opened,
    sample: Sample,
    net: Coordinates,
    tensors: Mapping[str, torch.Tensor],
    posterior: Posterior,
    prior: Prior,
    device: torch.device,
    batch_size: int,
) -> Sequence[Check]:
    own = certificate.own
    cost = complexity(
        net,
        net.flattened(tensors),
        posterior,
        prior,
        nats_of_choice(net),
        sample.n,
        own["draws"],
        certificate.delta,
    )
    module = found.trained.to(device)
    (count,) = counted(module, [{}], sample.batches(batch_size), device)
    within = count.plain <= certificate.errors <= count.loose
    seen = f"{count.plain} to {count.loose}"
    bound = single_draw(certificate.errors, sample.n, cost)
    return (
        Check("errors", within, str(certificate.errors), seen),
        close("log ratio", own.get("log_ratio"), cost.log_ratio, _NATS_ERROR),
        close("rounding", own.get("rounding_nats"), cost.rounding, _NATS_ERROR),
        close("union", own.get("union_nats"), cost.union, _NATS_ERROR),
        close("log moment", own.get("log_moment"), cost.log_moment, _NATS_ERROR),
        close(
            "delta share",
            own.get("delta_share"),
            certificate.delta / own["draws"],
            1e-12,
        ),
        close("complexity", certificate.complexity_nats, cost.total, _NATS_ERROR),
        close("bound", certificate.bound, bound, 1e-8),
    )
