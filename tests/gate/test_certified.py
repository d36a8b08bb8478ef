"""Certificates as what a policy is held against: alone, and beside a report."""

from __future__ import annotations

from dataclasses import replace
from math import log10

import pytest

import boundkit
from boundkit.errors import DataError
from boundkit.gate.certified import alone, beside
from boundkit.gate.judging import judged
from boundkit.gate.reading import parse
from boundkit.gate.starter import starter
from boundkit.gate.stored import (
    is_certificate,
    is_report,
    read_certificates,
    read_subject,
)
from boundkit.posthoc.certificate import rendered
from boundkit.report.json import render
from tests.gate.documents import stored
from tests.posthoc.test_certificate import certificate
from tests.report.reports import proved

OURS, THEIRS = "c" * 64, "d" * 64
BRIDGE = {"delta": 0.01, "bound_original": 0.3, "samples": 500, "disagreements": 2}


def drawn(**changed):
    found = {
        "kind": "draw",
        "sha256_in": THEIRS,
        "sha256_out": OURS,
        "own": {"bridge": BRIDGE, "log_ratio": 3.5},
        "warnings": ("a larger budget may help",),
    }
    return certificate(**found | changed)


def about(digest):
    return {**stored(), "checkpoint": {**stored()["checkpoint"], "sha256": digest}}


def rows(document):
    return {one["bound"]: one for one in document["certificates"]}


def told(policy, document, baseline=None):
    found = judged(parse(policy, "p.toml"), document, baseline)
    return [(one.rule, one.passed, one.found) for one in found.findings]


def test_a_certificate_alone_has_its_bounds_and_its_numbers():
    found = alone(drawn(), "c.json")

    assert {name: one["value"] for name, one in rows(found).items()} == {
        "draw": 0.1,
        "draw_original": 0.3,
    }
    assert rows(found)["draw"]["log10"] == log10(0.1)
    assert rows(found)["draw_original"]["delta"] == pytest.approx(0.06, rel=1e-12)
    assert told(
        """
        [best]
        max = 0.2
        [certificates.draw_original]
        status = "valid"
        max = 0.25
        [values]
        "certificate.log_ratio" = {max = 4}
        "certificates.draw.terms.errors" = {max = 2}
        [coverage]
        min = 0.5
        """,
        found,
    ) == [
        ("coverage", False, "nothing"),
        ("best (draw)", True, "0.1"),
        ("certificates.draw_original", True, "valid"),
        ("certificates.draw_original", False, "0.3"),
        ("certificate.log_ratio", True, "3.5"),
        ("certificates.draw.terms.errors", False, "3"),
    ]


def test_without_unlabelled_inputs_nothing_is_said_of_the_original():
    assert list(rows(alone(drawn(own={"bridge": None}), "c.json"))) == ["draw"]


def test_a_bound_of_zero_has_no_logarithm():
    assert rows(alone(certificate(bound=0.0), "c.json"))["holdout"]["log10"] is None


def test_warnings_are_warnings():
    policy = '[warnings]\nforbid = ["*"]\n'

    assert told(policy, alone(drawn(), "c.json")) == [
        ("warnings", False, "certificate")
    ]
    assert told(policy, alone(certificate(), "c.json")) == [("warnings", True, "none")]


def test_limits_relative_to_an_older_certificate():
    policy = "[certificates.draw]\nmax_increase = 0.05\n"
    older = alone(drawn(bound=0.04), "o.json")

    assert told(policy, alone(drawn(), "c.json"), older) == [
        ("certificates.draw", False, "0.1 (baseline 0.04)")
    ]


@pytest.mark.parametrize(
    ("digest", "draw", "original"),
    [
        (OURS, ("valid", 0.1), ("invalid", None)),
        (THEIRS, ("invalid", None), ("valid", 0.3)),
        ("e" * 64, ("invalid", None), ("invalid", None)),
        (None, ("assumed", 0.1), ("assumed", 0.3)),
    ],
)
def test_beside_a_report_each_bound_is_about_the_weights_it_names(
    digest, draw, original
):
    found = rows(beside(about(digest), [drawn()]))

    assert (found["draw"]["status"], found["draw"]["value"]) == draw
    assert (
        found["draw_original"]["status"],
        found["draw_original"]["value"],
    ) == original
    assert found["sparse_cnn"] == rows(about(digest))["sparse_cnn"]


def test_other_weights_are_named_by_their_digests():
    found = rows(beside(about("e" * 64), [drawn()]))

    assert (
        "sha256 cccccccccccc..., but those of the report have eeee"
        in (found["draw"]["note"])
    )


def test_weights_that_were_not_written_are_not_known():
    found = rows(beside(about(OURS), [certificate()]))

    assert found["holdout"]["status"] == "assumed"


def test_a_bound_of_the_same_name_is_replaced_and_the_report_is_left_as_it_is():
    before = about(OURS)
    names = [one["bound"] for one in before["certificates"]]
    found = beside(before, [certificate(sha256_out=OURS)])

    assert "holdout" in names
    assert [one["bound"] for one in found["certificates"]].count("holdout") == 1
    assert rows(found)["holdout"]["value"] == 0.1
    assert [one["bound"] for one in before["certificates"]] == names


def test_a_certificate_passes_the_policy_that_was_written_from_it():
    found = alone(drawn(), "c.json")
    policy = starter(found)

    assert judged(parse(policy, "p.toml"), found, None).failures == ()
    assert '"certificate.delta" = {max = 0.05}' in policy


def test_files_are_told_apart_by_their_beginning(tmp_path):
    cert, report, other = (tmp_path / name for name in ("c.json", "r.json", "net.pt"))
    cert.write_text(rendered(drawn()), encoding="utf-8")
    report.write_text(render(proved()), encoding="utf-8")
    other.write_bytes(b"PK")

    assert [is_certificate(one) for one in (cert, report, other)] == [
        True,
        False,
        False,
    ]
    assert [is_report(one) for one in (cert, report, other)] == [True, True, False]
    assert read_subject(cert)["checkpoint"]["source"] == str(cert)
    assert read_subject(report)["schema"] == "boundkit.report/1"
    assert "draw" in rows(read_certificates(read_subject(report), [cert]))


def test_a_certificate_with_a_hole_is_refused(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(rendered(drawn()).replace('"errors": 3', '"errors": -3'))

    with pytest.raises(DataError, match="errors is -3, which no certificate has"):
        read_subject(path)


def test_check_takes_certificates_in_memory_and_beside_a_report(tmp_path):
    policy, cert = tmp_path / "p.toml", tmp_path / "c.json"
    policy.write_text("[certificates.draw]\nmax = 0.2\n", encoding="utf-8")
    cert.write_text(rendered(drawn()), encoding="utf-8")
    made = proved()
    same = replace(made, checkpoint=replace(made.checkpoint, sha256=OURS))

    assert boundkit.check(drawn(), policy).passed
    assert boundkit.check(cert, policy).passed
    assert boundkit.check(same, policy, certificates=[cert]).passed
    assert not boundkit.check(made, policy, certificates=[cert]).passed
