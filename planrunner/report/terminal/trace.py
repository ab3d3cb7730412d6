"""The trace of `execute --once` for people, as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from planrunner.engine.debug.trace_events import (
    MISSING,
    Answer,
    TracedExpectation,
    TracedRequest,
    TracedStep,
    TraceEvent,
    TraceSection,
)
from planrunner.metrics.arrivals import Arrivals
from planrunner.protocols.base import Sent
from planrunner.report.plain import plain
from planrunner.report.terminal.folded_rounds import FoldedRounds
from planrunner.report.terminal.named_values import NamedValues, text_of_any
from planrunner.units import format_count, format_duration, format_size

__all__ = ["TextTrace"]

Mask = Callable[[str], str]

_MOST_LINES: Final = 16
_MOST_CELLS: Final = 160
_MOST_VALUE: Final = 200
_BINARY: Final = frozenset(range(32)) - {9, 10, 13}


class TextTrace:
    """Prints what happens as it happens.

    Args:
        console: Where to; it knows about colours.
        mask: Takes secrets out of text.
        full: Print bodies whole.
        verbose: Print what went well whole, and not on a line for each request.
        covers_names: Mask what only its name gives away.
    """

    def __init__(
        self,
        console: Console,
        mask: Mask,
        *,
        full: bool = False,
        verbose: bool = False,
        covers_names: bool = True,
    ) -> None:
        self._named = NamedValues(covers_names=covers_names)
        self._console = console
        self._mask = mask
        self._cover: Mask = str
        self._full = full
        self._verbose = verbose or full
        self._after_request = False
        self._rounds = FoldedRounds(self._show, self._say)

    def __call__(self, told: TraceEvent) -> None:
        (self._show if self._full else self._rounds)(told)

    def end(self) -> None:
        """Print what is left to say."""
        self._rounds.end()

    def _say(self, depth: int, words: str) -> None:
        self._print(1 + depth, (words, "dim"))
        self._after_request = False

    def _show(self, told: TraceEvent) -> None:
        match told:
            case TraceSection():
                self._part(told)
            case TracedStep():
                self._step(told)
            case TracedRequest():
                self._cover = told.cover
                self._request(told)

    def _print(self, indent: int, *parts: str | tuple[str, str]) -> None:
        line = Text("  " * indent)
        for part in parts:
            text, style = (part, "") if isinstance(part, str) else part
            line.append(self._clean(text), style)
        line.rstrip()
        self._console.print(line, soft_wrap=True)

    def _clean(self, text: str) -> str:
        """Return text that holds no secret and can't steer the terminal; its spaces stay."""
        lead = len(text) - len(text.lstrip(" "))
        tail = " " * (len(text) - len(text.rstrip(" "))) if text.strip() else ""
        return " " * lead + plain(self._hidden(text)) + tail

    def _hidden(self, text: str) -> str:
        """Return text without secrets: before it is cut, as half a secret isn't recognised."""
        return self._mask(self._cover(text))

    def _shown(self, name: str, value: object) -> str:
        text = self._hidden(_value_text(self._named.value(name, value)))
        return text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}…"

    def _part(self, part: TraceSection) -> None:
        self._after_request = False
        self._console.print()
        if part.kind == "user":
            where = (" in phase ", "dim"), part.phase
            self._print(0, ("user ", "dim"), (part.name, "bold"), *(where if part.phase else ()))
            return
        name = f" {part.name}" if part.name else ""
        if part.kind == "task" and not part.name:
            name = " steps"
        skipped = (f"  skipped: {part.skipped}", "yellow") if part.skipped else ""
        self._print(0, (part.kind, "dim"), (name, "bold"), skipped)

    def _step(self, step: TracedStep) -> None:
        if self._after_request:
            self._console.print()
            self._after_request = False
        indent = 1 + step.depth
        values = [f"{name} = {self._shown(name, value)}" for name, value in step.values]
        after = f"  → {', '.join(values)}" if values else ""
        if step.failed:
            failed = self._named.text(step.failed)
            self._print(indent, ("✗ ", "red"), step.words, (f"  {failed}", "red"))
        else:
            self._print(indent, ("· ", "dim"), (step.words, "dim"), after)

    def _request(self, request: TracedRequest) -> None:
        indent = 1 + request.depth
        if not self._verbose and not request.failed and request.answer is not None:
            self._folded(indent, request, request.answer)
            return
        if self._after_request:
            self._console.print()
        mark = ("✗ ", "bold red") if request.failed else ("✓ ", "bold green")
        self._print(indent, mark, (self._named.text(request.name), "bold"))
        indent += 1
        for sent in request.sent:
            self._sent(indent, sent)
        if request.answer is not None:
            self._answer(indent, request.answer)
        for name, value in request.extracted:
            missing = value is MISSING
            found = self._shown(name, value), "cyan"
            shown = ("nothing found", "yellow") if missing else found
            self._print(indent, ("extract ", "dim"), f"{name} = ", shown)
        for verdict in request.verdicts:
            self._verdict(indent, verdict)
        if request.failed:
            self._print(indent, (self._named.text(request.failed), "red"))
        self._after_request = True

    def _folded(self, indent: int, request: TracedRequest, answer: Answer) -> None:
        """Print a request that went well on one line, and what is odd about it below."""
        if self._after_request:
            self._console.print()
            self._after_request = False
        name = self._named.text(request.name)
        sent = self._named.text(_address(request))
        status, _, facts = _answer_facts(answer)
        values = [
            f"{one} = {self._shown(one, value)}"
            for one, value in request.extracted
            if value is not MISSING
        ]
        self._print(
            indent,
            ("✓ ", "bold green"),
            (name, "bold"),
            (f"  {sent}" if sent else "", "dim"),
            (f"  {status}", "green"),
            (f"  {', '.join(facts)}", "dim"),
            f"  → {', '.join(values)}" if values else "",
        )
        for one, value in request.extracted:
            if value is MISSING:
                self._print(
                    indent + 1, ("extract ", "dim"), f"{one} = ", ("nothing found", "yellow")
                )
        for verdict in request.verdicts:
            if verdict.wrong:
                self._verdict(indent + 1, verdict)

    def _sent(self, indent: int, sent: Sent) -> None:
        address = self._named.text(sent.address)
        self._print(indent, ("→ ", "blue"), (f"{sent.method} ", "bold"), address)
        for name, value in sent.headers:
            self._print(indent + 1, (f"{name}: ", "dim"), self._named.field(name, value))
        self._body(indent + 1, sent.body)
        if (hop := sent.redirect) is not None:
            self._print(
                indent,
                ("← ", "blue"),
                (str(hop.status), "yellow"),
                f" {self._named.text(hop.location)}",
            )

    def _answer(self, indent: int, answer: Answer) -> None:
        shown, lines, facts = _answer_facts(answer)
        style = "red" if answer.failure or answer.status >= 400 else "green"
        self._print(indent, ("← ", "blue"), (shown, style), (f"  {', '.join(facts)}", "dim"))
        for line in filter(None, lines):
            name, separator, value = line.partition(":")
            value = self._named.field(name, value.strip())
            self._print(indent + 1, (f"{name}{separator} ", "dim"), value)
        self._body(indent + 1, answer.body)

    def _body(self, indent: int, body: bytes) -> None:
        if not body:
            return
        self._console.print()
        lines = self._hidden(self._named.text(_body_text(body))).splitlines()
        most = len(lines) if self._full else _MOST_LINES
        for line in lines[:most]:
            cut = line if self._full or len(line) <= _MOST_CELLS else f"{line[:_MOST_CELLS]}…"
            self._print(indent, cut)
        if len(lines) > most:
            left = len(lines) - most
            self._print(indent, (f"… {left:,} more lines; --full shows them", "dim"))

    def _verdict(self, indent: int, verdict: TracedExpectation) -> None:
        if not verdict.wrong:
            self._print(indent, ("expect  ", "dim"), ("✓ ", "green"), verdict.expected)
            return
        mark = ("! ", "yellow") if verdict.is_soft else ("✗ ", "red")
        soft = ("  (soft)", "dim") if verdict.is_soft else ""
        self._print(
            indent,
            ("expect  ", "dim"),
            mark,
            verdict.expected,
            (f"  {self._named.text(verdict.wrong)}", mark[1]),
            soft,
        )


def _answer_facts(answer: Answer) -> tuple[str, list[str], list[str]]:
    """Return the first line of a reply, the others of its head, and how it came."""
    first, *lines = answer.head.decode("latin-1").rstrip("\r\n").split("\r\n")
    facts = [format_duration(answer.took_ns)]
    if answer.connect_ns:
        facts.append(f"connect {format_duration(answer.connect_ns)}")
    if answer.received:
        facts.append(format_size(answer.received))
    if answer.retries:
        facts.append(f"sent {answer.retries + 1} times")
    if answer.arrivals is not None:
        facts += _arrival_facts(answer.arrivals, answer.sent_ns)
    came = answer.status or not answer.failure
    return first or (answer.status_text if came else "no reply"), lines, facts


def _arrival_facts(arrivals: Arrivals, sent_ns: int) -> Iterator[str]:
    """Yield how a reply came that was read piece by piece."""
    yield format_count(arrivals.count, "event")
    if arrivals.count:
        yield f"the first after {format_duration(arrivals.first_ns - sent_ns)}"
    if arrivals.count > 1:
        yield f"the longest gap {format_duration(arrivals.longest_gap_ns)}"


def _address(request: TracedRequest) -> str:
    """Return what was sent last and where to, as far as the request's name doesn't say it."""
    if not request.sent:
        return ""
    sent = request.sent[-1]
    path = urlsplit(sent.address)._replace(scheme="", netloc="").geturl()
    return "" if request.name == f"{sent.method} {path}" else f"{sent.method} {sent.address}"


def _body_text(body: bytes) -> str:
    """Return a body as people read it: JSON on many lines, what is no text as its size."""
    if any(byte in _BINARY for byte in body[:1000]):
        return f"({format_size(len(body))} that are not text)"
    text = body.decode("utf-8", "replace")
    if text[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            text = _json_text(json.loads(text))
    return text


def _json_text(data: object) -> str:
    """Return JSON on many lines; the query of a GraphQL request as the text that it is."""
    query = data.get("query") if isinstance(data, dict) and data.keys() <= _OF_GRAPHQL else None
    if not isinstance(data, dict) or not isinstance(query, str):
        return json.dumps(data, indent=2, ensure_ascii=False)
    del data["query"]
    rest = json.dumps(data, indent=2, ensure_ascii=False) if data else ""
    return "\n".join(filter(None, (query.strip(), rest)))


_OF_GRAPHQL: Final = frozenset({"query", "variables", "operationName", "extensions"})


def _value_text(value: object) -> str:
    if value is MISSING:
        return "undefined"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text_of_any(value)
