"""report.html: one file that opens offline, tells the verdict first and loads nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from planrunner.report.charts import SCREEN, Chart, charts_of
from planrunner.report.findings import (
    count_failures,
    find,
    is_default,
    most_first,
    verdict_of,
    verdict_word,
    worst_first,
)
from planrunner.report.palette import config
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


def write_html(result: RunResult, out: TextIO, *, bundle: str = "") -> None:
    """Write the report of `result` to `out`; the same result gives the same bytes.

    Args:
        result: What to report.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
    """
    environment = _environment()
    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    style = Markup(_source(environment, "report.css"))
    charts = charts_of(result, SCREEN)
    scripts = [Markup(text) for text in (bundle, _source(environment, "report.js")) if bundle]
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
        charts=charts,
        plan_text=_lines(result.plan_text),
        scripts=scripts,
        chart_data=_chart_data(charts),
        content_security=_content_security(style, scripts),
    )
    stream.enable_buffering(64)
    out.writelines(stream)


def _content_security(style: str, scripts: Sequence[str]) -> str:
    """Return the policy: nothing but this file's own style and scripts, and no connection."""
    if not scripts:
        return f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    # Vega compiles expressions of its own, and sets styles on what it draws.
    allowed = " ".join([*map(_hash, scripts), "'unsafe-eval'"])
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _chart_data(charts: Sequence[Chart]) -> Markup:
    """Return what the script reads; data that charts share stands in it once."""
    datasets: dict[int, str] = {}
    shared: dict[str, object] = {}
    described = []
    for chart in charts:
        names: dict[str, str] = {}
        for name, rows in chart.data.items():
            key = datasets.setdefault(id(rows), f"{name}-{len(datasets)}")
            shared[key] = rows
            names[name] = key
        spec = {**chart.spec, "datasets": {}}
        described.append({"id": chart.id, "spec": spec, "data": names})
    page = {"config": config(SCREEN), "datasets": shared, "charts": described}
    text = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    # In a script element nothing but `<` could end it, and these two end a line of JavaScript.
    for letter, escaped in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(letter, escaped)
    return Markup(text)


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
        "lines": _lines,
        "isolate": _isolate,
        "count": "{:,}".format,
    }
    return environment


def _lines(text: str) -> Markup:
    """Escape text of several lines, each fit to be shown."""
    return Markup("\n".join(str(escape(_line(line))) for line in text.splitlines()))


def _line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + plain(line)


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
