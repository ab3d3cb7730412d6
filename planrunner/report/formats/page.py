"""Pages: one file each, that opens offline, draws its charts and loads nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from planrunner.extras import install_hint
from planrunner.report.charts.chart import Chart
from planrunner.report.charts.over_time.request_columns import RequestColumns
from planrunner.report.findings import is_rough
from planrunner.report.formats.compiled_templates import compiled_templates
from planrunner.report.formats.page_data import chart_data
from planrunner.report.plain import plain, plain_line
from planrunner.units import format_duration, format_percent, format_rate, format_size

__all__ = ["lines", "write_page"]

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"

# Letters of scripts that run from right to left: beside them `< 1s` would read `1 >`.
_RIGHT_TO_LEFT: Final = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+"
)


_IN_BACKTICKS: Final = re.compile(r"`([^`]+)`")
_SECTION: Final = re.compile(r'<h2 id="([\w-]+)">(.*?)</h2>')
_SLASH: Final = re.compile(r"[\w}]/(?=[\w$])(?!s\b)")  # not of `20/s`
_UNBROKEN: Final = 30  # letters of a name that a column has room for


def write_page(
    out: TextIO,
    template: str,
    *,
    bundle: str,
    charts: Sequence[Chart],
    choices: Sequence[RequestColumns] = (),
    **names: object,
) -> None:
    """Write a page to `out`; the same names give the same bytes.

    Args:
        out: A text file, UTF-8.
        template: A file of `templates`.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
        charts: To be drawn.
        choices: What charts can show instead of all requests together.
        names: What the template uses.
    """
    environment = _environment()
    sheets = ("colors.css", "report.css")
    style = Markup("".join(_source(environment, name) for name in sheets))
    own = [_source(environment, name) for name in ("charts.js", "report.js")]
    scripts = [Markup(text) for text in (bundle, *own) if bundle]
    stream = environment.get_template(template).stream(
        **names,
        charts=charts,
        choices=[one.name for one in choices],
        scripts=scripts,
        charts_hint="" if scripts else install_hint("charts"),
        chart_data=chart_data(charts, choices),
        style=style,
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


@cache  # with its templates: they take longer to compile than a page does to write
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        bytecode_cache=compiled_templates(_TEMPLATES, __file__),
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
        "lines": lines,
        "is_rough": is_rough,
        "isolate": _isolate,
        "contents": _contents,
        "words": _words,
        "count": "{:,}".format,
    }
    return environment


def _contents(page: str) -> list[tuple[str, Markup]]:
    """Return the anchor and the title of each section of a page."""
    return [(anchor, Markup(title)) for anchor, title in _SECTION.findall(page)]


def lines(text: str) -> Markup:
    """Escape text of several lines, each fit to be shown."""
    return Markup("\n".join(str(escape(plain_line(line))) for line in text.splitlines()))


def _isolate(text: str) -> Markup:
    """Escape `text`, and keep its right-to-left words from reordering what stands around them.

    Long paths may be broken at their slashes.
    """
    escaped = str(escape(text))
    if len(text) > _UNBROKEN:
        escaped = _SLASH.sub(r"\g<0><wbr>", escaped)
    return Markup(_RIGHT_TO_LEFT.sub(r"<bdi>\g<0></bdi>", escaped))


def _words(text: str) -> Markup:
    """Escape a sentence of ours, and show what it has in backticks as code."""
    return Markup(_IN_BACKTICKS.sub(r"<code>\g<1></code>", str(_isolate(plain(text)))))


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
