from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

ROOT = Path(__file__).parents[2]
HEADER = "path,label_noise,seed,weight_decay,inverse_rho,measure.a,test_error\n"
ROWS = [
    f"{n}{s}{d}.pt,{n},{s},{d},{1 / (1 + n + 0.1 * s + d)},{n + d * s},{n / 2 + 0.01 * s}\n"
    for n in (0.0, 0.2, 0.4)
    for s in range(2)
    for d in (0.1, 0.2)
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "nets.csv"
    path.write_text(HEADER + "".join(ROWS), "utf-8")
    return str(path)


def test_a_line_is_shown(table, capfd):
    assert run(["regress", table]) == exits.DONE
    shown = capfd.readouterr()
    assert "test_error on inverse_rho" in shown.out
    assert "12 points of 12 rows" in shown.out
    assert "95 % interval" in shown.out
    assert not shown.err


def test_every_option_is_heard(table, capfd):
    code = run([
        *["regress", table, "--x", "measure.a", "--y", "test_error"],
        *["--by", "label_noise, seed", "--group", "weight_decay", "--level", "0.9"],
        *["--resamples", "200", "--seed", "3", "--mix", "--format", "json"],
    ])
    found = json.loads(capfd.readouterr().out)

    assert code == exits.DONE
    assert (found["x"], found["by"]) == ("measure.a", ["label_noise", "seed"])
    assert (found["level"], found["resamples"], found["seed"]) == (0.9, 200, 3)
    assert [fit["group"] for fit in found["groups"]] == ["0.1", "0.2"]


def test_logarithms(table, capfd):
    run(["regress", table, "--log", "x", "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))

    assert "log10(inverse_rho)" in rows[0]
    assert len(rows) == 12


def test_figures_are_drawn(table, tmp_path, capfd):
    png, svg = tmp_path / "a.png", tmp_path / "b.svg"
    code = run([
        *["regress", table, "--by", "label_noise", "--plot", str(png)],
        *["--bars", str(svg)],
    ])

    assert code == exits.DONE
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in svg.read_bytes()
    assert f"wrote {png}" in capfd.readouterr().err


def test_a_ranking_is_shown_and_drawn(table, tmp_path, capfd):
    picture = tmp_path / "r.png"
    code = run([
        *["regress", table, "--rank", "--test-size", "5000", "--plot", str(picture)],
        *["--hyperparameters", "label_noise,weight_decay", "--quiet"],
        *["--measures", "measure.a,inverse_rho"],
    ])
    shown = capfd.readouterr()

    assert code == exits.DONE
    assert "measures that order test_error" in shown.out
    assert picture.exists()
    assert not shown.err


def test_formats_go_to_files(table, tmp_path):
    out = tmp_path / "o.json"

    assert run(["regress", table, "--rank", "--format", f"json={out}", "-q"]) == 0
    assert json.loads(out.read_text("utf-8"))["schema"] == "boundkit.ranking/1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--log", "z"], "axes must be one of none, x, y, xy, but got 'z'"),
        (["--plot", "a.pdf"], "figures are called .png or .svg, but got 'a.pdf'"),
        (["--bars", "a.png"], "--bars needs --by, the columns that bars stand on"),
        (["--rank", "--by", "seed"], "--by does not go with --rank"),
        (["--test-size", "9"], "--test-size goes only with --rank"),
        (["--level", "2"], "level must lie in (0, 1), but got 2.0"),
        (["--format", "yaml"], "the format must be one of text, json, csv, html"),
    ],
)
def test_wrong_usage_is_one_line(table, capfd, arguments, message):
    assert run(["regress", table, *arguments]) == exits.USAGE
    (line,) = capfd.readouterr().err.splitlines()
    assert message in line


def test_bad_tables_are_one_line(tmp_path, capfd):
    path = tmp_path / "t.csv"
    path.write_text("inverse_rho,test_error\n1,2\n2,3\n", "utf-8")

    assert run(["regress", str(path)]) == exits.UNREADABLE
    assert run(["regress", str(tmp_path / "no.csv")]) == exits.UNREADABLE
    assert run(["regress", str(path), "--x", "a\x1b"]) == exits.UNREADABLE
    first, second, third = capfd.readouterr().err.splitlines()
    assert "2 points cannot tell a line from chance" in first
    assert "cannot be read" in second
    assert r"there is no column 'a\x1b'" in third


def test_mixed_nets_are_refused_unless_asked_for(tmp_path, capfd):
    path = tmp_path / "t.csv"
    path.write_text(
        "inverse_rho,test_error,parameters\n1,2,5\n2,3,5\n4,3,6\n3,3,6\n", "utf-8"
    )

    assert run(["regress", str(path)]) == exits.USAGE
    assert "--mix" in capfd.readouterr().err
    assert run(["regress", str(path), "--mix"]) == exits.DONE
