"""What was asked for and what came of it, in the summary and in report.html."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from planrunner.report.formats.html import write_html
from planrunner.report.formats.junit import write_junit
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.load_facts import (
    generator_words,
    missed_loads,
    service_p95_ns,
    spoken_words,
)
from planrunner.report.markdown_text import markdown_text
from planrunner.report.terminal.console import print_summary
from planrunner.results.loads import GeneratorFacts, PhaseLoad, Sustainable
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS, make_result

OPEN = PhaseLoad(
    phase="peak",
    model="open",
    unit="arrivals",
    requested=5_000,
    achieved=4_800,
    dropped=200,
    late=30,
    lateness_p99_ns=12_000_000,
    lateness_max_ns=40_000_000,
    is_paced=True,
)
WORDS = "requested 5,000 arrivals, achieved 4,800 (96 %): 200 dropped, 30 late (p99 12 ms)"
RESULT = replace(
    make_result(),
    loads=(OPEN,),
    generator=GeneratorFacts(3_000_000, 0.45, 2, 12_000_000, 120, 1024),
    sustainable=(
        Sustainable("find", "users", is_found=True, level=120, is_reached=False, text="120 held"),
    ),
)


def html(result) -> str:
    out = io.StringIO()
    write_html(result, out)
    return out.getvalue()


def summary(result, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=120, height=50, force_terminal=terminal, color_system=None, markup=False
    )
    print_summary(result, console)
    return out.getvalue()


def test_only_what_was_missed_is_told():
    """A phase that got what it asked for is not worth a line; doubts tell of late arrivals."""
    fine = replace(OPEN, achieved=5_000, dropped=0)

    assert list(missed_loads(RESULT)) == [WORDS]
    assert list(missed_loads(replace(RESULT, loads=(fine,)))) == []
    assert list(missed_loads(replace(RESULT, loads=(fine, OPEN)))) == [f"phase `peak` {WORDS}"]


def test_every_summary_tells_it():
    """On a terminal and on a CI server's page."""
    out = io.StringIO()
    write_markdown(RESULT, out)

    assert WORDS in summary(RESULT)
    assert "**Load:** requested 5,000 arrivals" in out.getvalue()


def test_the_page_has_all_of_it():
    """The load of each phase, the generator, and what is sustainable."""
    page = html(RESULT)

    assert '<td data-v="5000">5,000 arrivals</td><td>4,800</td>' in page
    assert "45 % of a processor at most, timers at most 3 ms late" in page
    assert "120 of 1,024 files open" in page
    assert "<dt>Sustainable</dt><dd>≥ 120 users</dd>" in page


def test_an_unknown_generator_is_not_described():
    """Of a result that was made again from samples, nothing is known of it."""
    assert generator_words(GeneratorFacts()) == ""


def test_service_time_stands_beside_latency():
    """The 95th percentile of the whole run, where its histograms are kept."""
    result = make_long_run(seconds=120, requests=3)

    assert service_p95_ns(result) > 0
    assert "service p95" in summary(result)
    assert "p95 service<" in html(result)
    assert service_p95_ns(make_result()) == 0


def test_every_notice_is_shown():
    """Each says something that no figure does."""
    result = replace(RESULTS["passing"], notices=tuple(f"notice {n}" for n in range(9)))

    assert summary(result, terminal=True).count("notice: notice ") == 9
    assert summary(result).count("notice: notice ") == 9


def test_reports_say_which_versions_were_spoken():
    """Of all requests together; a protocol without versions has nothing to say."""
    rows = tuple(
        replace(row, protocols={"http/2": 3, "http/1.1": 1, "grpc": 1})
        if row.by == "request" and not row.phase
        else row
        for row in make_result().rows
    )
    requests = sum(row.protocols == {"http/2": 3, "http/1.1": 1, "grpc": 1} for row in rows)
    result = make_result(rows=rows)
    words = f"over http/2 ({3 * requests}), http/1.1 ({requests})"
    junit, markdown = io.StringIO(), io.StringIO()
    write_junit(result, junit)
    write_markdown(result, markdown)

    assert spoken_words(result) == words
    assert words in summary(result)
    assert words in html(result)
    assert markdown_text(words) in markdown.getvalue()
    assert words in junit.getvalue()
    assert spoken_words(make_result()) == ""
