from __future__ import annotations

import pytest

import boundkit
from boundkit.checking import starting_policy
from boundkit.errors import UsageError
from boundkit.report.json import document, render
from tests.report.reports import proved


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("[best]\nmax = 0.2\n", encoding="utf-8")
    return path


def test_a_report_its_document_and_its_file_are_judged_alike(tmp_path, policy):
    path = tmp_path / "r.json"
    path.write_text(render(proved()), encoding="utf-8")
    found = [
        boundkit.check(one, policy) for one in (proved(), document(proved()), path)
    ]

    assert found[0] == found[1] == found[2]
    assert not found[0].passed


def test_relative_limits_need_a_baseline(policy):
    policy.write_text("[best]\nmax_increase = 0.1\n", encoding="utf-8")

    with pytest.raises(
        UsageError, match="line 1: 'max_increase' needs an older report"
    ):
        boundkit.check(proved(), policy)
    assert boundkit.check(proved(), policy, baseline=proved()).passed


def test_a_starting_policy_passes(policy):
    policy.write_text(starting_policy(proved()), encoding="utf-8")

    assert boundkit.check(proved(), policy).passed
