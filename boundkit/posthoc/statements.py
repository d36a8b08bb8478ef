"""The theorems behind ``draw`` and ``code``, in words, for ``boundkit explain``."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["STATEMENTS", "TERMS", "Statement"]

_SAMPLE = (
    "the sample is i.i.d., augmented copies are not samples, and new inputs come from the"
    " same distribution"
)
_FIXED = "preprocessing, architecture and, if given, init were fixed without the sample"
_ALONE = "of several certificates on one sample, each needs its share of delta"


@dataclass(frozen=True, slots=True)
class Statement:
    """A theorem, as the catalog of bounds tells of its own.

    Attributes:
        id: Name of the command.
        title: The name in words.
        statement: The theorem, all constants in.
        assumptions: What is checked on every net.
        premises: What no program can check.
        citation: Where it is proved.
        corrections: How it differs from print, or "".
    """

    id: str
    title: str
    statement: str
    assumptions: tuple[str, ...]
    premises: tuple[str, ...]
    citation: str
    corrections: str


DRAW = Statement(
    id="draw",
    title="single-draw PAC-Bayes-kl bound for a random network near the trained one",
    statement=(
        "With probability at least 1 - delta over n i.i.d. samples and one draw h of a"
        " distribution Q that may depend on them, kl(r || R) <= (ln (dQ/dP)(h) +"
        " ln(xi(n)/delta)) / n, where r is the error rate of h on the samples, R its error"
        " probability, P a distribution that does not depend on the samples, and xi(n) ="
        " sum_k C(n,k) (k/n)^k (1-k/n)^(n-k). The best of K draws takes delta/K. P is a"
        " mixture over a declared family, whose size is paid for."
    ),
    assumptions=(
        "the weights in the file are the draw that seed, posterior and number determine",
        "log ratio and errors are computed at the weights as they are stored",
        "an init has counted no batches and errs about as often as guessing",
    ),
    premises=(_SAMPLE, _FIXED, _ALONE),
    citation=(
        "Rivasplata, Kuzborskij, Szepesvari, Shawe-Taylor (2020), PAC-Bayes analysis"
        " beyond the usual bounds, NeurIPS, Theorem 1; Maurer (2004) for xi"
    ),
    corrections=(
        "xi(n) is summed, where 2 sqrt(n) is common; rounding to 32 bits is paid for"
    ),
)

CODE = Statement(
    id="code",
    title="Occam bound for a pruned and quantized network",
    statement=(
        "With probability at least 1 - delta over n i.i.d. samples, for all networks h at"
        " once, R(h) <= max {p : Pr(Bin(n, p) <= k) >= delta P(h)}, where k counts the"
        " errors of h and P(h) = 2^-bits is a code that was fixed before."
    ),
    assumptions=(
        "the bits are those of the weights in the file, codebooks and settings included",
        "the binomial tail is summed in logs",
    ),
    premises=(_SAMPLE, _FIXED, _ALONE),
    citation=(
        "Langford (2005), Tutorial on practical prediction theory for classification,"
        " JMLR 6, the Occam's razor bound"
    ),
    corrections="",
)

#: In the order in which they are listed.
STATEMENTS = (DRAW, CODE)

_EVERY = (
    ("bound", "the error probability is at most this, rounded up"),
    ("delta", "probability that the statement fails"),
    ("n, errors", "samples, and errors among them, borderline outputs included"),
    ("chance_error", "error of always answering the sample's most frequent class"),
    ("vacuous", "bound >= 1 - 1/C: guessing among C classes is as good"),
)

#: For each kind of certificate, the keys of its JSON and what they say.
TERMS = MappingProxyType({
    "holdout": (
        *_EVERY,
        (
            "selections",
            "networks that were compared on this sample; each has its share",
        ),
    ),
    "draw": (
        *_EVERY,
        ("complexity_nats", "sum of the five terms that follow, at least 0"),
        ("log_ratio", "ln (dQ/dP)(h) at the weights as they are stored"),
        ("rounding_nats", "at most what rounding to 32 bits adds to it"),
        ("union_nats", "ln of the number of priors that P was chosen from"),
        ("log_moment", "ln xi(n)"),
        ("delta_share", "delta/draws; ln(1/delta_share) is paid"),
        ("draws, chosen", "how many networks were drawn, and the number of this one"),
        ("prior", "center, grid of scales per tensor, and which of them was chosen"),
        ("posterior", "means and log scales of Q, float32 in base64"),
        ("seed, seed_rule", "of the draws; a hash of posterior and data, or entropy"),
        ("stopped", "finished, budget, interrupted or diverged"),
        (
            "bridge",
            (
                "with unlabelled inputs: disagreements with the original net among"
                " samples, their limit at its own delta, and bound_original = bound +"
                " that limit"
            ),
        ),
    ),
    "code": (
        *_EVERY,
        ("complexity_nats", "bits ln 2: the price of the choice of h"),
        ("bits", "-log2 P(h), the sum of the three that follow"),
        ("bits_settings", "start, ranks, and sizes of alphabets"),
        ("bits_codebook", "the levels, 16-bit numbers"),
        ("bits_symbols", "which weight has which level, by an adaptive code"),
        ("bound_kl", "the relaxation by relative entropy, for comparison"),
        ("kept", "weights that are not at the start"),
        ("tries", "codes that were compared, which costs nothing"),
        ("prior, code", "the start, and the code itself, from which h is rebuilt"),
        ("stopped", "finished, budget or interrupted"),
    ),
})
