"""An access log → weighted tasks and the rate of each minute."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field
from math import gcd
from pathlib import Path
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import (
    DraftClass,
    DraftParam,
    DraftPhase,
    DraftPlan,
    DraftStep,
    DraftTask,
    Keys,
)
from planrunner.importers.formats.access_log.lines import LogEntry, read_line
from planrunner.importers.sources import ImportFault, SourceFile, decode
from planrunner.importers.templates import identifier, literal
from planrunner.loss.ledger import Construct, Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["read"]

_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_ASSET: Final = re.compile(
    r"\.(?:js|mjs|css|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|map|mp4|webm)$", re.IGNORECASE
)
_ID: Final = re.compile(
    r"\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,}|(?=[\w-]*\d)[\w-]{20,}",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(r"token|secret|passw|api_?key|auth|session|signature", re.IGNORECASE)
_WITH_SECRET: Final = re.compile(r"([^?&=]+)=\{secret\}")
_MOST_VALUES: Final = 1000
"""Values kept of what varies in a URL."""

_MOST_TASKS: Final = 100
_MOST_NOTES: Final = 5
_LONGEST_URL: Final = 8192
_LONGEST_GAP: Final = 60
"""Minutes without a request; what follows a longer gap was another day's load."""

_MINUTE: Final = 60
_TARGET: Final = "target"


def read(request: ImportRequest) -> DraftPlan:
    """Count the requests of all files; a log has no bodies, so those have to be added."""
    counts: dict[tuple[str, str], _Folded] = {}
    minutes: Counter[int] = Counter()
    for file in request.files:
        for place, entry in _entries(file, request.ledger):
            _count(place, entry, counts, minutes, request)
    if not counts:
        raise ImportFault(request.files[0].name, "no line is a request that can be sent again")
    draft = DraftPlan(Path(request.files[0].name).stem)
    draft.params[_TARGET] = DraftParam(
        {"type": "url", "default": "http://127.0.0.1:8000", "help": "a log does not name its host"}
    )
    draft.http["base_url"] = f"${{{_TARGET}}}"
    draft.users.append(_visitor(counts, draft, request.ledger))
    draft.phases.append(_phase(minutes, sum(one.count for one in counts.values())))
    return draft


@dataclass(slots=True)
class _Folded:
    """Requests that differ only in what varies in their URLs."""

    place: SourcePlace
    count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    rows: dict[tuple[str, ...], None] = field(default_factory=dict)


def _entries(file: SourceFile, ledger: Ledger) -> Iterator[tuple[SourcePlace, LogEntry]]:
    """Yield the entries of a file of any length; lines that are none are left out."""
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        entry = read_line(line)
        if entry is not None:
            yield file.place(number), entry
        else:
            ledger.add("line", line[:80], file.place(number)).left_out("no entry of an access log")


def _lines(file: SourceFile) -> Iterator[str]:
    if file.path is None:
        yield from file.text.split("\n")
        return
    try:
        with file.path.open("rb") as lines:
            for line in lines:
                file.bytes_read += len(line)
                yield decode(line).rstrip("\n")
    except OSError as error:
        raise ImportFault(file.name, str(error.strerror).lower()) from error


def _count(
    place: SourcePlace,
    entry: LogEntry,
    counts: dict[tuple[str, str], _Folded],
    minutes: Counter[int],
    request: ImportRequest,
) -> None:
    path = entry.url.partition("?")[0]
    words = f"{entry.verb} {entry.url}"[:80]
    if entry.verb not in _VERBS or not entry.url.startswith("/"):
        request.ledger.add("line", words, place).left_out("no request that a plan can send")
    elif _ASSET.search(path) and not request.options.keeps_assets:
        request.ledger.add("line", words, place).left_out("a static file; --assets keeps it")
    elif len(entry.url) > _LONGEST_URL:
        why = f"a URL of {len(entry.url):,} characters: servers refuse it"
        request.ledger.add("line", words, place).left_out(why)
    else:
        template, values = _folded(entry.url)
        one = counts.setdefault((entry.verb, template), _Folded(place))
        one.count += 1
        one.statuses[entry.status] += 1
        if values and len(one.rows) < _MOST_VALUES:
            one.rows[values] = None
        if entry.time_s is not None:
            minutes[int(entry.time_s // _MINUTE)] += 1


def _folded(url: str) -> tuple[str, tuple[str, ...]]:
    """Return a URL with `{}` for what varies, and the values: ids in the path, all of a query."""
    path, mark, query = url.partition("?")
    values: list[str] = []
    parts = []
    for part in literal(path).split("/"):
        is_id = _ID.fullmatch(part) is not None
        parts.append("{}" if is_id else part)
        values += [part] if is_id else []
    fields = [pair.partition("=") for pair in literal(query).split("&") if pair]
    values += [value for name, equals, value in fields if equals and not _SECRET.search(name)]
    shown = "&".join(
        name if not equals else f"{name}={{secret}}" if _SECRET.search(name) else f"{name}={{}}"
        for name, equals, _ in fields
    )
    return "/".join(parts) + (f"?{shown}" if mark and shown else ""), tuple(values)


def _visitor(
    counts: dict[tuple[str, str], _Folded], draft: DraftPlan, ledger: Ledger
) -> DraftClass:
    visitor = DraftClass("Visitor")
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1].count, pair[0]))
    for (verb, template), one in ranked[_MOST_TASKS:]:
        _lines_of(verb, template, one, ledger).left_out(
            f"the {_MOST_TASKS} most frequent requests are kept, and sent as often as all together"
        )
    ranked = ranked[:_MOST_TASKS]
    divisor = gcd(*(one.count for _, one in ranked))
    for (verb, template), one in ranked:
        step = _step(verb, template, one, draft, ledger)
        visitor.tasks.append(DraftTask("", [step], one.count // divisor, origin=one.place))
        lines = _lines_of(verb, template, one, ledger)
        if verb in _WITH_BODY:
            lines.needs_you("a log has no bodies: add `json` or `form`")
        else:
            lines.translated()
    return visitor


def _lines_of(verb: str, template: str, one: _Folded, ledger: Ledger) -> Construct:
    """Add the lines with the same request as one construct."""
    return ledger.add("line", f"{verb} {template}", one.place, one.count)


def _step(verb: str, template: str, one: _Folded, draft: DraftPlan, ledger: Ledger) -> DraftStep:
    written = template
    for name in _WITH_SECRET.findall(template):
        param = identifier(name)
        draft.params[param] = DraftParam({"type": "str", "secret": True})
        ledger.add("value", name, one.place).needs_you(f"give the param `{param}` a value")
        written = written.replace(f"{name}={{secret}}", f"{name}=${{{param}}}")
    body: Keys = {verb.lower(): written}
    if one.rows:
        source = identifier(re.sub(r"\W+", " ", template) or "root", draft.data)
        columns = [f"v{number}" for number in range(1, 1 + len(next(iter(one.rows))))]
        draft.data[source] = {"csv": f"{source}.csv", "per": "iteration", "order": "random"}
        draft.files[f"{source}.csv"] = _csv(columns, one.rows)
        pieces = written.split("{}")
        url = pieces[0]
        for column, piece in zip(columns, pieces[1:], strict=True):
            url += f"${{{source}.{column}}}{piece}"
        body = {verb.lower(): url, "name": f"{verb} {template.replace('{}', '{id}')}"}
    odd = sorted(status for status in one.statuses if not 200 <= status < 400)
    if odd:
        body["expect"] = {"status": ["2xx", "3xx", *odd]}
    return DraftStep(body, origin=one.place)


def _csv(columns: list[str], rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def _phase(minutes: Counter[int], total: int) -> DraftPhase:
    if not minutes:
        note = f"the log has no times: its {total:,} requests are spread over a minute"
        return DraftPhase({"rate": f"{total}/m", "hold": "1m"}, notes=[note])
    stages: list[Keys] = []
    notes = []
    level, length, last = minutes[min(minutes)], 0, min(minutes) - 1
    for minute, count in sorted(minutes.items()):
        if gap := minute - last - 1:
            stages += [*_stage(level, length), *_stage(0, min(gap, _LONGEST_GAP))]
            level, length = count, 0
        if gap > _LONGEST_GAP:
            notes.append(f"the log has no request for {gap:,} minutes: here it is an hour")
        if count != level:
            stages += _stage(level, length)
            level, length = count, 0
        length, last = length + 1, minute
    keys: Keys = {"name": "recorded", "stages": [*stages, *_stage(level, length)]}
    return DraftPhase(keys, notes=notes[:_MOST_NOTES])


def _stage(level: int, minutes: int) -> list[Keys]:
    """Return a jump to a level and the time at it."""
    rate = f"{level}/m"
    return [{"duration": "0s", "rate": rate}, {"duration": f"{minutes}m", "rate": rate}]
