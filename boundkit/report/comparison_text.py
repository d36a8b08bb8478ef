"""The comparison as text: nets, norms, rho over gamma, bounds, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.comparison_tables import Cell, Row, blocks
from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, Style, clip, plain, wrap
from boundkit.report.wording import (
    at_most,
    confidence,
    percent,
    plural,
    power,
    significant,
    sizes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.report.comparison_model import Agreement, ComparedLayer, Comparison
    from boundkit.types import Certificate

__all__ = ["agreement_lines", "level_words", "lines", "render", "verdict_lines"]

_MIN_WIDTH = 60
_MOST_LAYERS, _FIRST, _LAST = 30, 18, 8
_MOST_PAIRS, _MOST_NOTICES = 6, 12
_STYLES: dict[str, Style] = {
    "valid": "good",
    "assumed": "fair",
    "invalid": "bad",
    "unavailable": "dim",
}
_ONLY = (
    "Upper bounds are compared, nothing else: the net with the smaller bound may err "
    "more often. Premises: i.i.d. sample, on which every net was trained; preprocessing "
    "and architecture fixed without it."
)
_HEURISTIC = (
    "The theorem does not cover these nets, so the order is a heuristic, no comparison "
    "of proved bounds:"
)


def lines(comparison: Comparison, width: int = 100) -> tuple[Line, ...]:
    """Return the comparison as lines of (text, style) pairs, parts set off by a blank.

    Args:
        comparison: What to show.
        width: Columns of a line; fewer than 60 are taken as 60.

    Returns:
        The lines; every name from a file is escaped.
    """
    parts: tuple[Callable[[Comparison, int], list[Line]], ...] = (
        _heading,
        _norms,
        _relative,
        _bounds,
        agreement_lines,
        _warnings,
    )
    found: list[Line] = []
    for part in parts:
        block = part(comparison, max(width, _MIN_WIDTH))
        if block:
            found += [(), *block]
    return tuple(found[1:])


def render(comparison: Comparison, width: int = 100) -> str:
    """Return the comparison as plain text in lines of at most ``width`` columns."""
    return plain(lines(comparison, width))


def _heading(comparison: Comparison, width: int) -> list[Line]:
    count = len(comparison.labels)
    found = wrap(
        [
            (f"boundkit {comparison.boundkit}", "title"),
            (f"· {count} checkpoints of one architecture", ""),
        ],
        width,
        0,
        2,
    )
    for label, report in zip(comparison.labels, comparison.reports, strict=True):
        checkpoint = report.checkpoint
        digest = f"· sha256 {checkpoint.sha256[:12]}…" if checkpoint.sha256 else ""
        spans: list[Span] = [
            (label, "title"),
            (clip(escape(checkpoint.source), width - 6), "name"),
            (f"· {plural(checkpoint.parameters, 'parameter')}", ""),
            (digest, "dim"),
        ]
        found += wrap(spans, width, 2, 4)
    return found


def _norms(comparison: Comparison, width: int) -> list[Line]:
    """Return the norms of each net, and their ratios to those of the first."""
    rows = [_norm_row(layer) for layer in comparison.layers]
    if len(rows) > _MOST_LAYERS:
        more = f"… {len(rows) - _FIRST - _LAST:,} more in --format json"
        rows[_FIRST:-_LAST] = [((more, "dim"), [("", "")] * len(rows[0][1]))]
    compared = comparison.relative
    values = [(rho.value, rho.log10) for rho in compared.rhos]
    rows.append(((f"rho ({compared.compared})", "title"), _with_ratios(values)))
    titles = _ratio_titles(comparison.labels)
    return blocks("layer", titles, rows, width)


def _ratio_titles(labels: tuple[str, ...]) -> list[str]:
    first, *others = labels
    return [first, *(title for x in others for title in (x, f"{x} / {first}"))]


def _norm_row(layer: ComparedLayer) -> Row:
    kind = f"{escape(layer.name)}  {layer.kind} {sizes(layer.shape)}"
    words = kind if layer.counted else f"{kind} (not counted)"
    values = list(zip(layer.rho, layer.log10_rho, strict=True))
    return (words, "name"), _with_ratios(values)


def _with_ratios(values: list[tuple[float | None, float | None]]) -> list[Cell]:
    (first, base), *others = values
    row: list[Cell] = [(_number(first, base), "")]
    for value, log10 in others:
        ratio = None if base is None or log10 is None else log10 - base
        row += [(_number(value, log10), ""), (_power10(ratio), "dim")]
    return row


def _number(value: float | None, log10: float | None) -> str:
    return power(log10) if value is None else significant(value)


def _power10(log10: float | None) -> str:
    if log10 is None:
        return "-"
    return significant(10.0**log10) if abs(log10) < 300 else power(log10)


def _relative(comparison: Comparison, width: int) -> list[Line]:
    tested = any(error is not None for error in comparison.relative.test_errors)
    titles = ["rho", "gamma", "rho / gamma", "rank"] + ["held-out error"] * tested
    rows: list[Row] = [
        ((label, "name"), _standing(comparison, at)[: len(titles)])
        for at, label in enumerate(comparison.labels)
    ]
    return [
        *wrap(
            [("Relative generalization", "title"), level_words(comparison)], width, 2, 4
        ),
        *blocks("net", titles, rows, width),
        *verdict_lines(comparison, width),
    ]


def _standing(comparison: Comparison, at: int) -> list[Cell]:
    found = comparison.relative
    ranks = {x: place for place, xs in enumerate(comparison.ranking, 1) for x in xs}
    rho, margin = found.rhos[at], found.chosen.margins[at]
    error = found.test_errors[at]
    return [
        (_number(rho.value, rho.log10), ""),
        ("-" if margin is None else significant(margin), ""),
        (_power10(found.chosen.log10_ratios[at]), "title"),
        (str(ranks.get(comparison.labels[at], "-")), ""),
        ("-" if error is None else f"{100 * error:.2f} %", ""),
    ]


def level_words(comparison: Comparison) -> Span:
    """Return at which margin loss the nets are compared."""
    loss = comparison.relative.chosen.margin_loss
    if loss is None:
        return ("at margin gamma = 1, assumed for every net", "")
    if loss == 0:
        return ("at margin loss 0: gamma is the smallest training margin", "")
    below = f"gamma is the {percent(loss)} quantile of the training margins"
    return (f"at margin loss {percent(loss)}: {below}", "")


def verdict_lines(comparison: Comparison, width: int) -> list[Line]:
    """Return whose bound is smaller, and what that rests on.

    Args:
        comparison: What to show.
        width: Columns of a line.
    """
    status = comparison.relative.status
    found = wrap([(_order(comparison), _STYLES[status])], width, 2, 2)
    doubtful = [
        each
        for each in comparison.relative.assumptions
        if (each.holds is False if status == "invalid" else each.holds is None)
    ]
    if status == "invalid":
        found += wrap([(_HEURISTIC, "bad")], width, 2, 2)
    elif doubtful:
        found += wrap(
            [("Provided that what was not checked is true:", "")], width, 2, 4
        )
    for each in doubtful:
        detail = clip(escape(each.detail), 300)
        found += wrap([(f"- {each.name}", "fair"), (f"({detail})", "dim")], width, 4, 6)
    return found + wrap([(_ONLY, "dim")], width, 2, 2)


def _order(comparison: Comparison) -> str:
    groups = [" = ".join(group) for group in comparison.ranking]
    covered = comparison.relative.status != "invalid"
    by = "of the bounds" if covered else "by rho / gamma"
    if len(groups) > 1:
        text = f"Ranking {by}, smallest first: {' < '.join(groups)}"
        return f"{text}{_factor(comparison)}."
    if not groups:
        return "No net can be ranked."
    alone = len(comparison.ranking[0]) == 1
    return f"Only {groups[0]} can be ranked." if alone else f"Equal: {groups[0]}."


def _factor(comparison: Comparison) -> str:
    factors = [pair.log10_factor for pair in comparison.pairs]
    if len(factors) != 1 or factors[0] is None:
        return ""
    return f"; rho / gamma differs by a factor {_power10(abs(factors[0]))}"


def _bounds(comparison: Comparison, width: int) -> list[Line]:
    table = comparison.certificates
    if not table:
        return []
    deltas = {one.delta for row in table.values() for one in row}
    chance = " or ".join(confidence(delta) for delta in sorted(deltas))
    title = f"Test error is at most, each with probability {chance} by itself"
    rows: list[Row] = [
        ((escape(bound), "name"), [_bound(one) for one in row])
        for bound, row in table.items()
    ]
    why = "boundkit analyze says why one has no value, and what a value rests on."
    return [
        *wrap([(title, "title")], width, 2, 4),
        *blocks("bound", list(comparison.labels), rows, width),
        *wrap([(why, "dim")], width, 2, 2),
    ]


def _bound(one: Certificate) -> Cell:
    if one.status in {"invalid", "unavailable"}:
        return one.status, _STYLES[one.status]
    value = float("inf") if one.value is None else one.value
    return f"{at_most(value, one.log10)} {one.status}", _STYLES[one.status]


def agreement_lines(comparison: Comparison, width: int) -> list[Line]:
    """Return how the held-out errors order the pairs; nothing without them.

    Args:
        comparison: What to show.
        width: Columns of a line.
    """
    found: list[Line] = []
    for one in comparison.agreements:
        decided = len(one.agree) + len(one.disagree)
        words = f"{len(one.agree)} of {plural(decided, 'pair')}" if decided else "none"
        spans: list[Span] = [(f"{one.by}:", "name"), (words + _exceptions(one), "")]
        found += wrap(spans, width, 4, 6)
    title = "Pairs that are ordered as their held-out errors are"
    return [*wrap([(title, "title")], width, 2, 4), *found] if found else []


def _exceptions(one: Agreement) -> str:
    words = ""
    for name, group in (
        ("not", one.disagree),
        ("ties", one.ties),
        ("undefined", one.undefined),
    ):
        if group:
            shown = ", ".join("-".join(pair) for pair in group[:_MOST_PAIRS])
            more = len(group) - _MOST_PAIRS
            words += f"; {name}: {shown}" + (f" and {more:,} more" if more > 0 else "")
    return words


def _warnings(comparison: Comparison, width: int) -> list[Line]:
    found: list[Line] = []
    for notice in comparison.warnings[:_MOST_NOTICES]:
        style: Style = "bad" if notice.code == "non-finite" else "fair"
        message = clip(escape(notice.message), 600)
        found += wrap([(f"{escape(notice.code)}:", style), (message, "")], width, 4, 6)
    more = len(comparison.warnings) - _MOST_NOTICES
    if more > 0:
        found += wrap([(f"… {more:,} more in --format json", "dim")], width, 4, 4)
    return [(("  Warnings", "title"),), *found] if found else []
