"""Cross-entropy of a last layer and its gradients over a sample, as states that add up.

Exponentials are kept relative to the largest one, so that margins of thousands neither
overflow nor vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "PeeledResiduals",
    "PeeledSums",
    "Tangent",
    "extended",
    "head_of",
    "output_gradient",
]


def head_of(weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return (K, p) or, with a bias as its last column, (K, p + 1), in float64."""
    import torch

    if bias is None:
        return weight.double()
    return torch.cat([weight.double(), bias.double().unsqueeze(1)], dim=1)


def extended(features: Tensor, head: Tensor) -> Tensor:
    """Return float64 features, with a constant 1 appended where the head has a bias.

    Args:
        features: (b, p) of any floating dtype.
        head: (K, p), or (K, p + 1) with the bias last.
    """
    import torch

    wide = features.double()
    if head.shape[1] == wide.shape[1]:
        return wide
    return torch.cat([wide, wide.new_ones(len(wide), 1)], dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Outputs:
    """Of one batch: what the loss and the margins are made of.

    Attributes:
        own: (b, K) true at the class of each sample.
        gaps: (b, K) ``z_y - z_j``; infinite at the own class.
        log_odds: (b,) logarithm of ``sum_j exp(-gap_j)``.
        log_wrong: (b,) logarithm of the probability of the other classes together.
    """

    own: Tensor
    gaps: Tensor
    log_odds: Tensor
    log_wrong: Tensor


def _outputs(wide: Tensor, labels: Tensor, head: Tensor) -> _Outputs:
    import torch

    width = wide.shape[1]
    scores = wide @ head.narrow(1, 0, width).mT
    if head.shape[1] > width:
        scores += head.select(1, width)
    classes = torch.arange(head.shape[0], device=head.device)
    own = labels.unsqueeze(1) == classes
    truth = scores.gather(1, labels.unsqueeze(1))
    gaps = (truth - scores).masked_fill(own, torch.inf)
    log_odds = torch.logsumexp(-gaps, dim=1)
    soft = torch.logaddexp(log_odds, torch.zeros_like(log_odds))
    return _Outputs(own, gaps, log_odds, log_odds - soft)


def _log_losses(log_odds: Tensor) -> Tensor:
    """Return the logarithms of ``log(1 + exp(t))``."""
    import torch

    loss = torch.logaddexp(log_odds, torch.zeros_like(log_odds))
    # log(log1p(x)) = log x - x/2 + O(x^2); log(loss) itself would be log of 0.
    small = log_odds - torch.exp(log_odds.clamp(max=0)) / 2
    return torch.where(log_odds < -30, small, loss.log())


def _gradient(outputs: _Outputs, log_scale: Tensor) -> Tensor:
    """Return (b, K) softmax minus one-hot over ``exp(log_scale)``, without cancellation."""
    import torch

    log_odds = outputs.log_odds.unsqueeze(1)
    others = torch.exp(
        outputs.log_wrong.unsqueeze(1) - outputs.gaps - log_odds - log_scale
    )
    truth = -torch.exp(outputs.log_wrong - log_scale).unsqueeze(1)
    return torch.where(outputs.own, truth, others)


def output_gradient(
    wide: Tensor, labels: Tensor, head: Tensor, log_scale: Tensor
) -> Tensor:
    """Return (b, K) the gradient of the cross-entropy in the outputs, scaled.

    Args:
        wide: (b, p) float64, or (b, q) from ``extended``.
        labels: (b,) int64, 0..K-1.
        head: (K, q) float64.
        log_scale: () logarithm of what the gradient is divided by.
    """
    return _gradient(_outputs(wide, labels, head), log_scale)


def _energy(wide: Tensor) -> Tensor:
    """Return the sum of squares, without a temporary of that size."""
    flat = wide.flatten()
    return flat.dot(flat)


def _with_sums(gradient: Tensor, slopes: Tensor, head: Tensor) -> Tensor:
    """Append the gradient in the bias, where the head has one."""
    import torch

    if head.shape[1] == gradient.shape[1]:
        return gradient
    return torch.cat([gradient, slopes.sum(0).unsqueeze(1)], dim=1)


def _scatter(wide: Tensor, head: Tensor) -> Tensor:
    full = extended(wide, head)
    return full.mT @ full


def _share(mine: Tensor, common: Tensor) -> Tensor:
    """Return ``exp(mine - common)``, also where both are the minus infinity of nothing."""
    import torch

    return torch.where(mine == common, torch.ones_like(mine), torch.exp(mine - common))


@dataclass(frozen=True, slots=True, eq=False)
class PeeledSums:
    """Loss, smallest margin and gradients: the first pass; float64.

    Those of two disjoint samples under one head add up to those of both.

    Attributes:
        count: (K,) samples per class.
        energy: () sum of ``||h||^2``, without the appended constant.
        log_loss: () logarithm of the cross-entropy summed over samples.
        least_margin: () smallest ``z_y - max_j z_j``.
        log_scale: () logarithm of what the gradients below are divided by.
        gradient: (K, q) of the loss in the head.
        gram: (K, K) sum of ``g g^T``, g the gradient in the outputs of one sample.
    """

    count: Tensor
    energy: Tensor
    log_loss: Tensor
    least_margin: Tensor
    log_scale: Tensor
    gradient: Tensor
    gram: Tensor

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, head: Tensor) -> PeeledSums:
        """Return the sums of one batch.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..K-1, on the same device.
            head: (K, p) float64, or (K, p + 1) with the bias last; K >= 2.
        """
        import torch

        wide = features.double()
        outputs = _outputs(wide, labels, head)
        nothing = wide.new_full((1,), -torch.inf)
        ones = torch.ones_like(outputs.log_wrong)
        # The floor stands for a batch without samples; NaN passes through.
        log_scale = torch.cat([outputs.log_wrong, nothing]).max()
        safe = torch.where(log_scale.isneginf(), torch.zeros_like(log_scale), log_scale)
        slopes = _gradient(outputs, safe)
        return cls(
            count=ones.new_zeros(head.shape[0]).index_add(0, labels, ones),
            energy=_energy(wide),
            log_loss=torch.logsumexp(
                torch.cat([_log_losses(outputs.log_odds), nothing]), dim=0
            ),
            least_margin=torch.cat([outputs.gaps.flatten(), -nothing]).min(),
            log_scale=log_scale,
            gradient=_with_sums(slopes.mT @ wide, slopes, head),
            gram=slopes.mT @ slopes,
        )

    def __add__(self, other: PeeledSums) -> PeeledSums:
        """Merge two disjoint samples under the same head."""
        import torch

        common = torch.maximum(self.log_scale, other.log_scale)
        mine, its = _share(self.log_scale, common), _share(other.log_scale, common)
        return PeeledSums(
            count=self.count + other.count,
            energy=self.energy + other.energy,
            log_loss=torch.logaddexp(self.log_loss, other.log_loss),
            least_margin=torch.minimum(self.least_margin, other.least_margin),
            log_scale=common,
            gradient=self.gradient * mine + other.gradient * its,
            gram=self.gram * mine**2 + other.gram * its**2,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """What the second pass needs to know of the first.

    Attributes:
        pull: lam, the gradient's share along the point itself, ``<g, theta> /
            ||theta||^2``, over ``exp(log_scale)``.
        log_scale: () of the gradients.
        least_margin: () smallest margin.
        scatter: Whether to sum ``h h^T``, too.
    """

    pull: float
    log_scale: Tensor
    least_margin: Tensor
    scatter: bool


@dataclass(frozen=True, slots=True, eq=False)
class PeeledResiduals:
    """How far the gradient is from the point's own direction: the second pass; float64.

    Attributes:
        off_course: () sum of ``||g_h - lam h||^2`` over samples, over
            ``exp(2 log_scale)``; g_h is the gradient in the features.
        log_largest: () logarithm of the largest ``p_j (gap_j - least margin)``.
        log_total: () logarithm of their sum.
        scatter: (q, q) sum of ``h h^T``, or None.
    """

    off_course: Tensor
    log_largest: Tensor
    log_total: Tensor
    scatter: Tensor | None

    @classmethod
    def of(
        cls, features: Tensor, labels: Tensor, head: Tensor, tangent: Tangent
    ) -> PeeledResiduals:
        """Return the residuals of one batch.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..K-1, on the same device.
            head: (K, p) float64, or (K, p + 1) with the bias last.
            tangent: From the sums over the whole sample.
        """
        import torch

        wide = features.double()
        outputs = _outputs(wide, labels, head)
        slopes = _gradient(outputs, tangent.log_scale)
        width = wide.shape[1]
        off = torch.addmm(wide, slopes, head.narrow(1, 0, width), beta=-tangent.pull)
        constant = slopes @ head.narrow(1, width, head.shape[1] - width) - tangent.pull
        # Products of other batch sizes round differently, so a gap may fall a little
        # below the smallest one of the first pass.
        slack = (outputs.gaps - tangent.least_margin).clamp(min=0)
        log_odds = (outputs.log_wrong - outputs.log_odds).unsqueeze(1)
        terms = (slack.log() - outputs.gaps + log_odds).masked_fill(
            outputs.own, -torch.inf
        )
        nothing = wide.new_full((1,), -torch.inf)
        terms = torch.cat([terms.flatten(), nothing])
        return cls(
            off_course=_energy(off) + constant.square().sum(),
            log_largest=terms.max(),
            log_total=torch.logsumexp(terms, dim=0),
            scatter=_scatter(wide, head) if tangent.scatter else None,
        )

    def __add__(self, other: PeeledResiduals) -> PeeledResiduals:
        """Merge two disjoint samples held against the same first pass."""
        import torch

        scatter = None
        if self.scatter is not None and other.scatter is not None:
            scatter = self.scatter + other.scatter
        return PeeledResiduals(
            off_course=self.off_course + other.off_course,
            log_largest=torch.maximum(self.log_largest, other.log_largest),
            log_total=torch.logaddexp(self.log_total, other.log_total),
            scatter=scatter,
        )
