"""What is shipped."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    (built,) = folder.glob("boundkit-*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_the_wheel_holds_the_package_and_the_command_line_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert {t for t in tops if not t.endswith(".dist-info")} == {
        "boundkit",
        "boundkit_cli",
    }


def test_the_wheel_holds_every_module_and_data_file(wheel):
    names = set(wheel.namelist())
    sources = {
        path.relative_to(root).as_posix()
        for root, package in ((ROOT, "boundkit"), (ROOT / "cli", "boundkit_cli"))
        for path in (root / package).rglob("*")
        if path.is_file() and not re.search(r"/(__pycache__|\.)", path.as_posix())
    }

    assert {"boundkit/report/schema.json", "boundkit/py.typed"} <= names
    assert {n for n in names if ".dist-info/" not in n} == sources


def test_the_wheel_carries_its_license_and_its_command(wheel):
    names = {name.partition("/")[2]: name for name in wheel.namelist()}
    commands = wheel.read(names["entry_points.txt"]).decode()

    assert "licenses/LICENSE" in names
    assert "boundkit = boundkit_cli.app:main" in commands
