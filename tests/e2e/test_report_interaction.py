"""What a reader does with a page: one moment in all charts, one request, some lines; and axe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.compare import write_comparison_html, write_history_html
from planrunner.report.formats.html import write_html
from planrunner.results.changes import EarlierKind
from planrunner.results.comparison import compare
from planrunner.results.earlier import make_earlier
from planrunner.results.model import Judgement, RunResult, Verdict
from tests.support.axe import violations
from tests.support.browser import CHROMIUM, Browser
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS

NS = 10**9

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium"),
]

_FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_READ = """Object.fromEntries([...document.querySelectorAll("figure:has(.legend)")].map((figure) =>
  [figure.id.slice(6), [...figure.querySelectorAll(".legend li")].map((item) =>
    [item.querySelector("button").textContent, item.querySelector("b").textContent])]))"""
_RULES = """[...document.querySelectorAll(".plot svg .mark-rule.role-mark line")]
  .filter((line) => line.getAttribute("opacity") === "0.55").length"""
_PATHS = """document.querySelectorAll("#chart-requests .mark-line path[stroke]").length"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def run() -> RunResult:
    """Two minutes of twelve requests with limits, a worst window and an earlier run."""
    before, after = (make_long_run(seconds=120, requests=12, slower=slow) for slow in (1, 1.2))
    judgements = (
        _judged("p95 < 150ms", 0.15 * NS),
        _judged('p99 of "GET /items/07" < 400ms', 0.4 * NS),
        replace(
            _judged("p95 over 30s < 100ms", 0.1 * NS),
            window_start_ns=62 * NS,
            window_end_ns=92 * NS,
        ),
        _judged("error_rate < 1%", 0.01),
        _judged("throughput > 20/s", 20),
        _judged("max of service.api.cpu < 80%", 0.8),
    )
    earlier = make_earlier(before, after, EarlierKind.BASELINE)
    assert earlier is not None
    return replace(after, judgements=judgements, earlier=(earlier,))


def _judged(threshold: str, amount: float) -> Judgement:
    limit = threshold.rpartition(" ")[2]
    return Judgement(threshold, Verdict.FAIL, "1", limit, "plan.yaml:1:1", limit_amount=amount)


@pytest.fixture(scope="module")
def page(run: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("page") / "report.html"
    with page.open("w", encoding="utf-8") as out:
        write_html(run, out, bundle=javascript_bundle())
    return page


def act(browser: Browser, script: str) -> None:
    browser.evaluate(f"(() => {{ {script} }})()")
    browser.evaluate(_FRAME)


def shown(browser: Browser) -> dict[str, dict[str, str]]:
    """Return the legends of all charts: what each entry is called, and its value at the cursor."""
    found: dict[str, list[list[str]]] = browser.evaluate(_READ)
    return {chart: dict(map(tuple, entries)) for chart, entries in found.items()}  # type: ignore[misc]


def choose(browser: Browser, element: str, value: str) -> None:
    act(
        browser,
        f"const one = document.getElementById('{element}'); one.value = {json.dumps(value)};"
        "one.dispatchEvent(new Event('input')); one.dispatchEvent(new Event('change'))",
    )


def test_a_moment_is_the_same_in_every_chart(page: Path, run: RunResult, browser: Browser) -> None:
    """The pointer in one chart draws the cursor in all, and their legends show the values."""
    browser.open(page)
    box = browser.evaluate(
        "(() => { const one = document.querySelector('#chart-memory .plot'); "
        "one.scrollIntoView({block: 'center'}); const { x, y, width, height } = "
        "one.getBoundingClientRect(); return [x, y, width, height]; })()"
    )
    x, y, width, height = box
    pointer: dict[str, Any] = {"x": x + width / 2, "y": y + height / 2}
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", **pointer)
    browser.evaluate(_FRAME)

    over_time = ("load", "latency", "requests", "statuses", "errors", "cpu", "memory")
    legends = shown(browser)
    assert browser.evaluate(_RULES) == len(over_time)
    assert browser.evaluate("document.getElementById('moment-shown').textContent")
    for chart in over_time:
        assert any(legends[chart].values()), chart
    assert legends["memory"]["service.api.rss"].endswith(" MB")
    assert browser.console == []

    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    browser.evaluate(_FRAME)
    assert browser.evaluate(_RULES) == 0


def test_keys_move_the_cursor_too(page: Path, run: RunResult, browser: Browser) -> None:
    """A slider has a name, and says the moment; what it shows is what metrics.json has."""
    browser.open(page)
    choose(browser, "moment", "59")

    points = {point.second: point for point in run.points}
    slider = "document.getElementById('moment')"
    assert browser.evaluate(f"{slider}.getAttribute('aria-valuetext')") == "1:00"
    assert shown(browser)["latency"]["p95"] == f"{points[60].p95_ns / 1e6:.3g} ms"
    assert shown(browser)["load"]["users"] == str(points[60].users)


def test_a_single_request_takes_the_place_of_all(
    page: Path, run: RunResult, browser: Browser
) -> None:
    """In each chart of requests: its rate, latency, statuses, failures, limits and earlier run."""
    browser.open(page)
    choose(browser, "request-choice", "GET /items/07")
    choose(browser, "moment", "59")

    [points] = [one for one in run.request_points if one.name == "GET /items/07"]
    place = points.seconds.index(60)
    legends = shown(browser)
    assert legends["load"]["requests/s"] == f"{points.requests[place]}/s"
    assert legends["latency"]["p99"] == f"{points.p99_ns[place] / 1e6:.3g} ms"
    assert "p95 of the baseline" in legends["latency"]
    assert set(legends["errors"]) == {"503", "timeout"}
    labels = "[...document.querySelectorAll('#chart-latency svg text')].map((t) => t.textContent)"
    assert "p99 < 400ms" in browser.evaluate(labels)
    assert "p95 < 150ms" not in browser.evaluate(labels)
    caption = "document.querySelector('#chart-latency figcaption').textContent"
    assert browser.evaluate(caption) == "Only GET /items/07, after the warm-up."

    choose(browser, "request-choice", "")
    assert browser.evaluate(caption).startswith("p95 was ")
    assert "p95 < 150ms" in browser.evaluate(labels)
    assert browser.console == []


def test_requests_are_filtered_by_a_part_of_their_names(page: Path, browser: Browser) -> None:
    """Those that match are drawn, the worst first, and are what can be chosen."""
    browser.open(page)
    assert len(shown(browser)["requests"]) == 8
    choose(browser, "request-filter", "ITEMS/1")

    assert set(shown(browser)["requests"]) == {"GET /items/10", "GET /items/11"}
    assert browser.evaluate(_PATHS) == 2
    count = "document.getElementById('request-count').textContent"
    assert browser.evaluate(count) == "2 of 2 that match"
    options = "[...document.getElementById('request-choice').options].filter((o) => !o.hidden)"
    assert browser.evaluate(f"{options}.length") == 3
    for figure in ("p50", "p99", "rate", "failed", "p95"):
        choose(browser, "request-figure", figure)
        assert browser.evaluate(_PATHS) == 2
    choose(browser, "request-filter", "nothing has this name")
    assert browser.evaluate(_PATHS) == 0
    assert browser.console == []


def test_a_legend_hides_what_is_clicked(page: Path, browser: Browser) -> None:
    """And shows it again; of the last one all come back, as an empty chart says nothing."""
    lines = "document.querySelectorAll('#chart-latency .mark-line path[stroke]').length"
    click = "document.querySelectorAll('#chart-latency .legend button')[{}].click()"
    pressed = (
        "[...document.querySelectorAll('#chart-latency .legend button')]"
        ".map((one) => one.ariaPressed)"
    )
    browser.open(page)
    assert browser.evaluate(lines) == 4

    act(browser, click.format(2))
    assert browser.evaluate(lines) == 3
    assert browser.evaluate(pressed) == ["true", "true", "false", "true"]
    for place in (0, 1, 3):
        act(browser, click.format(place))

    assert browser.evaluate(lines) == 4
    assert browser.evaluate(pressed) == ["true"] * 4
    assert browser.console == []


def test_limits_and_the_worst_window_are_drawn(page: Path, browser: Browser) -> None:
    """Where they are near enough to what was measured."""
    texts = "[...document.querySelectorAll('#chart-{} svg text')].map((t) => t.textContent)"
    browser.open(page)

    latency = browser.evaluate(texts.format("latency"))
    assert {"p95 < 150ms", "worst 30s: p95 < 100ms"} <= set(latency)
    assert "throughput > 20/s" in browser.evaluate(texts.format("load"))
    assert "max < 80%" in browser.evaluate(texts.format("cpu"))
    assert "error_rate < 1%" in shown(browser)["errors"]


@pytest.fixture(scope="module")
def pages(run: RunResult, page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    before = make_long_run(seconds=60, requests=3)
    bundle = javascript_bundle()
    with (folder / "compare.html").open("w", encoding="utf-8") as out:
        write_comparison_html(compare(before, run), (before, run), out, bundle=bundle)
    runs = [before, run, RESULTS["failing"], replace(run, run_id="x"), RESULTS["passing"]]
    with (folder / "history.html").open("w", encoding="utf-8") as out:
        write_history_html(runs, out, bundle=bundle, reports={run.run_id: "a/report.html"})
    for name in ("failing", "awkward", "empty"):
        with (folder / f"{name}.html").open("w", encoding="utf-8") as out:
            write_html(RESULTS[name], out, bundle=bundle)
    names = ("compare", "history", "failing", "awkward", "empty")
    return {"report": page, **{name: folder / f"{name}.html" for name in names}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "compare", "history", "failing", "awkward", "empty"])
def test_axe_finds_nothing(
    name: str, scheme: str, pages: dict[str, Path], browser: Browser
) -> None:
    """On a wide page and on a phone: names, contrast, roles, order of headings."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.call("Emulation.setEmulatedMedia", media="", features=[feature])
    found: list[object] = []
    for width in (1280, 400):
        browser.resize(width)
        browser.open(pages[name])
        found += violations(browser)
    browser.resize(1280)

    assert found == []
    assert browser.requests == []
