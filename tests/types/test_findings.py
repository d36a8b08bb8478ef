from __future__ import annotations

from tests.report.reports import REPORTS, certificate


def test_a_notebook_gets_value_assumptions_and_terms():
    html = certificate(terms={"gamma": 0.742, "form": None})._repr_html_()

    assert "<b>sparse_cnn</b>: at most 0.2631, valid, delta 0.05" in html
    assert "<td>holds</td><td>ReLU between layers</td><td>2 layers</td>" in html
    assert "<td>term</td><td>gamma</td><td>0.742</td>" in html
    assert "<td>term</td><td>form</td><td>-</td>" in html


def test_a_bound_without_a_value_says_so_and_one_beyond_a_float_is_a_power():
    assert (
        ": no value, invalid,"
        in certificate(status="invalid", value=None)._repr_html_()
    )
    assert "at most 10^400.2" in certificate(value=None, log10=400.2)._repr_html_()


def test_a_name_from_a_file_stays_text():
    (found,) = REPORTS["hostile"]().certificates.values()
    html = found._repr_html_()

    assert "<script>" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
