"""A certificate of kind ``code``, recomputed from the certificate and the file alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import UsageError
from boundkit.measure.forward import placed
from boundkit.posthoc.coded import bits, decoded
from boundkit.posthoc.coded_json import parsed_network
from boundkit.posthoc.counting import counted
from boundkit.posthoc.family import center_sha256
from boundkit.posthoc.occam import nats_of, occam
from boundkit.posthoc.prior_center import neutral
from boundkit.posthoc.starting_values import starting_values
from boundkit.posthoc.verification import Check, close, same
from boundkit.posthoc.with_tensors import state_with

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.coded import CodedNetwork
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["verify_code"]

#: Code lengths are sums of log-gamma functions, which libraries round differently.
_TOLERANCE = 1e-6


def verify_code(
    certificate: CertificateFile,
    found: Opened,
    sample: Sample,
    init: Any,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> tuple[Check, ...]:
    """Recompute weights, bits, errors and bound, and compare with what is stated.

    Args:
        certificate: Trusted in nothing but delta and the code, which are the claim.
        found: The certified file in its model.
        sample: The training sample.
        init: The checkpoint from before training, where the code starts from it.
        device: Where to count errors.
        batch_size: Samples at a time.
        trust: Allow code in the init to run, where it cannot be read otherwise.

    Returns:
        One check for each number and for the weights.

    Raises:
        DataError: The certificate holds no code that the prior has.
        UsageError: The init is missing, or it has been trained.
    """
    network = parsed_network(certificate.own.get("code"), "the certificate")
    prior = certificate.own.get("prior")
    stated = prior if isinstance(prior, Mapping) else {}
    start = init if init is not None else stated.get("source")
    center = _center(network, found, sample, start, device, batch_size, trust)
    spent = bits(network)
    (count,) = counted(
        placed(found.trained, device), [{}], sample.batches(batch_size), device
    )
    total, own = spent.total, certificate.own
    bound = occam(count.guarded, sample.n, total, certificate.delta)
    return (
        same("prior", stated.get("sha256"), center_sha256(center)),
        same("decoded weights", "as coded", _difference(network, found, center)),
        same("errors", certificate.errors, count.guarded),
        close("bits_settings", own.get("bits_settings"), spent.settings, _TOLERANCE),
        close("bits_codebook", own.get("bits_codebook"), spent.codebook, _TOLERANCE),
        close("bits_symbols", own.get("bits_symbols"), spent.symbols, _TOLERANCE),
        close("bits", own.get("bits"), total, _TOLERANCE),
        close(
            "complexity_nats", certificate.complexity_nats, nats_of(total), _TOLERANCE
        ),
        close("bound", certificate.bound, bound, _TOLERANCE),
    )


def _center(
    network: CodedNetwork,
    found: Opened,
    sample: Sample,
    start: Any,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> dict[str, torch.Tensor]:
    if network.center == "zero":
        return neutral(found.net)
    if not start:
        raise UsageError(
            "the code starts from the weights before training: give --init CKPT0"
        )
    return starting_values(found, start, sample, device, batch_size, trust)


def _difference(
    network: CodedNetwork, found: Opened, center: dict[str, torch.Tensor]
) -> str:
    """Say in what the stored weights are not those that the code stands for."""
    import torch

    coded = {tensor.name: tensor.shape for tensor in network.tensors}
    for name in found.net.free:
        if name not in coded:
            return f"{name!a} is not in the code"
        if coded[name] != tuple(center[name].shape):
            return f"{name!a} is coded with shape {coded[name]}"
    for name in coded:
        if name not in center:
            return f"{name!a} is coded but not counted"
    arrays = {n: t.detach().float().cpu().numpy() for n, t in center.items()}
    values = decoded(network, arrays)
    tensors = {name: torch.from_numpy(value) for name, value in values.items()}
    stored = found.trained.state_dict()
    for name, value in state_with(found.net.module, tensors).items():
        same = np.array_equal(value.numpy(), stored[name].cpu().numpy())
        if not same and not name.endswith("num_batches_tracked"):
            return f"{name!a} differs from the code"
    return "as coded"
