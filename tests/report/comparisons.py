"""Hand-made comparisons, for tests of everything that reads one."""

from __future__ import annotations

from dataclasses import replace

from boundkit.comparison import compare
from boundkit.report.model import Certificates, Provenance, Rho
from boundkit.types import Assumption
from tests.report.reports import REPORTS, certificate, report, row

TRACED = {"architecture": "traced", "structure": {"ReLU": 1}, "data": "train.npz"}
QUANTILES = ("min", "q01", "q05", "q10", "median")


def provenance(source, digest):
    return Provenance(source, "torch zip", (), digest * 64, 67_000, 2, 16_640)


def net(source, digest, scale, quantiles, error, value):
    base = report()
    layers = tuple(
        replace(x, rho=x.rho * 10**scale, log10_rho=x.log10_rho + scale)
        for x in base.layers
    )
    log10 = base.rho_stored.log10 + 2 * scale
    return report(
        checkpoint=provenance(source, digest),
        conventions={**base.conventions, **TRACED},
        layers=layers,
        rho_stored=Rho(log10, 10.0**log10),
        certificates=Certificates((
            certificate(value=value),
            certificate(
                "dense",
                "invalid",
                None,
                assumptions=(Assumption("every layer is dense", False, "cv.0.weight"),),
            ),
            certificate("holdout", value=error + 0.005),
        )),
        margins={
            **dict(zip(QUANTILES, quantiles, strict=True)),
            "test": {"train_error": error},
        },
    )


def covered():
    """Three nets with everything: an order that the held-out errors half confirm."""
    return compare([
        net("runs/a.pt", "a", 0.0, (-0.2, 0.1, 0.3, 0.5, 1.0), 0.021, 0.2631),
        net("runs/b.pt", "b", 0.1, (0.1, 0.3, 0.4, 0.6, 1.1), 0.012, 0.3127),
        net("runs/c.pt", "c", 0.3, (0.1, 0.2, 0.3, 0.9, 9.0), 0.033, 1.9),
    ])


def two():
    """Two bare state_dicts and nothing else."""
    one = REPORTS["unavailable"]()
    other = replace(
        one,
        checkpoint=provenance("late.pt", "d"),
        rho_stored=Rho(0.5, 3.1623),
    )
    return compare([one, other])


def heuristic():
    """Biases, so that the theorem does not cover the nets; the same bytes twice."""
    ledger = (*report().ledger, row("fc.bias", (1,)))
    return compare([report(ledger=ledger)] * 2)


def undefined():
    """NaN in a layer of both nets; nothing can be ranked."""
    return compare([REPORTS["refuted"](), REPORTS["refuted"]()])


def deep():
    """Five hundred layers and a rho beyond a float."""
    return compare([REPORTS["deep"]()] * 4)


def hostile():
    """Names that attack a terminal, a markup language or an encoder."""
    return compare([REPORTS["hostile"]()] * 3)


COMPARISONS = {
    "covered": covered,
    "two": two,
    "heuristic": heuristic,
    "undefined": undefined,
    "deep": deep,
    "hostile": hostile,
}
