"""report.html in a real browser: drawn, silent, offline, and its tables work."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import time
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from planrunner.cli.vega import javascript_bundle
from planrunner.report.html import write_html
from planrunner.results.model import RunResult
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium"),
]

# What a person would do: sort by the second column, twice, then filter.
_ACTIONS = """
addEventListener("load", () => setTimeout(() => {
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
  found.wide = [...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll")
    && !one.closest("svg") && one.getBoundingClientRect().right
      > document.documentElement.clientWidth + 1)
    .map((one) => `${one.tagName} ${one.className}`);
  document.body.dataset.found = JSON.stringify(found);
}, 0));
"""


class Visit(NamedTuple):
    """What became of a page."""

    dom: str
    console: list[str]
    requests: list[str]
    seconds: float

    @property
    def found(self) -> dict[str, object]:
        text = re.search(r'data-found="([^"]*)"', self.dom)
        assert text is not None
        found: dict[str, object] = json.loads(text[1].replace("&quot;", '"'))
        return found


def visit(result: RunResult, folder: Path, *, actions: str = "", width: int = 1280) -> Visit:
    """Open the report of `result` and wait until it is idle."""
    page, log = folder / "report.html", folder / "net.json"
    out = io.StringIO()
    write_html(result, out, bundle=javascript_bundle())
    text = out.getvalue()
    if actions:
        allowed = b64encode(sha256(actions.encode()).digest()).decode()
        text = text.replace("script-src ", f"script-src 'sha256-{allowed}' ", 1)
        before, _, after = text.rpartition("</body>")
        text = f"{before}<script>{actions}</script></body>{after}"
    page.write_text(text, "utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900"]
    command += ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    command += ["--virtual-time-budget=5000", "--enable-logging=stderr", f"--log-net-log={log}"]
    began = time.perf_counter()
    ended = subprocess.run(
        [*command, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "HOME": str(folder)},
    )
    seconds = time.perf_counter() - began
    console = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
    requests = re.findall(r'"url":"(https?://[^"]+)"', log.read_text("utf-8"))
    return Visit(ended.stdout, console, requests, seconds)


@pytest.fixture(scope="module")
def run() -> RunResult:
    """Ten minutes of twelve requests, some failing."""
    return make_long_run(seconds=600, requests=12)


def test_the_report_draws_every_chart_in_silence_and_offline(
    run: RunResult, tmp_path: Path
) -> None:
    """No console message, no request to any host."""
    seen = visit(run, tmp_path)

    drawn = re.findall(r'<figure id="chart-([a-z]+)"[^>]*class="[^"]*drawn', seen.dom)
    assert drawn == ["load", "latency", "distribution", "errors", "scaling", "cpu", "memory"]
    assert seen.dom.count("<svg") >= len(drawn)
    assert seen.console == []
    assert [url for url in seen.requests if "report.html" in url or "vega" in url] == []
    assert seen.seconds < 10


def test_tables_are_sorted_and_filtered(run: RunResult, tmp_path: Path) -> None:
    """By the number behind the unit, and by a part of the name."""
    seen = visit(run, tmp_path, actions=_ACTIONS)

    rows = {row.name: row for row in run.rows if row.by == "request" and not row.phase}
    p50 = {name: row.latency_ns["p50"] for name, row in rows.items()}
    found = seen.found
    assert len(found["plain"]) == 12  # type: ignore[arg-type]
    assert p50[str(found["slowest"])] == max(p50.values())
    assert p50[str(found["fastest"])] == min(p50.values())
    assert found["sorted"] == "ascending"
    assert found["filtered"] == ["GET /items/07"]
    assert seen.console == []


def test_a_phone_scrolls_in_one_direction_only(run: RunResult, tmp_path: Path) -> None:
    """Wide tables scroll in their own box."""
    seen = visit(run, tmp_path, actions=_ACTIONS, width=500)

    assert seen.found["wide"] == []


def test_hostile_names_stay_text(run: RunResult, tmp_path: Path) -> None:
    """Neither the page nor the charts run what a name holds."""
    evil = RESULTS["awkward"]
    names = [row.name for row in evil.rows]
    points = tuple(replace(point, phase=names[2]) for point in run.points)

    seen = visit(replace(evil, points=points, series=run.series), tmp_path)

    assert "<script>alert(1)" not in seen.dom
    assert seen.console == []
    assert 'class="drawn"' in seen.dom
