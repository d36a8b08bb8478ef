"""Hand-made reports, for tests of everything that reads one."""

from __future__ import annotations

from boundkit.report.model import Certificates, LayerRow, Provenance, Report, Rho
from boundkit.types import Assumption, Certificate, LedgerRow, Measurement, Notice

UNCHECKED = (
    Assumption("chain of ReLU layers", None, "no architecture; --model gives it"),
    Assumption("margin 1 on every sample", None, "no data; --data gives the margins"),
)


def certificate(bound="sparse_cnn", status="valid", value=0.2631, **changes):
    fields = {
        "bound": bound,
        "status": status,
        "value": value,
        "log10": None,
        "delta": 0.05,
        "terms": {},
        "assumptions": (Assumption("ReLU between layers", True, "2 layers"),),
        "source": "P1, Theorem 5",
        "note": "",
    }
    return Certificate(**(fields | changes))


def layer(name, kind, shape, rho, log10_rho, **changes):
    parameters = 1
    for size in shape:
        parameters *= size
    counted = changes.pop("counted", True)
    return LayerRow(name, kind, shape, parameters, rho, log10_rho, counted, **changes)


def row(tensor, shape, status="skipped", reason="bias: no factor of rho", **changes):
    fields = {"dtype": "float32", "layer": None, "parameter": True}
    return LedgerRow(
        tensor=tensor, shape=shape, status=status, reason=reason, **(fields | changes)
    )


def report(**changes):
    fields = {
        "boundkit": "0.1.0",
        "checkpoint": Provenance(
            "fmnist_3v8.pt", "torch zip", (), "7c5a39" + "0" * 58, 67_000, 2, 16_640
        ),
        "conventions": {
            "conv_norm": "filter",
            "delta": 0.05,
            "n": 11_800,
            "input_norm": 1.0,
            "gamma": "auto",
            "device": "cpu",
        },
        "ledger": (
            row("cv.0.weight", (256, 1, 4, 4), "counted", "", layer="cv.0.weight"),
            row("fc.weight", (1, 12_544), "counted", "", layer="fc.weight"),
        ),
        "coverage": 1.0,
        "layers": (
            layer(
                "cv.0.weight",
                "conv2d",
                (256, 1, 4, 4),
                2.31,
                0.36361,
                geometry="stride 4",
                columns={"spectral_norm": 1.9, "stable_rank": 1.478},
            ),
            layer(
                "fc.weight",
                "linear",
                (1, 12_544),
                3.02,
                0.48001,
                columns={"spectral_norm": 3.02, "stable_rank": 1.0},
            ),
        ),
        "rho_stored": Rho(0.84362, 6.9762),
        "rho_folded": None,
        "measurements": (),
        "certificates": Certificates(()),
        "margins": None,
        "collapse": None,
        "noise": None,
        "warnings": (),
        "seconds": {"total": 0.5},
    }
    return Report(**(fields | changes))


def proved():
    """Bounds from data: one proved, vacuous ones, a reference, heuristics."""
    terms = {
        "margin_loss": 0.074,
        "complexity": 0.1241,
        "confidence": 0.0652,
        "gamma": 0.742,
        "n_needed": 900.0,
    }
    certificates = (
        certificate(terms=terms),
        certificate("dense", value=0.4083, terms=terms | {"complexity": 0.27}),
        certificate("toeplitz", value=3.87, terms={"n_needed": 1.77e5}),
        certificate("bartlett2017", value=None, log10=400.2, terms={"n_needed": None}),
        certificate(
            "galanti2023",
            "invalid",
            None,
            assumptions=(Assumption("degrees are powers", False, "16 and 49"),),
        ),
        certificate("holdout", value=0.0207, terms={"errors": 31, "n": 2000}),
    )
    heuristic = Measurement(
        "dense_printed", 0.031, "1", "P1 (16)", kind="heuristic", log10=-1.51
    )
    return report(
        certificates=Certificates(certificates),
        margins={"mean": 0.91, "min": -0.2, "separable": False, "n": 11_800},
        measurements=(heuristic,),
    )


def assumed():
    """A bare state_dict with --n: nothing is checked."""
    return report(
        certificates=Certificates((
            certificate(
                status="assumed",
                value=0.5512,
                assumptions=UNCHECKED,
                terms={"complexity": 0.51, "confidence": 0.0412, "n_needed": 3900.0},
            ),
            certificate(
                "toeplitz",
                "assumed",
                7.1,
                assumptions=UNCHECKED,
                terms={"n_needed": 6e5},
            ),
        )),
    )


def unavailable():
    """A bare state_dict and nothing else."""
    base = report()
    return report(
        conventions={**base.conventions, "n": None},
        certificates=Certificates((
            certificate(
                status="unavailable",
                value=None,
                assumptions=UNCHECKED,
                terms={"n_needed": 3900.0},
                note="the training-set size is missing; give --n, or --model and --data",
            ),
            certificate(
                "holdout",
                "unavailable",
                None,
                note="no held-out data; give --model and --test-data",
            ),
        )),
    )


def refuted():
    """Batch normalization that cannot be folded, and a tensor with NaN in it."""
    return report(
        checkpoint=Provenance(
            "runs/resnet.ckpt", "torch zip", ("state_dict",), None, 1, 6, 17_000
        ),
        coverage=0.97889,
        rho_stored=Rho(None, None),
        layers=(
            layer("stem.weight", "conv2d", (16, 3, 3, 3), 4.1, 0.61278),
            layer("mid.weight", "conv2d", (16, 16, 3, 3), None, None),
            layer("zero.weight", "linear", (10, 16), 0.0, None),
            layer("fc.weight", "linear", (10, 16), 0.5, -0.30103),
            layer("emb.weight", "embedding", (100, 16), 12.0, 1.07918, counted=False),
        ),
        ledger=(
            row("stem.weight", (16, 3, 3, 3), "counted", "", layer="stem.weight"),
            *(row(f"layer{i}.bias", (16,)) for i in range(7)),
            row("bn.weight", (16,), "folded", "batch normalization"),
            row("bn.num_batches", (), reason="buffer", parameter=False),
        ),
        certificates=Certificates((
            certificate(
                status="invalid",
                value=None,
                assumptions=(
                    Assumption("no normalization layers", False, "bn1 and 2 more"),
                ),
                note="--model lets batch normalization be folded in",
            ),
        )),
        warnings=(
            Notice("non-finite", "mid.weight holds 3 NaN", "mid.weight"),
            Notice("trailing-bytes", "12 bytes after the end of the archive"),
        ),
    )


def deep():
    """Five hundred layers, a rho beyond a float, no bounds asked for."""
    layers = tuple(
        layer(
            f"model.layers.{i}.self_attention.query_projection.weight",
            "linear",
            (4096, 4096),
            4e10 if i % 7 else 0.02,
            10.60206 if i % 7 else -1.69897,
        )
        for i in range(500)
    )
    return report(
        layers=layers,
        ledger=tuple(
            row(f"t{i}", (4,), reason=f"reason number {i}") for i in range(12)
        ),
        coverage=0.99999,
        rho_stored=Rho(4417.2, None),
        rho_folded=Rho(2.0, 100.0),
        warnings=tuple(Notice("alias", f"t{i} is t0 again", f"t{i}") for i in range(9)),
    )


def hostile():
    """Names that attack a terminal, a markup language or an encoder."""
    name = "\x1b[31mred\x1b[0m\nfc\u202etxt.weight[bold]\u200b<script>\udcff\x9b2J"
    return report(
        checkpoint=Provenance(
            f"/data/{name}.pt", f"torch zip {name}", (name,), None, 1, 1, 4
        ),
        layers=(
            layer(name, "linear", (2, 2), 1.0, 0.0),
            layer("图层.权重" * 9, "linear", (2, 2), 1.0, 0.0),
        ),
        ledger=(row(name, (2, 2), reason=f"odd {name}"),),
        coverage=0.0,
        certificates=Certificates((
            certificate(
                status="invalid",
                value=None,
                assumptions=(Assumption("no obstacles", False, name),),
            ),
        )),
        warnings=(Notice("odd-name", f"tensor {name}", name),),
        measurements=(Measurement("x", 1.0, "1", "s", layer=name, kind="heuristic"),),
    )


REPORTS = {
    "proved": proved,
    "assumed": assumed,
    "unavailable": unavailable,
    "refuted": refuted,
    "deep": deep,
    "hostile": hostile,
    "bare": report,
}
