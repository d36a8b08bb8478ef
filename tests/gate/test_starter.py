from __future__ import annotations

import pytest

from boundkit.gate.judging import judged
from boundkit.gate.reading import parse
from boundkit.gate.starter import starter
from tests.gate.documents import stored
from tests.report.reports import REPORTS


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_passes_the_policy_that_was_written_from_it(name):
    document = stored(name)
    policy = parse(starter(document), "p.toml")

    assert judged(policy, document, None).failures == ()


@pytest.mark.parametrize("name", ["proved", "assumed", "hostile"])
def test_the_comments_of_the_policy_are_policies_too(name):
    document = stored(name)
    told = [
        line[2:] if line.startswith(("# [", '# "', "# name", "# s", "# m")) else line
        for line in starter(document).splitlines()
        if not line.startswith("# max_increase, ")
    ]

    assert len(parse("\n".join(told), "p.toml").rules) > 3
