"""Commands that serve a page, and what a person does there; for tests and pictures."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.support.browser import Browser

__all__ = ["click", "enter", "page_of", "settle", "wait_for"]

_WAIT_S: Final = 30.0
_NETWORK_CHANGED: Final = "ERR_NETWORK_CHANGED"
_TRIES: Final = 5
"""What a browser was loading is given up whenever the machine gets, or loses, a network."""

_ADDRESS: Final = re.compile(r"http://\S+token=\S+\s")
_FRAME: Final = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def page_of(*command: str, folder: Path) -> Iterator[str]:
    """Run a command of planrunner in a terminal, yield the address that it prints, and end it."""
    ours, its = os.openpty()
    server = subprocess.Popen(
        [sys.executable, "-m", "planrunner", *command],
        cwd=folder,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "200", "TERM": "dumb"},
    )
    os.close(its)
    address: Future[str] = Future()
    reading = threading.Thread(target=_read, args=(ours, address))
    reading.start()
    try:
        yield address.result(_WAIT_S)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=_WAIT_S)
        reading.join()
        os.close(ours)


def _read(terminal: int, address: Future[str]) -> None:
    """Read what a command says until it has ended; it would wait for its reader."""
    said = ""
    with suppress(OSError):  # nobody has the other end any more
        while data := os.read(terminal, 1 << 16):
            said += data.decode(errors="replace")
            found = _ADDRESS.search(said)
            if found and not address.done():
                address.set_result(found[0].strip())
    if not address.done():
        address.set_exception(AssertionError(said))


def enter(browser: Browser, address: str) -> None:
    """Open the page by the address that the command prints, which leads to it."""
    for _ in range(_TRIES):
        browser.visit(address)
        browser.follow()
        if not any(_NETWORK_CHANGED in said for said in browser.console):
            break


def wait_for(browser: Browser, expression: str) -> Any:
    """Return what an expression comes to once it is true."""
    deadline = time.monotonic() + _WAIT_S
    while not (found := browser.evaluate(expression)):
        assert time.monotonic() < deadline, (expression, browser.console)
        browser.evaluate("new Promise((done) => setTimeout(done, 50))")
    return found


def click(browser: Browser, selector: str) -> None:
    """Click an element once it is there, and wait until what follows is drawn."""
    place = f"document.querySelector({json.dumps(selector)})"
    wait_for(browser, f"{place} !== null")
    browser.evaluate(f"{place}.click()")
    settle(browser)


def settle(browser: Browser) -> None:
    """Wait for the next two frames."""
    browser.evaluate(_FRAME)
