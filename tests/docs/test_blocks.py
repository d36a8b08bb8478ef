"""Every block of the pages runs; those that cannot say why, and name what there is."""

import ast
import inspect
import json
import re
import shutil
import tomllib

import pytest
import yaml

import boundkit
from boundkit.gate.reading import read_policy
from tests.docs.blocks import (
    COMMANDS,
    OTHERS,
    PAGES,
    PLAIN,
    ROOT,
    RUNNABLE,
    blocks,
    calls,
    commands,
    parsed,
)
from tests.docs.stage import do, environment, set_up, shows

#: Pages that take more than ten seconds.
SLOW = {
    "README.md",
    "docs/figures.md",
    "docs/regress.md",
    "docs/sweep.md",
    "docs/trace.md",
    "docs/tutorial.md",
}
ALL = [block for page in PAGES for block in blocks(page)]
CHECKED = [*ALL, *(block for page in OTHERS for block in blocks(page))]
#: Options of other programs that the pages name.
FOREIGN = {
    "--nproc-per-node",
    "--strict",
    "--nnodes",
    "--rdzv-endpoint",
    "--cpus-per-task",
}


def place_of(block):
    return block.place


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def running(page):
    return [b for b in blocks(page) if b.language in RUNNABLE and not b.reason]


RUN = [
    pytest.param(
        page,
        id=name_of(page),
        marks=[pytest.mark.slow] if name_of(page) in SLOW else [],
    )
    for page in PAGES
    if running(page)
]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    set_up(folder)
    return folder


@pytest.fixture
def stage(template, tmp_path):
    return shutil.copytree(template, tmp_path / "stage", symlinks=True)


@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_run_one_after_the_other(page, stage, monkeypatch, capfd):
    monkeypatch.chdir(stage)
    for name, value in environment(stage).items():
        monkeypatch.setenv(name, value)
    names = {"__name__": "example"}
    for block in running(page):
        if block.language == "python":
            exec(compile(block.text, block.place, "exec"), names)
            continue
        for command in commands(block):
            code, output = do(command, stage, capfd)

            assert code == command.exit, f"{block.place}: {command.line}\n{output}"
            assert shows(command.shown, output), (
                f"{block.place}: {command.line}\n{output}"
            )


@pytest.mark.parametrize("block", ALL, ids=place_of)
def test_a_block_runs_or_says_why_not(block):
    assert block.language in RUNNABLE | PLAIN
    if block.language in RUNNABLE:
        assert block.reason or not block.marker.startswith("not run")
    elif block.language != "yaml" and not block.place.startswith("docs/cli.md"):
        # Commands belong into bash or console, where they are tried.
        typed = "\n".join(re.findall(r"^\S.*$", block.text, re.MULTILINE))
        assert block.reason or not calls(typed)


@pytest.mark.parametrize(
    ("block", "arguments"),
    [
        pytest.param(block, call, id=f"{block.place}-{number}")
        for block in CHECKED
        for number, call in enumerate(calls(block.text))
    ],
)
def test_a_command_has_the_options_that_a_page_gives_it(block, arguments):
    assert arguments[0] in COMMANDS, block.place
    with parsed(arguments) as context:
        assert context.params


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.language == "python" and b.reason], ids=place_of
)
def test_python_that_does_not_run_calls_what_there_is(block):
    for node in ast.walk(ast.parse(block.text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "boundkit":
            parameters = inspect.signature(getattr(boundkit, node.func.attr)).parameters

            assert {one.arg for one in node.keywords} <= set(parameters)


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.language in {"toml", "json"}], ids=place_of
)
def test_tables_read(block, tmp_path):
    if block.language == "json":
        assert json.loads(block.text)
        return
    found = tomllib.loads(block.text)
    if "policy" in found:
        path = tmp_path / "policy.toml"
        path.write_text(block.text)

        assert read_policy(path)


def strings(tree, key):
    """Return every text below a key, wherever the key stands."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield from value if isinstance(value, list) else [str(value)]
            else:
                yield from strings(value, key)
    elif isinstance(tree, list):
        for one in tree:
            yield from strings(one, key)


def steps(tree):
    """Return the steps of every job of a workflow."""
    return [step for job in tree.get("jobs", {}).values() for step in job["steps"]]


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.language == "yaml"], ids=place_of
)
def test_pipelines_read_and_give_options_that_there_are(block):
    tree = yaml.safe_load(block.text)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    lines = [line for key in ("run", "script") for line in strings(tree, key)]
    for arguments in calls("\n".join(lines)):
        with parsed(arguments) as context:
            assert context.params
    for step in steps(tree):
        if "/boundkit@" in step.get("uses", ""):
            assert set(step["with"]) <= set(inputs)
            given = step["with"].get("arguments", "").split()
            with parsed(["check", "net.pt", *given]) as context:
                assert context.params["model"]


def test_options_in_the_text_are_options_of_some_command():
    known = {
        option
        for command in COMMANDS.values()
        for inner in (command, *getattr(command, "commands", {}).values())
        for parameter in inner.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | FOREIGN
    unknown = {
        (name_of(page), option)
        for page in PAGES
        for option in re.findall(r"`(--[a-z][a-z-]+)", page.read_text("utf-8"))
        if option not in known | {"--help", "--version", "--install-completion"}
    }

    assert unknown == set()
