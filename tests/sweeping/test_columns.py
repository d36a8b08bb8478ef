import boundkit
from boundkit.report.json import document
from boundkit.sweeping.columns import FIRST, flat, ordered

PATH = "fixtures/checkpoints/two_class.pt"


def test_a_row_holds_what_the_report_says_of_the_whole_net():
    report = boundkit.analyze(PATH, n=11_800, only=("norms", "bounds"))
    row = flat(document(report))
    bound = report.certificates["sparse_cnn"]
    measured = {m.name: m.value for m in report.measurements if m.layer is None}

    assert row["log10_rho"] == report.rho_stored.log10
    assert row["inverse_rho"] == measured["inverse_rho"]
    assert row["layers"] == 2
    assert row["coverage"] == 1.0
    assert row["bound.sparse_cnn"] == bound.value
    assert row["bound.sparse_cnn.status"] == "assumed"
    assert row["bound.sparse_cnn.n_needed"] == bound.terms["n_needed"]
    assert row["measure.dense_printed"] == measured["dense_printed"]
    assert not any(isinstance(value, dict | list) for value in row.values())


def test_nested_parts_become_dotted_names():
    raw = document(boundkit.analyze(PATH, only=("norms",)))
    raw["margins"] = {"mean": 2.0, "normalized": {"mean": 0.5, "rho_eq": None}}
    raw["collapse"] = {"nc1_trace": 0.1, "separable": True, "classes": [1, 2]}
    row = flat(raw)

    assert row["margins.normalized.mean"] == 0.5
    assert row["collapse.nc1_trace"] == 0.1
    assert row["collapse.separable"] is True
    assert "collapse.classes" not in row
    assert "margins.normalized.rho_eq" not in row


def test_columns_have_an_order():
    names = ["meta.e", "seed", "measure.x", "bound.a", "margins.m", *FIRST]

    assert ordered(names, ["seed", "gone"]) == [
        *FIRST,
        *("bound.a", "margins.m", "measure.x", "seed", "meta.e"),
    ]
