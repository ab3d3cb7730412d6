"""report.html in a real browser: drawn, silent, offline, soon there, and its tables work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planrunner.report.charts.charts import SCREEN, charts_of
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.html import write_html
from planrunner.results.model import RunResult
from tests.support.browser import CHROMIUM, Browser
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium"),
]

# What a person would do: sort by the column of p50, twice, then filter.
_ACTIONS = """(() => {
  const table = document.querySelector("#by-request + .filter + .scroll table");
  const names = () => [...table.tBodies[0].rows].filter((row) => !row.hidden)
    .map((row) => row.cells[0].textContent.trim());
  const button = table.tHead.rows[0].cells[6].querySelector("button");
  const found = { plain: names() };
  button.click();
  found.slowest = names()[0];
  button.click();
  found.fastest = names()[0];
  found.sorted = button.parentElement.getAttribute("aria-sort");
  const input = table.closest("section").querySelector("input[type=search]");
  input.value = "ITEMS/07";
  input.dispatchEvent(new Event("input"));
  found.filtered = names();
  return found;
})()"""
_TOO_WIDE = """[...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll")
    && !one.closest("svg") && one.getBoundingClientRect().right
      > document.documentElement.clientWidth + 1)
  .map((one) => `${one.tagName} ${one.className}`)"""
_PICTURES = """[...document.querySelectorAll(".plot")].map((plot) =>
  [plot.getAttribute("role"), plot.getAttribute("aria-label")])"""
_DRAWN = "[...document.querySelectorAll('figure.drawn:has(svg)')].map((figure) => figure.id)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def run() -> RunResult:
    """Ten minutes of twelve requests, some failing."""
    return make_long_run(seconds=600, requests=12)


def written(result: RunResult, folder: Path) -> Path:
    page = folder / "report.html"
    with page.open("w", encoding="utf-8") as out:
        write_html(result, out, bundle=javascript_bundle())
    return page


def test_the_report_draws_every_chart_in_silence_and_offline(
    run: RunResult, tmp_path: Path, browser: Browser
) -> None:
    """No console message, no request to any host; to a screen reader each is a sentence."""
    browser.open(written(run, tmp_path))

    kinds = ("load", "latency", "requests", "statuses", "errors")
    rest = ("distribution", "scaling", "cpu", "memory")
    assert browser.evaluate(_DRAWN) == [f"chart-{kind}" for kind in (*kinds, *rest)]
    assert browser.console == []
    assert browser.requests == []
    words = [f"{chart.title}: {chart.words.replace('`', '')}" for chart in charts_of(run, SCREEN)]
    assert browser.evaluate(_PICTURES) == [["img", told] for told in words]


def test_two_hours_of_fifty_requests_are_soon_there(tmp_path: Path, browser: Browser) -> None:
    """At most 3 MB, and every chart is drawn 2 s after the page was asked for; best of three.

    Twenty minutes make as large a page: no series has more than 600 points.
    """
    page = written(make_long_run(seconds=1200, requests=50), tmp_path)
    seconds = []
    for _ in range(3):
        browser.open(page)
        seconds.append(browser.evaluate("performance.now()") / 1000)

    assert page.stat().st_size <= 3_000_000
    assert min(seconds) < 2, seconds


def test_tables_are_sorted_and_filtered(run: RunResult, tmp_path: Path, browser: Browser) -> None:
    """By the number behind the unit, and by a part of the name."""
    browser.open(written(run, tmp_path))
    found = browser.evaluate(_ACTIONS)

    rows = {row.name: row for row in run.rows if row.by == "request" and not row.phase}
    p50 = {name: row.latency_ns["p50"] for name, row in rows.items()}
    assert len(found["plain"]) == 12
    assert p50[found["slowest"]] == max(p50.values())
    assert p50[found["fastest"]] == min(p50.values())
    assert found["sorted"] == "ascending"
    assert found["filtered"] == ["GET /items/07"]
    assert browser.console == []


def test_a_phone_scrolls_in_one_direction_only(
    run: RunResult, tmp_path: Path, browser: Browser
) -> None:
    """Wide tables scroll in their own box."""
    browser.resize(390)
    browser.open(written(run, tmp_path))
    too_wide = browser.evaluate(_TOO_WIDE)
    width = browser.evaluate("document.documentElement.scrollWidth")
    browser.resize(1280)

    assert too_wide == []
    assert width == 390


def test_what_is_folded_away_is_printed(run: RunResult, tmp_path: Path, browser: Browser) -> None:
    """Paper can't be clicked."""
    seen = "document.querySelector('details:not([open]) pre').checkVisibility()"
    browser.open(written(run, tmp_path))
    on_screen = browser.evaluate(seen)
    browser.call("Emulation.setEmulatedMedia", media="print")
    on_paper = browser.evaluate(seen)
    browser.call("Emulation.setEmulatedMedia", media="")

    assert (on_screen, on_paper) == (False, True)


def test_hostile_names_stay_text(run: RunResult, tmp_path: Path, browser: Browser) -> None:
    """Neither the page nor the charts run what a name holds."""
    evil = RESULTS["awkward"]
    names = [row.name for row in evil.rows]
    points = tuple(replace(point, phase=names[2]) for point in run.points)
    browser.open(written(replace(evil, points=points, series=run.series), tmp_path))

    scripts = "[...document.scripts].filter((one) => one.text.startsWith('alert')).length"
    assert browser.evaluate(scripts) == 0
    assert browser.evaluate("document.querySelectorAll('main img').length") == 0
    assert browser.evaluate(_DRAWN) != []
    assert browser.console == []
