from __future__ import annotations

from pathlib import Path
from re import DOTALL, findall

import pytest
import yaml

from boundkit.errors import UsageError
from boundkit.gate.policy import CertificateRule, LayerRule, ValueRule, WarningRule
from boundkit.gate.reading import parse, read_policy

WHOLE = """\
[policy]
version = 1
[coverage]
min = 0.99
[warnings]
forbid = ["non-finite", "trailing-*"]
allow = "alias"
[best]
max = 0.3
max_increase = 0.02
[certificates.sparse_cnn]
status = ["valid"]
[values]
"rho.stored.log10" = {max = 1, optional = true}
[[layers]]
name = "conv*"
spectral_norm = {max = 10}
stable_rank = {min = 1.0}
"""


def test_every_table_becomes_rules_in_the_order_of_the_checks():
    rules = parse(WHOLE, "p.toml").rules

    assert [type(rule) for rule in rules] == [
        ValueRule,
        WarningRule,
        CertificateRule,
        CertificateRule,
        ValueRule,
        LayerRule,
        LayerRule,
    ]
    assert rules[1] == WarningRule(("non-finite", "trailing-*"), ("alias",), 5)
    assert [rule.line for rule in rules] == [3, 5, 8, 11, 14, 17, 18]


def test_the_limits_that_need_a_baseline_are_known_by_line():
    assert parse(WHOLE, "p.toml").relative == ((8, "max_increase"),)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[coverage\n", "policy 'p.toml': no valid TOML: "),
        ("", "it asks for nothing"),
        ("[covrage]\nmin = 1\n", "line 1: 'covrage' is not known"),
        ("coverage = 1\n", "line 1: 'coverage' must be a table of limits"),
        ("[coverage]\n\nmim = 1\n", "line 3: 'coverage.mim' is not known"),
        ("[coverage]\nmin = true\n", "line 2: 'coverage.min' must be a number"),
        ("[coverage]\nmax = inf\n", "line 2: 'coverage.max' must be a number"),
        ("[coverage]\nmin = 2\nmax = 1\n", "asks for at least 2 and at most 1"),
        ("[coverage]\noptional = true\n", "'coverage' sets no limit"),
        (
            "[coverage]\nmin = 1\noptional = 1\n",
            "'coverage.optional' must be true or false",
        ),
        ("[best]\nmax_ratio = 0\n", "line 2: 'best.max_ratio' must be above 0"),
        ('[best]\nstatus = "proved"\n', "'best.status' must be out of valid, assumed"),
        ("[policy]\nversion = 2\n", "line 2: 'policy.version' must be 1, but is 2"),
        ("policy = 1\n", "'policy' must be a table"),
        ("[warnings]\nallow = []\n", "'warnings' forbids nothing"),
        ("warnings = 1\n", "'warnings' must be a table"),
        (
            "[warnings]\nforbid = [1]\n",
            "line 2: 'warnings.forbid' must be a list of strings",
        ),
        ("certificates = 1\n", "'certificates' must be a table"),
        ("[certificates]\ndense = 1\n", "'certificates.dense' must be a table"),
        ("[layers]\nrho = {max = 1}\n", "'layers' must be \\[\\[layers\\]\\]"),
        (
            "[[layers]]\nname = 1\nrho = {max = 1}\n",
            "'layers.name' must be a pattern",
        ),
        (
            '[[layers]]\nname = "*"\nnorm = {max = 1}\n',
            "line 3: 'layers.norm' is not known; there are name, rho,",
        ),
    ],
)
def test_what_does_not_fit_is_named_by_line_and_key(written, message):
    with pytest.raises(UsageError, match=message):
        parse(written, "p.toml")


def test_a_policy_is_read_from_its_file(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(WHOLE, encoding="utf-8")

    assert read_policy(path) == parse(WHOLE, str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory; give a TOML file"),
        (b"\xff", "it is no UTF-8 text"),
        (b"#" * (2**20 + 1), "it is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(tmp_path, content, message):
    path = tmp_path / "p.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=message):
        read_policy(path)


def test_the_policy_of_the_documentation_is_one():
    page = (Path(__file__).parents[2] / "docs/check.md").read_text("utf-8")
    written, *_ = findall(r"```toml\n(.*?)```", page, DOTALL)

    assert len(parse(written, "docs/check.md").rules) == 8


def test_the_snippets_of_the_documentation_are_yaml():
    page = (Path(__file__).parents[2] / "docs/check.md").read_text("utf-8")
    github, gitlab = map(yaml.safe_load, findall(r"```yaml\n(.*?)```", page, DOTALL))
    action = yaml.safe_load(
        (Path(__file__).parents[2] / "action.yml").read_text("utf-8")
    )
    (job,) = github["jobs"].values()

    assert job["steps"][-1]["with"].keys() <= action["inputs"].keys()
    assert "--format junit=boundkit.xml" in gitlab["boundkit"]["script"][-1]
    assert gitlab["boundkit"]["artifacts"]["reports"] == {"junit": "boundkit.xml"}
