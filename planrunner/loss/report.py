"""The loss report: the ledger as text for a terminal and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planrunner.loss.ledger import Construct, Fate, Ledger, LossCounts

__all__ = ["as_json", "as_text", "summary_line"]

_SHOWN = (
    Fate.LEFT_OUT,
    Fate.CHANGED,
    Fate.NEEDS_YOU,
    Fate.SUSPICIOUS,
)


def as_text(ledger: Ledger) -> str:
    """Return the findings by fate, each with its place, then the counts."""
    findings = list(ledger.findings())
    lines = [line for one in _SHOWN for line in _section(one, findings)]
    return "\n".join([*lines, *_counts(ledger), ""])


def summary_line(tally: LossCounts) -> str:
    """Return the counts in one line, with the share that is translated."""
    parts = [
        f"{number:,} {fate.words}"
        for fate, number in tally.counts.items()
        if number or fate is Fate.TRANSLATED
    ]
    constructs = "construct" if tally.total == 1 else "constructs"
    return f"{tally.total:,} {constructs}: {', '.join(parts)} ({tally.translated_percent:g} %)"


def as_json(ledger: Ledger) -> dict[str, object]:
    """Return everything: counts, counts by kind, and each construct with its fate."""
    tally = ledger.tally()
    return {
        "total": tally.total,
        "translated_percent": tally.translated_percent,
        "counts": _json_counts(tally),
        "kinds": {kind: _json_counts(one) for kind, one in ledger.tally_of_kinds().items()},
        "constructs": [_json_construct(one) for one in ledger.constructs],
    }


def _section(fate: Fate, findings: Sequence[Construct]) -> Iterator[str]:
    mine = [one for one in findings if one.fate is fate]
    if not mine:
        return
    yield f"{fate.words} ({sum(one.number for one in mine):,})"
    for one in mine:
        more = f" ({one.number:,} × {one.kind})" if one.number > 1 else ""
        yield f"  {one.place}: {one.words}{more}"
        if one.why:
            yield f"      {one.why}"
    yield ""


def _counts(ledger: Ledger) -> Iterator[str]:
    kinds = ledger.tally_of_kinds()
    if len(kinds) > 1:
        width = max(map(len, kinds))
        for kind, tally in kinds.items():
            yield f"{kind.ljust(width)}  {summary_line(tally)}"
    yield summary_line(ledger.tally())


def _json_counts(tally: LossCounts) -> dict[str, int]:
    return {fate.value: number for fate, number in tally.counts.items()}


def _json_construct(one: Construct) -> dict[str, object]:
    assert one.fate is not None, "the ledger is closed before it is shown"
    found: dict[str, object] = {
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "kind": one.kind,
        "words": one.words,
        "fate": one.fate.value,
    }
    if one.number != 1:
        found["number"] = one.number
    if one.why:
        found["why"] = one.why
    return found
