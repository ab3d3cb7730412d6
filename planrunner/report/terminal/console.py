"""The summary a run ends with: verdict first, then the worst; nothing is left out for room."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from planrunner.report.findings import (
    failed_expectations,
    failure_words,
    is_doubtful,
    mark_of,
    phases_of,
    shown_failures,
    verdict_of,
    verdict_phrase,
    verdict_word,
)
from planrunner.report.load_facts import missed_loads, service_p95_ns, spoken_words
from planrunner.report.matrices.console import matrix_lines
from planrunner.report.plain import flow, fold, plain, shorten
from planrunner.report.terminal.component_lines import component_lines
from planrunner.report.terminal.console_tables import (
    call_lines,
    expectation_lines,
    request_lines,
    threshold_lines,
)
from planrunner.report.terminal.own_metric_lines import own_metric_lines
from planrunner.report.workers import crew_words
from planrunner.results.loads import BY_HAND
from planrunner.results.model import RunResult, Totals, ValidityLevel, Verdict
from planrunner.units import format_count, format_duration, format_percent, format_rate, format_size

__all__ = ["open_console", "print_summary", "verdict_of"]

_BADGE: Final = {Verdict.PASS: "green", Verdict.WARN: "yellow"}
_MOST_KINDS = 8
_MIN_WIDTH = 32
# Nothing of a log is folded: what is searched for in it stands on one line.
_LOG_WIDTH = 10_000


class _Console(Console):
    """Goes on in silence when its reader has gone, as in `| head`: a view never ends a run."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError):  # nor must what is buffered fail at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def open_console(out: TextIO, *, width: int | None = None, color: bool | None = None) -> Console:
    """Return a console on `out` that prints text as it is, without markup.

    It is as wide as the terminal and has its colours, unless `width` and `color` say otherwise or
    NO_COLOR is set.
    """
    if isinstance(out, TextIOWrapper):
        # A locale without `·` or a name's letters must not cost the user the summary.
        out.reconfigure(errors="replace")
    return _Console(
        file=out,
        width=width,
        color_system="auto" if color is None else "standard" if color else None,
        no_color=False if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_summary(result: RunResult, console: Console, *, files: Sequence[str] = ()) -> None:
    """Print the summary of a finished run, each of `files` on an unbroken line of its own."""
    room = max(console.width, _MIN_WIDTH) if console.is_terminal else None
    width = room or _LOG_WIDTH
    parts = [
        [
            *_headline(result, width),
            *_totals(result, width),
            *_crew(result, width),
            *_validity(result, width),
        ],
        threshold_lines(result, room),
        matrix_lines(result, room),
        request_lines(result, room),
        call_lines(result, room),
        component_lines(result, room),
        expectation_lines(result, room),
        own_metric_lines(result, room),
        _test_data(result, width),
        _notices(result, width),
        [Text(plain(file), style="cyan") for file in files],
    ]
    parts = [part for part in parts if part]
    if room is not None and sum(len(part) + 1 for part in parts) >= console.height:
        parts.append(_verdict(result, width))  # the first line has scrolled away
    for part in parts:
        console.print()
        for line in part:
            # soft_wrap: lines fit already, and a path that was broken could not be opened.
            console.print(line, soft_wrap=True)


def _headline(result: RunResult, width: int) -> list[Text]:
    facts = [
        f"profile {plain(result.profile)}{_reason(result)}" if result.profile else "",
        f"took {format_duration(round(result.duration_seconds * 1e9))}",
        f"run {plain(result.run_id)}",
        f"seed {result.seed}",
        spoken_words(result),
        *(f"{plain(name)}={plain(value)}" for name, value in result.labels.items()),
    ]
    lines = [*_verdict(result, width), *_flow(filter(None, facts), width, style="dim")]
    if result.ended_because != "finished":
        reason = f"ended early: {plain(result.ended_because)}"
        lines += [Text(f" {line}", style="bold red") for line in fold(reason, width - 1)]
    return lines


def _reason(result: RunResult) -> str:
    return f" ({plain(result.profile_reason)})" if result.profile_reason else ""


def _verdict(result: RunResult, width: int) -> list[Text]:
    """Return the verdict and the plan; the reason between them where the numbers are invalid."""
    word, style = verdict_word(result).upper(), f"bold reverse {_BADGE.get(mark_of(result), 'red')}"
    if is_doubtful(result):
        phrase = verdict_phrase(result).replace(verdict_word(result), word, 1)
        reason = next(iter(result.validity.reasons), "")
        lines = [
            Text(f" {line}", "bold yellow")
            for line in fold(f"{phrase}: {plain(reason)}", width - 1)
        ]
        lines[0].stylize(style, 0, len(word) + 1)
        return [*lines, Text(f" {shorten(plain(result.plan), width - 1)}", "bold")]
    badge, more = f" {word} ", verdict_phrase(result).removeprefix(verdict_word(result))
    room = width - len(badge) - len(more) - 1
    name = (shorten(plain(result.plan), room), "bold")
    return [Text.assemble(Text(badge, style), " ", name, (more, "bold yellow"))]


def _totals(result: RunResult, width: int) -> list[Text]:
    totals, phases = result.totals, phases_of(result)
    parts = ["no request finished"]
    if totals.total_requests:
        # A rate or percentile over phases that have nothing in common says nothing of either.
        rate = "" if len(phases) > 1 else format_rate(totals.requests_per_second)
        several = f"{len(phases)} phases" if len(phases) > 1 else ""
        count = format_count(totals.total_requests, "request")
        parts = [*filter(None, (several, count, rate)), _failed(totals)]
    if totals.has_latency and len(phases) < 2:
        parts += [
            f"avg {format_duration(round(totals.average_response_time * 1e9))}",
            f"p95 {format_duration(round(totals.p95_response_time * 1e9))}",
        ]
        service_ns = service_p95_ns(result)
        if service_ns:
            parts.append(f"service p95 {format_duration(service_ns)}")
    by_hand = f", or {BY_HAND}" if result.changes else ""
    apart = [
        f"{count:,} {word}"
        for count, word in (
            (result.warmup, f"in the warm-up{by_hand}"),
            (result.after, "after the end"),
            (result.aborted, "aborted"),
            (result.unmeasured, "not measured"),
        )
        if count
    ]
    failures, expected = (
        found(result).get(("", None), {}) for found in (failure_words, failed_expectations)
    )
    kinds = [*map(plain, shown_failures(failures, _MOST_KINDS, expected=expected))]
    lines = _flow(parts, width, style="" if totals.total_requests else "bold red")
    for missed in missed_loads(result):
        lines += [Text(f" {line}", style="yellow") for line in fold(missed, width - 1, most=2)]
    if kinds:
        lines += _flow([f"failed: {kinds[0]}", *kinds[1:]], width, style="red", separator=" ")
    if apart:
        lines += _flow([f"left out: {apart[0]}", *apart[1:]], width, style="dim", separator=", ")
    return lines


def _crew(result: RunResult, width: int) -> list[Text]:
    words = crew_words(result.hosts)
    return [Text(f" {line}", style="dim") for line in fold(words, width - 1)] if words else []


def _failed(totals: Totals) -> str:
    if not totals.failed_requests:
        return "none failed"
    return f"{totals.failed_requests:,} failed ({format_percent(totals.error_rate / 100)})"


def _validity(result: RunResult, width: int) -> list[Text]:
    if result.validity.level is ValidityLevel.VALID:
        return []
    reasons, too = result.validity.reasons, ""
    if is_doubtful(result):  # the headline has the first one
        reasons, too = reasons[1:], " too because"
    if not reasons:
        return []
    words = f" the numbers are {result.validity.level.value}{too}:"
    lines = [Text(words, style="bold yellow")]
    for reason in reasons:
        lines += _item(plain(reason), width)
    return lines


def _test_data(result: RunResult, width: int) -> list[Text]:
    lines = []
    for file in result.files:
        facts = (file.format, format_count(file.rows, "row"), format_size(file.bytes))
        lines += _item(
            " · ".join((plain(file.file), *facts)), width, lead="test data: ", style="dim"
        )
    return lines


def _notices(result: RunResult, width: int) -> list[Text]:
    lines = []
    for notice in result.notices:
        lines += _item(plain(notice), width, lead="notice: ", style="yellow")
    return lines


def _flow(
    parts: Iterable[str], width: int, *, style: str = "", separator: str = " · "
) -> list[Text]:
    return [Text(f" {line}", style=style) for line in flow(parts, width - 1, separator=separator)]


def _item(text: str, width: int, *, lead: str = "- ", style: str = "") -> list[Text]:
    lines = fold(text, width - 1 - len(lead))
    leads = [lead, *[" " * len(lead)] * len(lines)]
    return [
        Text(f" {before}{line}", style=style) for before, line in zip(leads, lines, strict=False)
    ]
