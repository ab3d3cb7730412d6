"""Plans in the one style; what they say, in which order and with which comments stays."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Final

from planrunner.errors import Misuse
from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.formatting.printer import print_written
from planrunner.plan.formatting.reader import read_written
from planrunner.plan.formatting.written import WrittenPlan
from planrunner.plan.yaml.document import parse
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import YamlProblem

__all__ = ["format_plan"]

_LINE_END: Final = re.compile(r"\r\n|\r")
_BLANK_END: Final = re.compile(r"[ \t]+$", re.MULTILINE)


def format_plan(text: str, file: str = "plan.yaml") -> str:
    """Return `text` in the one style; `file` is only a name.

    Lines end as the first one does. A byte order mark is left out.

    Raises:
        PlanError: It isn't the YAML of a plan; the same findings as `planrunner validate` has.
        Misuse: The result would mean something else, so there is none.
    """
    line_end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return _format(text, file).replace("\n", line_end)


def _format(text: str, file: str) -> str:
    lines = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
    try:
        document = parse(text, file)
    except PlanError as error:
        if [one.code for one in error.diagnostics] == [Code.EMPTY_PLAN]:
            return _without_values(lines)
        raise
    if document.faults:
        raise PlanError(document.faults)
    written = read_written(lines)
    result = print_written(written)
    _check(written, result, Source(file, lines))
    return result


def _without_values(text: str) -> str:
    """Return a file that holds only comments, or nothing."""
    stripped = _BLANK_END.sub("", text).strip("\n")
    return stripped and f"{stripped}\n"


def _check(written: WrittenPlan, result: str, source: Source) -> None:
    """Refuse a result that says something else, or lacks a comment."""
    try:
        again = read_written(result)
    except YamlProblem as problem:
        raise _refusal(source, 0, f"it would no longer be YAML: {problem}") from problem
    pairs = zip_longest(written.events, again.events)
    for index, (before, after) in enumerate(pairs):
        if before != after:
            place = written.places[min(index, len(written.places) - 1)]
            raise _refusal(source, place, "this value would mean something else")
    if written.remarks != again.remarks:
        raise _refusal(source, 0, "a comment would be lost or moved")


def _refusal(source: Source, offset: int, what: str) -> Misuse:
    span = source.span(offset)
    message = f"{span.file}:{span.line}:{span.column}: this can't be formatted: {what}"
    return Misuse(message, hint="this is a bug in planrunner; please report it with the plan")
