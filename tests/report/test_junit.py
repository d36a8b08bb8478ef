from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from boundkit.report.junit import render
from tests.report.reports import REPORTS

each_report = pytest.mark.parametrize("name", REPORTS)


@each_report
def test_the_counts_are_those_of_the_cases(name):
    suite = ET.fromstring(render(REPORTS[name]()))[0]
    cases = suite.findall("testcase")

    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))


def test_a_bound_below_one_passes_and_one_that_states_nothing_is_skipped():
    suite = ET.fromstring(render(REPORTS["proved"]()))[0]
    skipped = {
        case.get("name"): case[0].get("message")
        for case in suite.findall("testcase")
        if case[0].tag == "skipped"
    }

    assert skipped == {
        "toeplitz": "valid, vacuous: 3.87",
        "bartlett2017": "valid, vacuous: 10^400.2",
        "galanti2023": "invalid: degrees are powers: 16 and 49",
    }
    assert suite.findall("testcase")[0][0].text.startswith("valid: at most 0.264;")


def test_a_number_that_is_not_finite_fails():
    suite = ET.fromstring(render(REPORTS["refuted"]()))[0]

    assert [one.get("message") for one in suite.findall("testcase/failure")] == [
        "mid.weight holds 3 NaN"
    ]
