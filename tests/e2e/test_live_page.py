"""The live page in a real browser: from the first second of a run to its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.axe import violations
from tests.support.browsed_pages import click, enter, page_of, settle, wait_for
from tests.support.browser import CHROMIUM, Browser
from tests.support.web_pages import served_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium"),
]

PLAN = """\
planrunner: 1
name: <img src=x onerror=alert(1)> shop
params:
  users: {type: int, default: 1, min: 1, max: 9, help: how many browse}
  key: {type: str, default: "", secret: true, help: of the shop}
services:
  shop: {demo: shop, monitor: [cpu]}
http: {base_url: "${services.shop.url}"}
users:
  Browser:
    wait: 50ms
    steps:
      - log: "<b>looking</b> around"
      - get: /products
      - {get: /nowhere, name: "GET <script>alert(2)</script>"}
phases:
  - {name: steady, users: "${users}", hold: 60s}
thresholds:
  - count < 60
  - p95 < 10s
"""
COMMANDS = """\
planrunner: 1
name: their shop
services: {shop: {run: sleep 60, ready: {log: ready}}}
users: {Browser: {steps: [{get: "http://127.0.0.1/"}]}}
phases: [{name: steady, users: 1, hold: 1s}]
"""
# A second viewer, which keeps what it has put together, and the server's state when all is over.
_MIRROR = """Promise.all([import("./static/live/stream.js"), import("./static/api.js")])
  .then(async ([{ Stream }, { get, runAddress }]) => {
    const { run } = await get("api/session");
    const told = (how) => {
      if (how === "ended") window.both = get(runAddress(run, "state")).then((fresh) =>
        [mirror.state, fresh]);
    };
    window.mirror = new Stream(run, { changed() {}, told });
    return mirror.begin();
  })"""
# What one update of a long run costs, in milliseconds: the least of ten, as others use the machine.
_LONG_RUN = """(async () => {
  const [{ RunView }, { $ }] =
    await Promise.all([import("./static/live/view.js"), import("./static/dom.js")]);
  const of = (make) => Array.from({ length: 600 }, (_, n) => make(n));
  const names = Array.from({ length: 60 }, (_, n) => `GET /items/${n}`);
  const series = () => ({ requests: of((n) => n % 90), failed: of((n) => n % 7),
    p50: of((n) => 9 + n % 5), p95: of((n) => 40 + n % 23), p99: of((n) => 90 + n % 31) });
  const named = (names, make) => Object.fromEntries(names.map((name) => [name, make()]));
  const state = {
    seq: 1, run: { plan: "long", phases: [], gauges: [] }, phases: [], exchanges: [], failures: [],
    log: [], log_left_out: 0, generator: {}, workers: [], lost: 0, result: null, changes: [],
    status: { state: "running", second: 7200, phases: [], stages: {}, left_s: 1, users: 30 },
    totals: { requests: 1, failed: 0, p95: 1, p99: 1 }, now: { requests: 90 },
    thresholds: [], columns: { ...series(), step: 12, t: of((n) => 12 * n + 12),
      users: named(["A", "B"], () => of((n) => n % 30)), asked_users: of(() => 60),
      due: [], failures: named(["503", "timeout"], () => of((n) => n % 9)), lag: of(() => 1),
      cpu: of(() => 0.5), gauges: {}, thresholds: [], by_request: named(names, series) } };
  const view = new RunView("none");
  view.stream.close();
  $("main").replaceChildren(view.live);
  const { charts } = view.first.find((part) => part.timeline).timeline;
  const times = [];
  for (let turn = 0; turn < 12; turn += 1) {
    state.requests = names.map((name, n) => ({ name, requests: turn * 90, failed: n % 3,
      mean: 12.3 + turn, p50: 9.1 + turn, p95: 40.2 + turn, p99: 90.3 + turn, max: 99,
      received: turn * 12345, last: { requests: turn } }));
    const begin = performance.now();
    view.state = state;
    view.show();
    view.below.forEach((part) => part.update(state, ""));
    charts.forEach((chart) => chart.draw());
    document.body.getBoundingClientRect(); // lays it out
    if (charts.every(({ width }) => width)) times.push(performance.now() - begin);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  return Math.min(...times.slice(1));
})()"""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    browser.resize(1366, height=768)
    yield browser
    browser.close()


@pytest.fixture
def browser(process: Browser) -> Browser:
    """Return a browser whose last page is gone: it would ask for a server that has ended."""
    process.visit("about:blank")
    return process


def faults(browser: Browser) -> list[object]:
    """Return what axe finds, and what scrolls sideways, on a laptop and on a phone."""
    found: list[object] = []
    for scheme, width in (("dark", 390), ("light", 1366)):
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        browser.call("Emulation.setEmulatedMedia", media="", features=features)
        browser.resize(width, height=768)
        settle(browser)
        found += violations(browser)
        if browser.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"more than {width} px wide")
    return found


def watch_until_it_fails(browser: Browser) -> None:
    wait_for(browser, "document.querySelectorAll('.requests tbody tr').length === 2")
    browser.evaluate(_MIRROR)
    wait_for(browser, "document.querySelector('.thresholds li.fail') !== null")
    assert browser.evaluate("document.getElementById('verdict').textContent") == "failing"
    below = "document.querySelector('.charts').getBoundingClientRect().bottom - innerHeight"
    assert browser.evaluate(below) <= 0
    assert faults(browser) == []


def choose_the_last_request(browser: Browser) -> None:
    click(browser, ".requests tbody tr:last-child button")
    only = browser.evaluate("document.getElementById('only').textContent")
    assert only.startswith("Only GET <script>alert(2)</script>")
    legend = browser.evaluate("document.querySelector('#chart-failures .legend').textContent")
    assert legend.startswith("failed")


def change_the_load(browser: Browser) -> None:
    """To what can't be, to three users, to nobody, and back to three."""
    is_gone = "!document.querySelector('dialog')"
    click(browser, "#load")
    assert violations(browser) == []
    browser.evaluate("document.getElementById('load-level').value = 'many'")
    click(browser, "dialog button.primary")
    refused = wait_for(browser, "document.querySelector('dialog .callout')?.textContent")
    assert refused.startswith("many is not a number of users")
    browser.evaluate("document.getElementById('load-level').value = '3'")
    click(browser, "dialog button.primary")
    for word in ("Pause", "Resume"):
        wait_for(browser, is_gone)
        click(browser, "#load")
        wait_for(browser, f"document.getElementById('load-pause').textContent === '{word}'")
        click(browser, "#load-pause")
    wait_for(browser, is_gone)
    assert (
        browser.evaluate("document.querySelector('.badge.warn').textContent") == "changed by hand"
    )


def test_a_run_from_its_first_second_to_its_report(tmp_path: Path, browser: Browser) -> None:
    """Watched until a threshold breaks, narrowed to a request, and stopped.

    Names of the plan stay text, axe finds nothing, and a viewer that lost its connection has in
    the end what the server has.
    """
    (tmp_path / "shop.yaml").write_text(PLAN, encoding="utf-8")
    with page_of("execute", "shop.yaml", "--ui", folder=tmp_path) as address:
        enter(browser, address)
        watch_until_it_fails(browser)
        browser.evaluate("mirror.source.close()")
        choose_the_last_request(browser)
        browser.evaluate("mirror.listen()")
        change_the_load(browser)
        click(browser, "#stop")
        mirrored, fresh = wait_for(browser, "window.both")
        wait_for(browser, "document.querySelector('iframe.report:not([hidden])') !== null")
        click(browser, ".choice button:last-child")

        assert mirrored == fresh
        ended = browser.evaluate("document.querySelector('.ended strong').textContent")
        assert ended == "The run ended: stopped."
        assert browser.evaluate("document.querySelectorAll('main img, main b script').length") == 0
        assert faults(browser) == []
        assert browser.console == []


def test_two_hours_of_sixty_requests_stay_smooth(browser: Browser) -> None:
    """An update is no long task: browsers call those long that take 50 ms."""
    with served_page() as page:
        enter(browser, page.access.url)

        assert browser.evaluate(_LONG_RUN) < 50
        assert browser.console == []


def fill(browser: Browser, element: str, value: str) -> None:
    browser.evaluate(
        f"(() => {{ const one = document.getElementById('{element}'); one.value = '{value}';"
        "one.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


def test_a_plan_is_started_from_its_form(tmp_path: Path, browser: Browser) -> None:
    """With a param that is refused first; commands are shown before anything runs."""
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "shop.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "plans" / "their.yaml").write_text(COMMANDS, encoding="utf-8")
    with page_of("ui", "plans", folder=tmp_path) as address:
        enter(browser, address)
        click(browser, ".plans li:last-child a")
        click(browser, "#start:enabled")
        shown = wait_for(browser, "document.querySelector('dialog .commands pre')?.textContent")
        assert shown == "sleep 60"
        assert faults(browser) == []
        click(browser, "dialog .actions button:first-child")

        click(browser, "nav a")
        click(browser, ".plans li:first-child a")
        wait_for(browser, "document.querySelector('.state.pass') !== null")
        assert browser.evaluate("document.getElementById('param-key').type") == "password"
        fill(browser, "param-users", "99")
        fault = wait_for(browser, "document.querySelector('.faults .fail')?.textContent")
        assert "shop.yaml:4:3" in fault
        assert browser.evaluate("document.getElementById('start').disabled")
        fill(browser, "param-users", "3")
        wait_for(browser, "document.querySelector('.plan pre').textContent.includes('3 users')")
        click(browser, "#start")
        wait_for(browser, "document.querySelectorAll('.requests tbody tr').length === 2")
        click(browser, "#stop")
        wait_for(browser, "document.querySelector('iframe.report:not([hidden])') !== null")
        click(browser, "nav a[href='#history']")
        verdict = wait_for(browser, "document.querySelector('tbody .badge')?.textContent")

        assert verdict == "stopped"
        assert faults(browser) == []
