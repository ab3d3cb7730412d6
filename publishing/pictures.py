"""Makes the pictures of the documentation from real runs: `python -m publishing.pictures`.

The plans are in publishing/plans. Their seeds fix what users draw; latencies are those of the
machine, so pictures differ a little from one time to the next.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from publishing.terminal import Terminal
from tests.support.browsed_pages import click, enter, page_of, wait_for
from tests.support.browser import Browser

__all__ = ["PICTURES", "make"]

ROOT: Final = Path(__file__).resolve().parent.parent
PLANS: Final = ROOT / "publishing" / "plans"
FOLDER: Final = ROOT / "docs" / "pictures"
RUN: Final = "run"
"""The directory of the run whose report is shown."""

_TRIES: Final = 5
"""How often it is made until its numbers are valid: a picture of a busy machine misleads."""

_RUSH_HOUR: Final = (
    "[...document.querySelectorAll('.phases .gone')].at(-1)?.getBoundingClientRect().width > 300"
)
_VALID: Final = "document.querySelector('.bar').textContent.includes('valid so')"

_WIDTH: Final = 1200
_HEIGHT: Final = 800
_MARGIN: Final = 20


def _validate(terminal: Terminal) -> None:
    terminal.run("planrunner validate typos.yaml")


def _summary(terminal: Terminal) -> None:
    def run(number: int) -> bool:
        terminal.run(f"planrunner execute quickstart.yaml --out quick-{number}")
        return _is_valid(terminal.folder / f"quick-{number}")

    _until_valid(run)


def _until_valid(attempt: Callable[[int], bool]) -> None:
    """Try it, with the number of the attempt, until it says that the numbers are valid."""
    if not any(map(attempt, range(_TRIES))):
        raise SystemExit(f"no run of {_TRIES} was valid: make the pictures on a quieter machine")


def _live(terminal: Terminal) -> None:
    terminal.type(f"planrunner execute evening.yaml --out {RUN}")
    terminal.wait_for("rush")
    terminal.pause(8)


TERMINALS: Final[Mapping[str, Callable[[Terminal], None]]] = {
    "terminal-validate.svg": _validate,
    "terminal-summary.svg": _summary,
    "terminal-live.svg": _live,
}
"""In their order: the report is that of the run which the last of them leaves behind."""

REPORTS: Final = {
    "report.png": "body",
    "report-charts.png": "#charts",
    "report-failing.png": "#failing",
}
"""Parts of report.html, by the element that each begins with."""

LIVE: Final = "live-page.png"
"""A run in the browser while it lasts."""

FORM: Final = "ui-plan.png"
"""A plan in the browser: its form, and what it would do."""

PICTURES: Final = (*TERMINALS, *REPORTS, LIVE, FORM)


def make(pictures: Path) -> None:
    """Write every picture into a folder."""
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(PLANS, folder, dirs_exist_ok=True)
        shutil.copy(ROOT / "plans" / "quickstart.yaml", folder)
        browser = Browser(folder)
        try:
            browser.resize(_WIDTH, height=_HEIGHT)
            _come_first()
            _draw(pictures, folder)
            _photograph(browser, pictures, folder)
        finally:
            browser.close()


def _come_first() -> None:
    """Let runs that are started from now on have a processor at once, if the system allows it.

    On a machine that others use too, no run would be valid.
    """
    if sys.platform == "linux":
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def _draw(pictures: Path, folder: Path) -> None:
    with Terminal(folder, columns=100, rows=36, programs=Path(sys.executable).parent) as shell:
        for picture, play in TERMINALS.items():
            play(shell)
            (pictures / picture).write_text(shell.picture(), "utf-8")
            print(pictures / picture)
        _finish(shell)


def _photograph(browser: Browser, pictures: Path, folder: Path) -> None:
    browser.open(folder / RUN / "report.html")
    for picture, element in REPORTS.items():
        (pictures / picture).write_bytes(_photographed(browser, element))
        print(pictures / picture)
    _photograph_live(browser, folder, pictures / LIVE)
    _photograph_form(browser, folder, pictures / FORM)


def _photograph_live(browser: Browser, folder: Path, picture: Path) -> None:
    """Look at the evening in the browser when it is rush hour, while its numbers are valid."""

    def look(_: int) -> bool:
        with page_of("execute", "evening.yaml", "--ui", folder=folder) as address:
            enter(browser, address)
            wait_for(browser, _RUSH_HOUR)
            taken = _photographed(browser, "body")
            is_valid: bool = browser.evaluate(_VALID)
        if is_valid:
            picture.write_bytes(taken)
        return is_valid

    _until_valid(look)
    print(picture)


def _photograph_form(browser: Browser, folder: Path, picture: Path) -> None:
    """Look at a plan with params before it is started."""
    (folder / "plans").mkdir()
    shutil.copy(ROOT / "plans" / "stress.yaml", folder / "plans")
    with page_of("ui", "plans", folder=folder) as address:
        enter(browser, address)
        click(browser, ".plans a")
        wait_for(browser, "document.querySelector('.state.pass') !== null")
        picture.write_bytes(_photographed(browser, "body"))
    print(picture)


def _finish(terminal: Terminal) -> None:
    """Wait for the run of the live view, and make it again while its numbers are not valid."""
    terminal.wait_for(f"{RUN}/report.html")

    def again(number: int) -> bool:
        if number:
            shutil.rmtree(terminal.folder / RUN)
            terminal.run(f"planrunner execute evening.yaml --out {RUN}")
        return _is_valid(terminal.folder / RUN)

    _until_valid(again)


def _is_valid(run: Path) -> bool:
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    return bool(metrics["validity"]["level"] == "valid")


def _photographed(browser: Browser, element: str) -> bytes:
    """Return what a window shows that is scrolled to an element, whose first details are open."""
    place = f"document.querySelector({json.dumps(element)})"
    browser.evaluate(f"{place}.parentElement.querySelector('details')?.setAttribute('open', '')")
    top = browser.evaluate(
        f"Math.max(0, {place}.getBoundingClientRect().top + scrollY - {_MARGIN})"
    )
    clip = {"x": 0, "y": top, "width": _WIDTH, "height": _HEIGHT, "scale": 1}
    taken = browser.call(
        "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
    )
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    make(FOLDER)
