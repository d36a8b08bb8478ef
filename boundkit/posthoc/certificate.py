"""What a certificate states, as a value and as strict JSON, ``boundkit.certificate/1``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from boundkit.report.painting import Console, Painted

__all__ = [
    "CERTIFICATE_SCHEMA",
    "CertificateFile",
    "Kind",
    "document",
    "parsed",
    "read_certificate",
    "rendered",
    "schema",
]

CERTIFICATE_SCHEMA = "boundkit.certificate/1"

Kind = Literal["holdout", "draw", "code"]

#: Bytes of the largest certificate that is read: the posterior of 50 million weights.
_LARGEST = 2**30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CertificateFile:
    """A proved statement about the weights in one file.

    Attributes:
        kind: Which theorem.
        certifies: Which weights the statement is about, in words.
        bound: With probability at least ``1 - delta``, the error probability is at most
            this; at most 1.
        delta: Probability that the statement fails.
        n: Samples it rests on.
        errors: Errors among them, borderline outputs included.
        classes: C.
        chance_error: Error of always answering the most frequent class of the sample.
        complexity_nats: What the choice of the weights costs; 0 for ``holdout``.
        model: The model SPEC, for the record; None for a model in memory.
        sha256_in: Of the checkpoint that was given.
        sha256_out: Of the certified file; None for weights that were not written.
        data_sha256: Of the sample, inputs and labels.
        premises: What no program can check.
        warnings: What a reader should know.
        reference: Other numbers beside it, such as the hold-out bound.
        own: Keys of its kind alone, as the schema says.
        seconds: Wall time of each stage.
    """

    kind: Kind
    certifies: str
    bound: float
    delta: float
    n: int
    errors: int
    classes: int
    chance_error: float
    complexity_nats: float
    model: str | None
    sha256_in: str | None
    sha256_out: str | None
    data_sha256: str
    premises: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    reference: Mapping[str, float | None] = field(
        default_factory=lambda: MappingProxyType({})
    )
    own: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def error(self) -> float:
        """Share of errors in the sample."""
        return self.errors / self.n

    @property
    def vacuous(self) -> bool:
        """Whether guessing among the classes is as good as what is proved."""
        return not self.bound < 1 - 1 / max(self.classes, 2)

    def __repr__(self) -> str:
        """Render as text; the weights of a posterior are left out."""
        from boundkit.posthoc.formats import text

        return text(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as text, painted, for rich's consoles."""
        from boundkit.posthoc.wording import certificate_lines
        from boundkit.report.painting import painted

        return painted(certificate_lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.posthoc.formats import html
        from boundkit.report.pages import framed

        return framed(html(self), "boundkit certificate")


_COMMON = tuple(f.name for f in fields(CertificateFile) if f.name != "own")


def document(certificate: CertificateFile) -> dict[str, Any]:
    """Return the certificate as dicts, lists, strings, finite numbers, booleans, None.

    Args:
        certificate: Whose own keys follow the common ones.
    """
    from boundkit import __version__

    common = {name: _plain(getattr(certificate, name)) for name in _COMMON}
    return {
        "schema": CERTIFICATE_SCHEMA,
        "boundkit": __version__,
        **common,
        "error": certificate.error,
        "vacuous": certificate.vacuous,
        **_plain(certificate.own),
    }


def rendered(certificate: CertificateFile) -> str:
    """Return the certificate as one JSON document."""
    return json.dumps(document(certificate), indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    path = files("boundkit.posthoc").joinpath("certificate.schema.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def read_certificate(path: Path) -> CertificateFile:
    """Read a certificate that ``draw``, ``code`` or ``holdout`` wrote.

    Args:
        path: A JSON file.

    Raises:
        DataError: It is not there, not JSON, or not a certificate.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: larger than any certificate; check the path")
        found = json.loads(path.read_bytes(), parse_constant=_refused)
    except OSError as error:
        cause = error.strerror or error
        raise DataError(f"{path}: cannot be read: {cause}; check the path") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: not a certificate ({type(error).__name__} while reading JSON);"
            " give the .json file that draw, code or holdout wrote"
        ) from error
    return parsed(found, str(path))


def parsed(found: Any, source: str) -> CertificateFile:
    """Return the certificate that a JSON document holds.

    Args:
        found: As ``json.loads`` gives it; trusted in nothing.
        source: Where it is from, for messages.

    Raises:
        DataError: A key is missing, of another type, or out of its range.
    """
    if not isinstance(found, dict) or found.get("schema") != CERTIFICATE_SCHEMA:
        raise DataError(
            f"{source}: not a {CERTIFICATE_SCHEMA} document; give the .json file that"
            " draw, code or holdout wrote"
        )
    for name, (kinds, sensible) in _EXPECTED.items():
        value = found.get(name)
        # A boolean is an int to Python.
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if not fits or not sensible(value):
            raise DataError(
                f"{source}: {name} is {_short(value)}, which no certificate has; make"
                " it again"
            )
    if found["errors"] > found["n"]:
        raise DataError(
            f"{source}: errors is {found['errors']} of {found['n']} samples; make it"
            " again"
        )
    values = {name: _frozen(found[name]) for name in _EXPECTED}
    known = {"schema", "boundkit", "error", "vacuous", *values}
    own = {name: value for name, value in found.items() if name not in known}
    return CertificateFile(**values, own=MappingProxyType(own))


def _share(value: float) -> bool:
    return 0 <= value <= 1


def _inside(value: float) -> bool:
    return 0 < value < 1


def _positive(value: int) -> bool:
    return value >= 1


def _anything(value: object) -> bool:
    del value
    return True


def _is_kind(value: str) -> bool:
    return value in get_args(Kind)


def _words(value: list[Any]) -> bool:
    return all(isinstance(one, str) for one in value)


_NUMBER = (int, float)
_TEXT = (str, type(None))
_EXPECTED: dict[str, tuple[Any, Any]] = {
    "kind": (str, _is_kind),
    "certifies": (str, _anything),
    "bound": (_NUMBER, _share),
    "delta": (_NUMBER, _inside),
    "n": (int, _positive),
    "errors": (int, lambda value: value >= 0),
    "classes": (int, _positive),
    "chance_error": (_NUMBER, _share),
    "complexity_nats": (_NUMBER, math.isfinite),
    "model": (_TEXT, _anything),
    "sha256_in": (_TEXT, _anything),
    "sha256_out": (_TEXT, _anything),
    "data_sha256": (str, _anything),
    "premises": (list, _words),
    "warnings": (list, _words),
    "reference": (dict, _anything),
    "seconds": (dict, _anything),
}


def _plain(value: Any) -> Any:
    """Return mappings as dicts and tuples as lists; a number that is not finite as None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "keys"):
        return {str(key): _plain(value[key]) for key in value}
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value) if isinstance(value, dict) else value


def _short(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def _refused(name: str) -> None:
    raise ValueError(name)
