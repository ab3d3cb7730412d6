"""What a suite ends with on the console: a table of its plans, and what is wrong in which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from planrunner.report.columns import Column, room_of, table
from planrunner.report.plain import fold, plain, shorten
from planrunner.report.suites.rows import (
    SuiteRow,
    amount_words,
    broken_in,
    rows_of,
    suite_words,
    titles_of,
)
from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import Verdict
from planrunner.results.suites.model import FigureSpread, SuitePlan, SuiteResult

__all__ = ["print_suite"]

_STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}
_MOST_REQUESTS: Final = 15
_OF_REQUESTS: Final = "p95"


def print_suite(suite: SuiteResult, console: Console, *, files: Sequence[str] = ()) -> None:
    """Print the table of a suite, each of `files` on an unbroken line of its own."""
    width = room_of(console)
    parts = [_headline(suite, width), _plans(suite, width)]
    for plan, title in zip(suite.plans, titles_of(suite), strict=True):
        parts.append(list(_details(plan, title, width)))
    parts.append([Text(plain(file), style="cyan") for file in files])
    for part in parts:
        if part:
            console.print()
        for line in part:
            console.print(line, soft_wrap=True)
    console.print()


def _headline(suite: SuiteResult, width: int) -> list[Text]:
    passed = suite.exit_code == ExitCode.OK
    word = (
        "PASS" if passed else "INTERRUPTED" if suite.exit_code == ExitCode.INTERRUPTED else "FAIL"
    )
    badge = Text(f" {word} ", f"bold reverse {'green' if passed else 'red'}")
    lines = [
        Text.assemble(badge, " ", (shorten(suite_words(suite), width - len(word) - 3), "bold"))
    ]
    if suite.ended_because != "finished":
        reason = f"ended early: {plain(suite.ended_because)}"
        lines += [Text(f" {line}", style="bold red") for line in fold(reason, width)]
    lines += [Text(f" {line}", style="dim") for line in fold(_facts(suite), width)]
    return lines


def _facts(suite: SuiteResult) -> str:
    labels = [f"{plain(name)}={plain(value)}" for name, value in suite.labels.items()]
    return " · ".join([f"seed {suite.seed}", *labels])


def _plans(suite: SuiteResult, width: int) -> list[Text]:
    rows = rows_of(suite)

    def cells(of: Callable[[SuiteRow], str]) -> list[str]:
        return [of(row) for row in rows]

    names = [plain(row.name) for row in rows]
    repeats = [
        f"{len(plan.runs)}/{plan.wanted}" if plan.is_repeated else "" for plan in suite.plans
    ]
    columns = [
        Column("plan", names, floor=12),
        Column("profile", [plain(row.profile) for row in rows], rank=6, floor=7),
        Column(
            "verdict", cells(lambda row: row.verdict), [_style(row.mark) for row in rows], floor=13
        ),
        Column("runs", repeats, rank=5),
        Column("requests", cells(lambda row: row.requests), rank=3),
        Column("per s", cells(lambda row: row.per_second.removesuffix("/s")), rank=2),
        Column("failed", cells(lambda row: row.failed), rank=1),
        Column("p95", cells(lambda row: row.p95), rank=1),
        Column("took", cells(lambda row: row.took), rank=4),
    ]
    note = []
    if any(plan.is_repeated for plan in suite.plans):
        note = [Text(" of several runs: the medians", style="dim")]
    return [*(Text(" ") + line for line in table(columns, width)), *note]


def _style(mark: Verdict) -> str:
    return _STYLES.get(mark, "bold red")


def _details(plan: SuitePlan, title: str, width: int) -> Iterator[Text]:
    """Yield what the table leaves out about a plan: why it failed, and how far its runs differ."""
    broken = list(broken_in(plan))
    if plan.exit_code is None or not (plan.reason or broken or plan.figures):
        return
    yield Text(f" {shorten(plain(title), width)}", "bold")
    if plan.reason:
        yield from _item(f"{plan.verdict}: {plain(plan.reason)}", width)
    for word, words in broken:
        yield from _item(f"{word}: {words}", width, style="yellow" if word == "warn" else "red")
    if plan.figures:
        yield from (Text("   ") + line for line in table(_spreads(plan), width - 3))
        left = len(_requests(plan)) - _MOST_REQUESTS
        if left > 0:
            yield Text(f"   … {left:,} more requests in index.html", style="dim")


def _requests(plan: SuitePlan) -> list[FigureSpread]:
    found = [one for one in plan.figures if one.request and one.figure == _OF_REQUESTS]
    return sorted(found, key=lambda one: -one.median)


def _spreads(plan: SuitePlan) -> list[Column]:
    shown = [one for one in plan.figures if not one.request] + _requests(plan)[:_MOST_REQUESTS]

    def cells(of: Callable[[FigureSpread], float]) -> list[str]:
        return [amount_words(one, of(one)) for one in shown]

    names = [plain(one.request) or "all requests" for one in shown]
    return [
        Column("request", names, floor=14),
        Column("figure", [one.figure.replace("_", " ") for one in shown], floor=10),
        Column("median", cells(lambda one: one.median)),
        Column("min", cells(lambda one: one.minimum), rank=1),
        Column("max", cells(lambda one: one.maximum), rank=1),
        Column("MAD", cells(lambda one: one.mad), rank=2),
    ]


def _item(text: str, width: int, *, style: str = "") -> list[Text]:
    first, *rest = fold(text, width - 4)
    return [Text(f"   {first}", style=style), *(Text(f"     {line}", style=style) for line in rest)]
