from __future__ import annotations

import pytest

from boundkit.report.best import best, from_data, leading, smallest, sufficient
from boundkit.report.model import Certificates
from tests.report.reports import UNCHECKED, certificate, report


def test_the_smallest_valid_bound_is_best_and_the_reference_is_no_rival():
    made = report(
        certificates=Certificates((
            certificate("dense", value=0.4),
            certificate("holdout", value=0.01),
            certificate("sparse_cnn", value=0.3),
            certificate("guess", "assumed", 0.1, assumptions=UNCHECKED),
        ))
    )

    assert best(made).bound == "sparse_cnn"
    assert smallest(made, "assumed").bound == "guess"


def test_among_overflows_the_logarithm_decides():
    made = report(
        certificates=Certificates((
            certificate("a", value=None, log10=500.0),
            certificate("b", value=None, log10=400.0),
        ))
    )

    assert best(made).bound == "b"


def test_without_valid_bounds_none_is_best():
    assert best(report()) is None


@pytest.mark.parametrize(
    ("needed", "words"),
    [(899.2, "900"), (None, None), (float("inf"), None), ("many", None)],
)
def test_a_sufficient_sample_size_is_said_where_it_is_known(needed, words):
    assert sufficient(certificate(terms={"n_needed": needed})) == words


def test_margins_come_from_data():
    assert from_data(report(margins={}))
    assert not from_data(report())


def test_the_first_certificate_leads_and_a_reference_only_alone():
    reference, other = certificate("holdout"), certificate("dense")

    assert leading(report(certificates=Certificates((reference, other)))) is other
    assert leading(report(certificates=Certificates((reference,)))) is reference
    with pytest.raises(StopIteration):
        leading(report())
