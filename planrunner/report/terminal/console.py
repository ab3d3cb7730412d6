"""The summary a run ends with: verdict first, then the worst, on one screen."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from planrunner.report.findings import (
    count_failures,
    find,
    is_default,
    is_doubtful,
    mark_of,
    most_first,
    requests_of,
    verdict_of,
    verdict_phrase,
    verdict_word,
)
from planrunner.report.load_facts import missed_loads, service_p95_ns
from planrunner.report.plain import flow, fold, plain, shorten
from planrunner.report.terminal.console_tables import request_blocks, rough_note, threshold_blocks
from planrunner.results.model import RunResult, Totals, ValidityLevel, Verdict
from planrunner.units import format_count, format_duration, format_percent, format_rate
from planrunner.values import dataclass

__all__ = ["open_console", "print_summary", "verdict_of"]

_BADGE: Final = {Verdict.PASS: "green", Verdict.WARN: "yellow"}
# A log has no screen to fit on, but readers need no more of it than this; the report has them all.
_MOST_ROWS = 15
# Below this a table says nothing any more: rather scroll than leave these out.
_LEAST_THRESHOLDS = 3
_LEAST_REQUESTS = 2
_MOST_KINDS = 5
_MOST_NOTICES = 3
_MIN_WIDTH = 32


@dataclass(frozen=True, slots=True)
class TextBlocks:
    """A table that can be cut: lines of its header, then of each row.

    Attributes:
        words: What each row is, to count those left out; empty for no word.
        first: How many rows from the top matter most.
    """

    blocks: list[list[Text]]
    words: Sequence[str]
    width: int
    first: int = 0

    @property
    def lines_of_first(self) -> int:
        return sum(map(len, self.blocks[1 : self.first + 1]))

    def cut(self, most: int | None) -> list[Text]:
        """Return the header and at most `most` lines below it; the last counts what is left."""
        if not self.blocks:
            return []
        header, *rows = self.blocks
        lines = list(header)
        for n, row in enumerate(rows):
            needed = len(lines) - len(header) + len(row) + (n < len(rows) - 1)
            if n and most is not None and needed > most:
                return [*lines, self._more(n)]
            lines += row
        return lines

    def _more(self, start: int) -> Text:
        counts = Counter(word for word in self.words[start:] if word)
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        text = f" … {len(self.words) - start:,} more in the report"
        return Text(shorten(f"{text}: {told}" if told else text, self.width), style="dim")


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
    width = max(console.width, _MIN_WIDTH)
    head = [*_headline(result, width), *_totals(result, width), *_validity(result, width)]
    notices = _notices(result, width, whole=not console.is_terminal)
    paths = [Text(plain(file), style="cyan") for file in files]
    tables = _tables(result, width, whole=not console.is_terminal)
    note = rough_note(requests_of(result), tables[1].blocks, width)
    # An empty line before each part, and the prompt after the last one.
    around = sum(len(part) + 1 for part in (head, notices, paths) if part) + len(note) + 1
    thresholds, requests = _fit(*tables, console.height - around if console.is_terminal else None)

    for part in (head, thresholds, [*requests, *note], notices, paths):
        if part:
            console.print()
        for line in part:
            # soft_wrap: lines fit already, and a path that was broken could not be opened.
            console.print(line, soft_wrap=True)


def _headline(result: RunResult, width: int) -> list[Text]:
    facts = [
        f"profile {plain(result.profile)}" if result.profile else "",
        f"took {format_duration(round(result.duration_seconds * 1e9))}",
        f"run {plain(result.run_id)}",
        f"seed {result.seed}",
        *(f"{plain(name)}={plain(value)}" for name, value in result.labels.items()),
    ]
    lines = [*_verdict(result, width), *_flow(filter(None, facts), width, style="dim")]
    if result.ended_because != "finished":
        reason = f"ended early: {plain(result.ended_because)}"
        lines += [Text(f" {line}", style="bold red") for line in fold(reason, width - 1)]
    return lines


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
    badge = f" {word} "
    name = shorten(plain(result.plan), width - len(badge) - 1)
    return [Text.assemble(Text(badge, style), " ", (name, "bold"))]


def _totals(result: RunResult, width: int) -> list[Text]:
    totals = result.totals
    parts = ["no request finished"]
    if totals.total_requests:
        parts = [
            format_count(totals.total_requests, "request"),
            format_rate(totals.requests_per_second),
            _failed(totals),
        ]
    if totals.has_latency:
        parts += [
            f"avg {format_duration(round(totals.average_response_time * 1e9))}",
            f"p95 {format_duration(round(totals.p95_response_time * 1e9))}",
        ]
        service_ns = service_p95_ns(result)
        if service_ns:
            parts.append(f"service p95 {format_duration(service_ns)}")
    apart = [
        f"{count:,} {word}"
        for count, word in (
            (result.warmup, "in the warm-up"),
            (result.after, "after the end"),
            (result.aborted, "aborted"),
            (result.unmeasured, "not measured"),
        )
        if count
    ]
    kinds = [f"{count:,} {plain(kind)}" for kind, count in most_first(count_failures(result))]
    if len(kinds) > _MOST_KINDS:
        kinds[_MOST_KINDS:] = [f"+{len(kinds) - _MOST_KINDS} kinds"]
    lines = _flow(parts, width, style="" if totals.total_requests else "bold red")
    for missed in missed_loads(result):
        lines += [Text(f" {line}", style="yellow") for line in fold(missed, width - 1, most=2)]
    if kinds:
        lines += _flow([f"failed: {kinds[0]}", *kinds[1:]], width, style="red", separator=", ")
    if apart:
        lines += _flow([f"left out: {apart[0]}", *apart[1:]], width, style="dim", separator=", ")
    return lines


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


def _notices(result: RunResult, width: int, *, whole: bool) -> list[Text]:
    """Return them all for a log; what fits on a screen beside the rest for people."""
    shown = result.notices if whole else result.notices[:_MOST_NOTICES]
    lines = []
    for notice in shown:
        most = 0 if whole else max(2, 160 // width)
        lines += _item(plain(notice), width, lead="notice: ", style="yellow", most=most)
    if left := len(result.notices) - len(shown):
        lines.append(Text(f" … {left:,} more notices in the report", style="dim"))
    return lines


def _tables(result: RunResult, width: int, *, whole: bool) -> tuple[TextBlocks, TextBlocks]:
    findings = find(result.judgements)
    thresholds = TextBlocks(
        threshold_blocks(findings, width, whole=whole),
        [finding.word for finding in findings],
        width,
        sum(not finding.is_fine for finding in findings),
    )
    if is_default(result.judgements):
        said = fold("the plan has no thresholds, so this one was applied", width - 1)
        # Part of the only row: it is no row that could be left out.
        thresholds.blocks[-1] += [Text(f" {line}", style="dim") for line in said]
    if not findings:
        thresholds = TextBlocks([[], [Text(" no threshold was judged", style="dim")]], [""], width)
    rows = requests_of(result)
    return thresholds, TextBlocks(request_blocks(rows, width), [""] * len(rows), width)


def _fit(
    thresholds: TextBlocks, requests: TextBlocks, height: int | None
) -> tuple[list[Text], list[Text]]:
    """Return the lines of both tables, cut to `height` together; broken thresholds first."""
    if height is None:
        return thresholds.cut(None), requests.cut(_MOST_ROWS)
    free = height - 2 * sum(bool(table.blocks) for table in (thresholds, requests))
    wanted = (thresholds.lines_of_first + 1, free - len(requests.words), free // 2)
    most = max(min(max(wanted), free - _LEAST_REQUESTS), _LEAST_THRESHOLDS)
    shown = thresholds.cut(most)
    left = max(free - len(shown) + 1, _LEAST_REQUESTS)
    return shown, requests.cut(min(left, _MOST_ROWS))


def _flow(
    parts: Iterable[str], width: int, *, style: str = "", separator: str = " · "
) -> list[Text]:
    return [Text(f" {line}", style=style) for line in flow(parts, width - 1, separator=separator)]


def _item(text: str, width: int, *, lead: str = "- ", style: str = "", most: int = 0) -> list[Text]:
    lines = fold(text, width - 1 - len(lead), most=most)
    leads = [lead, *[" " * len(lead)] * len(lines)]
    return [
        Text(f" {before}{line}", style=style) for before, line in zip(leads, lines, strict=False)
    ]
