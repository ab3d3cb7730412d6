"""report.html: one file that opens offline, tells the verdict first and loads nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from planrunner.report.findings import (
    count_failures,
    find,
    is_default,
    most_first,
    verdict_of,
    verdict_word,
    worst_first,
)
from planrunner.report.plain import plain
from planrunner.results.model import Row, RunResult
from planrunner.units import format_duration, format_percent, format_rate, format_size
from planrunner.values import dataclass

__all__ = ["write_html"]

_PERCENTILES: Final = ("min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max")
# Rows of these are in the order of the plan, which says more than which of them is worst.
_IN_PLAN_ORDER: Final = frozenset({"phase", "stage"})
# Letters of scripts that run from right to left: beside them `< 1s` would read `1 >`.
_RIGHT_TO_LEFT: Final = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+"
)
_TITLES: Final[Mapping[str, str]] = {
    "request": "Requests",
    "phase": "Phases",
    "stage": "Stages",
    "user": "User classes",
    "task": "Tasks",
    "group": "Groups",
    "tag": "Tags",
    "iteration": "Iterations",
}


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows below a heading of their own; the heading is empty for those of the whole run."""

    phase: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    by: str
    title: str
    tables: tuple[_Table, ...]


def write_html(result: RunResult, out: TextIO) -> None:
    """Write the report of `result` to `out`; the same result gives the same bytes."""
    environment = _environment()
    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    style = Markup(_source(environment, "report.css"))
    stream = environment.get_template("report.html").stream(
        result=result,
        word=verdict_word(result),
        verdict=verdict_of(result).value,
        findings=find(result.judgements),
        is_default=is_default(result.judgements),
        sections=_sections(result),
        requests=worst_first(requests),
        kinds=[kind for kind, _ in most_first(count_failures(result))],
        statuses=sorted({status for row in requests for status in row.statuses}),
        percentiles=_PERCENTILES,
        style=style,
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
    )
    stream.enable_buffering(64)
    out.writelines(stream)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("planrunner.report"),
        autoescape=True,
        # Names come from plans and servers: nothing of theirs is printed as it came.
        finalize=lambda value: plain(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": format_duration,
        "size": format_size,
        "percent": format_percent,
        "rate": format_rate,
        "plain": plain,
        "isolate": _isolate,
        "count": "{:,}".format,
    }
    return environment


def _isolate(text: str) -> Markup:
    """Escape `text`, and keep its right-to-left words from reordering what stands around them."""
    return Markup(_RIGHT_TO_LEFT.sub(r"<bdi>\g<0></bdi>", str(escape(text))))


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _sections(result: RunResult) -> list[_Section]:
    sections = []
    for by, title in _TITLES.items():
        rows = [row for row in result.rows if row.by == by]
        if rows:
            sections.append(_Section(by, title, tuple(_tables(by, rows))))
    return sections


def _tables(by: str, rows: Sequence[Row]) -> Iterable[_Table]:
    """Return the rows of the whole run, then those of each phase."""
    phases = dict.fromkeys(row.phase for row in rows)
    for phase in sorted(phases, key=bool):
        # The only phase has the same numbers as the run.
        if phase and "" in phases and len(phases) == 2:
            continue
        chosen = [row for row in rows if row.phase == phase]
        yield _Table(phase, tuple(chosen if by in _IN_PLAN_ORDER else worst_first(chosen)))
