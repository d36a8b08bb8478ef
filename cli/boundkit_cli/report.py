"""``boundkit report``: a stored report in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from boundkit_cli import completion
from boundkit_cli import options as opt
from boundkit_cli.console import talk
from boundkit_cli.exits import DONE, UNDEFINED
from boundkit_cli.targets import deliver, targets

__all__ = ["report"]

_Stored = Annotated[
    str,
    typer.Argument(
        metavar="REPORT.json",
        help="A report that analyze wrote as JSON, or a certificate of draw, code or "
        "holdout.",
    ),
]
_Tables = Annotated[
    Path | None,
    typer.Option(
        "--tables",
        metavar="DIR",
        help="Folder for the tables of the report, a file each: layers, ledger, "
        "certificates, terms, assumptions, measurements, warnings.",
    ),
]
_TableFormat = Annotated[
    str,
    typer.Option(
        "--table-format",
        metavar="csv|parquet",
        autocompletion=completion.words("csv", "parquet"),
        help="Of the tables.",
    ),
]
_Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        autocompletion=completion.formats,
        help="A format of analyze, on stdout or into a file; text if neither this nor "
        "--tables is given. May be repeated.",
    ),
]


def report(
    stored: _Stored,
    formats: _Formats = None,
    output: opt.Output = None,
    tables: _Tables = None,
    table_format: _TableFormat = "csv",
    quiet: opt.Quiet = False,
) -> int:
    """Show a stored report or certificate in any format, without computing anything.

    \b
    Example:
      boundkit analyze net.pt --n 50000 --format json=report.json
      boundkit report report.json
      boundkit report report.json --format markdown --tables tables
      boundkit report certified.pt.certificate.json --format html=certificate.html

    \b
    Exit codes:
      0  done
      2  wrong usage
      3  the report cannot be read
      4  shown, but numbers in the report are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.gate.stored import is_certificate
    from boundkit.report.tables import TABLE_FORMATS

    form = next((one for one in TABLE_FORMATS if one == table_format), None)
    if form is None:
        raise typer.BadParameter(
            f"tables are written as csv or parquet, but got '{table_format}'",
            param_hint="'--table-format'",
        )
    if is_certificate(stored):
        return _certificate(stored, formats or [], output, tables, quiet)
    return _report(stored, formats or [], output, tables, form, quiet)


def _report(
    stored: str,
    formats: list[str],
    output: Path | None,
    tables: Path | None,
    form: Literal["csv", "parquet"],
    quiet: bool,
) -> int:
    from boundkit.report import FORMATS
    from boundkit.report.reading import read_report
    from boundkit.report.tables import write_tables

    shown = bool(formats or output) or tables is None
    wanted = targets(formats, output, [stored], FORMATS) if shown else ()
    found = read_report(stored)
    if tables is not None:
        write_tables(found, tables, form)
        if not quiet:
            talk(f"wrote the tables to {tables}")
    deliver(found, wanted, quiet)
    return UNDEFINED if found.undefined else DONE


def _certificate(
    stored: str,
    formats: list[str],
    output: Path | None,
    tables: Path | None,
    quiet: bool,
) -> int:
    from boundkit.posthoc.certificate import read_certificate
    from boundkit.posthoc.formats import CERTIFICATE_FORMATS

    if tables is not None:
        raise typer.BadParameter(
            f"'{stored}' is a certificate, which has no tables; leave --tables out",
            param_hint="'--tables'",
        )
    wanted = targets(formats, output, [stored], CERTIFICATE_FORMATS)
    deliver(read_certificate(Path(stored)), wanted, quiet)
    return DONE
