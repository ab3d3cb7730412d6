"""A recording → a draft: pages as groups, pauses as think times, requests at once as `parallel`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep, Keys
from planrunner.importers.formats.har.choosing import NOT_MEANT, main_site, reason_to_skip
from planrunner.importers.formats.har.correlation import Candidate, Correlator, candidates_of
from planrunner.importers.formats.har.entries import RecordedEntry, count_keys, read_entry
from planrunner.importers.formats.har.requests import RequestMaker
from planrunner.importers.formats.har.stream import JsonStream
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.importers.templates import literal
from planrunner.loss.ledger import Ledger

__all__ = ["read"]

_LARGEST_PLAN: Final = 100_000
"""Keys and values of the steps; a plan may have 120,000 with all that stands around them."""

_SIZE_OF_STEP: Final = 8
"""Of a step's pause, group and extractions."""

_SHORTEST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 3600.0
"""Seconds; who records for longer than that without a request has gone away."""

_MOST_REDIRECTS: Final = 20
_MOST_KNOWN: Final = 200_000
"""Values of replies that are kept; a hundred megabytes of them would be no test any more."""


@dataclass
class _Recording:
    """What a file holds, without the bodies of replies."""

    entries: list[RecordedEntry] = field(default_factory=list)
    found: list[list[Candidate]] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    known: int = 0

    def add(self, entry: RecordedEntry, ledger: Ledger) -> None:
        """Keep an entry and what its reply gives; with too many such values only the entry."""
        found = candidates_of(entry) if self.known < _MOST_KNOWN else []
        self.entries.append(entry)
        self.found.append(found)
        entry.body = ""
        self.known += len(found)
        if found and self.known >= _MOST_KNOWN:
            words = f"replies after the first {len(self.entries):,}"
            ledger.add("reply", words, entry.place).changed(
                "values that later requests send are not looked for in them: there are too many"
            )


@dataclass
class _Planned:
    """A request of the plan, and the entries that are its redirects."""

    entry: RecordedEntry
    last: RecordedEntry
    step: DraftStep
    producers: set[int]
    number: int


def read(request: ImportRequest) -> DraftPlan:
    """Read recordings, one class each.

    Raises:
        ImportFault: One is no recording, or nothing in it is a request for a plan.
    """
    draft: DraftPlan | None = None
    for file in request.files:
        recording = _recording(file, request.ledger)
        kept = _kept(recording, request)
        if not kept:
            raise ImportFault(file.name, "no request of the recording can be part of a plan")
        hosts = Counter(recording.entries[one].host for one in kept)
        name = hosts.most_common(1)[0][0]
        if draft is None:
            draft = DraftPlan(name)
        maker, planned = _requests(recording, kept, request.ledger)
        steps = _steps(planned, recording.pages)
        class_name = "Visitor" if not draft.users else f"Visitor {len(draft.users) + 1}"
        draft.users.append(DraftClass(class_name, steps=steps, origin=file.place(1)))
        draft.files |= maker.files
    assert draft is not None
    return draft


def _recording(file: SourceFile, ledger: Ledger) -> _Recording:
    recording = _Recording()
    has_log = False
    with JsonStream(file) as stream:
        for key in stream.members():
            if key == "log":
                has_log = True
                ledger.add("key", "log", stream.place()).translated()
                _read_log(stream, recording, ledger)
            else:
                _value(key, stream, ledger)
        end = stream.place()
    if not has_log:
        raise ImportFault(file.name, "not a recording: it has no `log`")
    if stream.is_cut:
        ledger.add("file", "the end of the file", end).suspicious(
            "the recording ends in the middle; what was before is imported"
        )
    return recording


def _read_log(stream: JsonStream, recording: _Recording, ledger: Ledger) -> None:
    for key in stream.members():
        if key != "entries":
            value = _value(f"log.{key}", stream, ledger)
            if key == "pages":
                recording.pages |= dict(_titles(value))
            continue
        ledger.add("key", "log.entries", stream.place()).translated()
        for place in stream.items():
            raw = stream.value()
            entry = read_entry(raw, place)
            if entry is not None:
                recording.add(entry, ledger)
            elif number := count_keys(raw):
                ledger.add("key", "an entry", place, number).suspicious("it has no URL")


def _value(path: str, stream: JsonStream, ledger: Ledger) -> object:
    """Read a value that says nothing about what is sent: it and the keys below it."""
    place = stream.place()
    value = stream.value()
    ledger.add("key", path, place, 1 + count_keys(value)).translated()
    return value


def _titles(pages: object) -> Iterator[tuple[str, str]]:
    for page in pages if isinstance(pages, list) else []:
        if isinstance(page, dict) and isinstance(page.get("id"), str):
            title = str(page.get("title") or page["id"])
            if title.startswith(("http://", "https://")):
                title = urlsplit(title).path or "/"
            yield page["id"], " ".join(title.split())[:120]


def _kept(recording: _Recording, request: ImportRequest) -> list[int]:
    """Return the numbers of the entries to send, in order of time; judge all of them."""
    entries = recording.entries
    numbers = list(range(len(entries)))
    if all(one.start is not None for one in entries):
        numbers.sort(key=lambda number: entries[number].start or 0.0)
    documents = [
        one.host for one in (entries[number] for number in numbers)
        if one.host and one.method == "GET"
        and (one.kind == "document" or "html" in one.mime or one.redirects_to)
    ]  # fmt: skip
    site = main_site(Counter(one.host for one in entries if one.host), documents)
    kept = []
    for number in numbers:
        entry = entries[number]
        reason = reason_to_skip(entry, site, keeps_assets=request.options.keeps_assets)
        if reason:
            _leave_out(entry, reason, request.ledger)
        else:
            kept.append(number)
    return kept


def _leave_out(entry: RecordedEntry, reason: str, ledger: Ledger) -> None:
    """Leave out what says what is sent; what the recording measured changes no load.

    A request that no test is meant to have is one loss, not one for each of its headers.
    """
    words = f"{entry.method} {entry.url[:120]}"
    lost = 1 if reason in NOT_MEANT else entry.request_keys
    ledger.add("key", words, entry.place, lost).left_out(reason)
    if entry.keys > lost:
        rest = f"the reply to {words}"
        ledger.add("key", rest, entry.place, entry.keys - lost).translated()


def _requests(
    recording: _Recording, kept: list[int], ledger: Ledger
) -> tuple[RequestMaker, list[_Planned]]:
    entries = recording.entries
    correlator = Correlator()
    maker = RequestMaker(ledger, lambda value: correlator.sent(value, entries))
    planned: list[_Planned] = []
    pending = list(kept)
    room = _LARGEST_PLAN
    while pending:
        number = pending.pop(0)
        entry = entries[number]
        if room <= 0:
            _leave_out(entry, "the plan holds no more: import a shorter recording", ledger)
            continue
        correlator.begin()
        keys = maker.keys(entry)
        chain = _followed(number, pending, entries)
        for one in chain:
            _keep(entries[one], ledger)
        last = chain[-1]
        keys |= _reply(entry, entries[last], ledger)
        room -= _size(keys) + _SIZE_OF_STEP
        notes = [entry.comment] if entry.comment else []
        step = DraftStep(keys, origin=entry.place, notes=notes)
        planned.append(_Planned(entry, entries[last], step, set(correlator.producers), last))
        correlator.learn(last, recording.found[last])
        maker.cookies |= entries[last].cookies
    for made in planned:
        extract = correlator.extracts.get(made.number)
        if extract:
            made.step.body["extract"] = extract
    return maker, planned


def _keep(entry: RecordedEntry, ledger: Ledger) -> None:
    words = f"{entry.method} {entry.url[:120]}"
    ledger.add("key", words, entry.place, entry.keys).translated()


def _size(value: object) -> int:
    """Return how many keys and values there are."""
    if isinstance(value, dict):
        return 1 + sum(1 + _size(below) for below in value.values())
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _followed(number: int, pending: list[int], entries: list[RecordedEntry]) -> list[int]:
    """Return a chain of redirects, which begins here; it is taken from `pending`."""
    chain = [number]
    while len(chain) <= _MOST_REDIRECTS:
        target = entries[chain[-1]].redirects_to
        following = next((one for one in pending[:20] if entries[one].url == target), None)
        if not target or following is None:
            break
        pending.remove(following)
        chain.append(following)
    return chain


def _reply(entry: RecordedEntry, last: RecordedEntry, ledger: Ledger) -> Keys:
    """Return what is expected of a reply: the status that was recorded."""
    if last.status == 304 or last.status < 0:
        return {}
    if last.status >= 400:
        words = f"{last.status} for {entry.method} {entry.url[:100]}"
        ledger.add("status", words, last.place).suspicious(
            "the recorded reply is an error, and so it is expected to be one"
        )
    if last.redirects_to:
        return {"follow_redirects": False, "expect": {"status": last.status}}
    return {"expect": {"status": last.status}}


def _steps(planned: Sequence[_Planned], pages: dict[str, str]) -> list[DraftStep]:
    """Return the steps: those of one page in a row are a group, where there are several pages."""
    rows = [(page, list(those)) for page, those in groupby(planned, lambda one: one.entry.page)]
    steps: list[DraftStep] = []
    end: float | None = None
    for page, those in rows:
        pause = _pause(end, those[0].entry.start)
        steps += [DraftStep({"think": pause})] if pause else []
        inner = list(_row(those))
        ends = [one.last.end for one in those if one.last.end is not None]
        end = max(ends, default=end)
        if len(rows) > 1 and page in pages:
            steps.append(
                DraftStep({"group": literal(pages[page]), "do": inner}, origin=those[0].entry.place)
            )
        else:
            steps += inner
    return steps


def _row(those: Sequence[_Planned]) -> Iterator[DraftStep]:
    """Yield the steps of requests in a row; those that were under way at once are `parallel`."""
    end: float | None = None
    for together in _together(those):
        pause = _pause(end, together[0].entry.start)
        if pause:
            yield DraftStep({"think": pause})
        if len(together) == 1:
            yield together[0].step
        else:
            steps = [one.step for one in together]
            yield DraftStep({"parallel": steps}, origin=together[0].entry.place)
        ends = [one.last.end for one in together if one.last.end is not None]
        end = max(ends, default=None) if ends else end


def _together(those: Sequence[_Planned]) -> Iterator[list[_Planned]]:
    """Yield requests that overlap in time, and don't need each other's replies."""
    row: list[_Planned] = []
    for one in those:
        numbers = {before.number for before in row}
        ends = [before.last.end for before in row if before.last.end is not None]
        start = one.entry.start
        overlaps = start is not None and bool(ends) and start < max(ends)
        if row and (not overlaps or one.producers & numbers):
            yield row
            row = []
        row.append(one)
    if row:
        yield row


def _pause(end: float | None, start: float | None) -> str:
    if end is None or start is None or start - end < _SHORTEST_PAUSE:
        return ""
    return f"{round(min(start - end, _LONGEST_PAUSE), 1):g}s"
