"""The trace of `execute --once` for programs: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from planrunner.engine.debug.trace_events import (
    MISSING,
    Answer,
    TracedRequest,
    TracedStep,
    TraceEvent,
    TraceSection,
)
from planrunner.protocols.base import Redirect, Sent
from planrunner.report.terminal.named_values import NamedValues, text_of_any

__all__ = ["JsonTrace"]


class JsonTrace:
    """Writes one JSON object a line."""

    def __init__(
        self, write: Callable[[str], Any], mask: Callable[[str], str], *, covers_names: bool = True
    ) -> None:
        self._json = _JsonEvents(NamedValues(covers_names=covers_names))
        self._write = write
        self._mask = mask
        self._cover: Callable[[str], str] = str

    def __call__(self, told: TraceEvent) -> None:
        if isinstance(told, TracedRequest):
            self._cover = told.cover
        self._write(json.dumps(self._masked(self._json.event(told)), ensure_ascii=False))

    def end(self, facts: dict[str, object]) -> None:
        self._write(json.dumps(facts))

    def _masked(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        match value:
            case str():
                return self._mask(self._cover(value))
            case dict():
                return {self._mask(key): self._masked(item) for key, item in value.items()}
            case list():
                return [self._masked(item) for item in value]
            case _:
                return value


class _JsonEvents:
    """Events as JSON has them."""

    def __init__(self, named: NamedValues) -> None:
        self._named = named

    def event(self, told: TraceEvent) -> dict[str, Any]:
        text = self._named.text
        match told:
            case TraceSection(kind, name, skipped, phase):
                found = {"event": "part", "kind": kind, "name": name, "skipped": skipped}
                return {**found, "phase": phase} if phase else found
            case TracedStep(words=words, values=values, failed=failed):
                shown = {"step": words, "values": self._values(values), "failed": text(failed)}
                return {"event": "step", **shown}
            case TracedRequest():
                return {
                    "event": "request",
                    "name": text(told.name),
                    "sent": [self._message(sent) for sent in told.sent],
                    "reply": None if told.answer is None else self._reply(told.answer),
                    "expectations": [
                        {"expected": item.expected, "wrong": text(item.wrong), "soft": item.is_soft}
                        for item in told.verdicts
                    ],
                    "extracted": self._values(told.extracted),
                    "failed": text(told.failed),
                }

    def _values(self, values: Sequence[tuple[str, object]]) -> dict[str, Any]:
        return {
            name: self._named.value(name, _jsonable(value))
            for name, value in values
            if value is not MISSING
        }

    def _message(self, sent: Sent) -> dict[str, Any]:
        return {
            "method": sent.method,
            "url": self._named.text(sent.address),
            "headers": self._fields(sent.headers),
            "body": self._named.text(sent.body.decode("utf-8", "replace")),
            **({} if sent.redirect is None else {"redirect": self._redirect(sent.redirect)}),
        }

    def _redirect(self, hop: Redirect) -> dict[str, Any]:
        return {"status": hop.status, "location": self._named.text(hop.location)}

    def _reply(self, answer: Answer) -> dict[str, Any]:
        return {
            "status": answer.status,
            "status_text": answer.status_text,
            "headers": self._fields(_headers(answer.head)),
            "body": self._named.text(answer.body.decode("utf-8", "replace")),
            "received_bytes": answer.received,
            "latency_ns": answer.took_ns,
            "connect_ns": answer.connect_ns,
            "failure": answer.failure,
            "detail": self._named.text(answer.detail),
        }

    def _fields(self, pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
        return [[name, self._named.field(name, value)] for name, value in pairs]


def _jsonable(value: object) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return text_of_any(value)


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    lines: Iterable[str] = head.decode("latin-1").split("\r\n")[1:]
    for line in lines:
        name, separator, value = line.partition(":")
        if separator:
            yield name, value.strip()
