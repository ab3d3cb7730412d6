"""Telling people what came of a run; whatever goes wrong with that is a notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun
from planrunner.formats import REPORT_FORMATS
from planrunner.graph.notification import NotificationNode
from planrunner.graph.run_graph import RunGraph
from planrunner.report.findings import verdict_word
from planrunner.report.notification import (
    COULD_NOT_RUN,
    Message,
    message_of_plan,
    message_of_refusal,
    message_of_run,
)
from planrunner.results.exit_codes import code_of_error
from planrunner.results.files.directory import METRICS
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.files.past_runs import find_last
from planrunner.results.model import RunResult
from planrunner.results.suites.model import SuitePlan
from planrunner.results.suites.suite_json import last_verdict
from planrunner.runner.build_result import written_time
from planrunner.runner.notify.place import place_of_report
from planrunner.runner.notify.recipients import Recipients
from planrunner.runner.notify.refusals import find_refusal, forget_refusal, note_refusal
from planrunner.runner.notify.sender import send
from planrunner.units import format_size

__all__ = ["tell_plan", "tell_refusal", "tell_result"]

_MOST_ATTACHED: Final = 10_000_000
"""Bytes of a file: many services take no more, and all of them have to be in memory."""


async def tell_result(
    recipients: Recipients, result: RunResult, directory: Path, stop: Stop
) -> RunResult:
    """Tell what came of a run; return the result with what could not be delivered."""
    message = message_of_run(result, report=place_of_report(directory, recipients.environ))
    last = partial(_last_verdict, directory, result.plan, result.profile, result.started)
    notices = await _tell(recipients, message, directory, last)
    if recipients.ask_for_change:
        await asyncio.to_thread(forget_refusal, directory, result.plan, result.profile)
    if not notices:
        return result
    result = replace(result, notices=(*result.notices, *notices))
    write = partial(write_metrics, result, directory / METRICS)
    with suppress(CannotRun):  # it was written before, without them
        await asyncio.to_thread(stop.settle, result.exit_code, write)
    return result


async def tell_refusal(
    recipients: Recipients, graph: RunGraph, error: CannotRun, directory: Path
) -> None:
    """Tell that a run could not begin, or that its result is lost; notes on it say who wasn't."""
    message = message_of_refusal(graph.name, error.message, code_of_error(error))
    now = written_time(datetime.now(UTC))
    last = partial(_last_verdict, directory, graph.name, graph.profile, now)
    for notice in await _tell(recipients, message, directory, last):
        error.add_note(notice)
    if recipients.ask_for_change:  # or the next run would not know that it is another one
        note = partial(note_refusal, directory, graph.name, graph.profile, at=now)
        await asyncio.to_thread(note)


async def tell_plan(
    recipients: Recipients, plan: SuitePlan, only: RunResult | None, suite: Path
) -> tuple[str, ...]:
    """Tell what came of a plan in a suite; return what was not delivered, a sentence each.

    Args:
        recipients: Who may want to know.
        plan: It has run as often as it was to.
        only: The result of its run, if that was the only one and has any.
        suite: The suite's directory.
    """
    directory = suite / plan.runs[-1].directory
    if only is not None:
        message = message_of_run(only, report=place_of_report(directory, recipients.environ))
    else:
        message = message_of_plan(plan, report=place_of_report(suite, recipients.environ))
    last = partial(last_verdict, suite, plan.plan, plan.profile)
    return await _tell(recipients, message, directory, last)


async def _tell(
    recipients: Recipients, message: Message, directory: Path, last: Callable[[], str]
) -> tuple[str, ...]:
    """Tell those who want to know; return what was not delivered, a sentence each.

    Args:
        recipients: Who may want to know.
        message: What came of the run.
        directory: Where its reports are.
        last: Looks up the verdict of the run before; empty when there was none.
    """
    before = await asyncio.to_thread(last) if recipients.ask_for_change else ""
    wanting = recipients.wanting(message.verdict, message.exit_code, before)
    told = [_tell_one(recipients, node, message, directory) for node in wanting]
    return tuple(notice for notices in await asyncio.gather(*told) for notice in notices)


async def _tell_one(
    recipients: Recipients, node: NotificationNode, message: Message, directory: Path
) -> list[str]:
    attached, notices = _attached(node.attach, directory)
    fault = await send(node.url, message, attached, confined=recipients.confined)
    if fault is not None:
        why = f": {fault.words}" if fault.words else ""
        notices.append(f"notification {node.position + 1} ({node.service}) was not delivered{why}")
    return [recipients.mask(notice) for notice in notices]


def _attached(formats: Sequence[str], directory: Path) -> tuple[list[Path], list[str]]:
    """Return the files to attach, and what is said of those that can't be."""
    found, notices = [], []
    for path in (directory / file.name for name in formats for file in REPORT_FORMATS[name].files):
        size = path.stat().st_size if path.is_file() else -1
        if 0 <= size <= _MOST_ATTACHED:
            found.append(path)
            continue
        why = "it was not written"
        if size > 0:
            why = f"it has {format_size(size)}, and at most {format_size(_MOST_ATTACHED)} are"
        notices.append(f"{path.name} was not attached: {why}")
    return found, notices


def _last_verdict(directory: Path, plan: str, profile: str, started: str) -> str:
    last = find_last(directory, plan, profile, before=started)
    if find_refusal(directory, plan, profile) > ("" if last is None else last.started):
        return COULD_NOT_RUN
    return "" if last is None else verdict_word(last)
