"""Headless Chromium, driven over the pipe of its DevTools protocol: no package, no port."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["CHROMIUM", "Browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
]
_PATIENCE_S = 60.0
_MAIN_THREAD = "CrRendererMain"
_DRAWN = """new Promise((done) => {
  const look = () => document.documentElement.dataset.charts ? done() : setTimeout(look, 5);
  look();
})"""


class Browser:
    """One page of a browser.

    Attributes:
        console: What pages said there, errors included and recommendations left out, since the
            page was opened.
        requests: The addresses that it asked for, its own file left out.
    """

    def __init__(self, folder: Path) -> None:
        commands, self._commands = _pipe()
        self._replies, replies = _pipe()
        self._pid = os.posix_spawn(
            CHROMIUM,
            [CHROMIUM, *_OPTIONS, f"--user-data-dir={folder / 'profile'}"],
            {**os.environ, "HOME": str(folder)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, commands, 3),
                (os.POSIX_SPAWN_DUP2, replies, 4),
            ],
        )
        os.close(commands)
        os.close(replies)
        self._rest, self._number, self._session = b"", 0, ""
        self._loads = 0
        self._trace: list[dict[str, Any]] = []
        self.console: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, page: Path) -> None:
        """Open a report and wait until its charts are drawn."""
        self.visit(page.as_uri())
        self.evaluate(_DRAWN)

    def visit(self, address: str) -> None:
        """Open a page and wait until it is loaded."""
        self.console, self.requests, self._loads = [], [], 0
        self.call("Page.navigate", url=address)
        while not self._loads:
            self._event(self._message())
        with suppress(ValueError):  # nothing is asked for an empty page
            self.requests.remove(address.partition("#")[0])

    def follow(self) -> None:
        """Wait until the page is loaded that the visited one goes on to."""
        while self._loads < 2:
            self._event(self._message())

    def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression comes to; of a promise, what it is kept with."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @contextmanager
    def tasks(self) -> Iterator[list[float]]:
        """Yield a list; after the block it has the processor time of each task of pages, in ms.

        That is what other processes lengthen least.
        """
        found: list[float] = []
        self._trace = []
        self.call("Tracing.start", transferMode="ReportEvents", categories="toplevel")
        yield found
        self.call("Tracing.end")
        while self._trace[-1:] != [{}]:
            self._event(self._message())
        names = [one for one in self._trace if one.get("name") == "thread_name"]
        main = {(one["pid"], one["tid"]) for one in names if one["args"]["name"] == _MAIN_THREAD}
        found += [
            one["tdur"] / 1000
            for one in self._trace
            if "tdur" in one
            and one["name"].endswith("RunTask")
            and (one["pid"], one["tid"]) in main
        ]

    def resize(self, width: int, *, height: int = 900) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def call(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._event(message)

    def close(self) -> None:
        os.close(self._commands)  # that ends it
        deadline = time.monotonic() + 10
        while not os.waitpid(self._pid, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
            time.sleep(0.02)
        os.close(self._replies)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._replies], [], [], _PATIENCE_S)
            data = os.read(self._replies, 1 << 20) if ready else b""
            assert data, "the browser ended, or hangs"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _event(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Tracing.dataCollected":
                self._trace += message["params"]["value"]
            case "Tracing.tracingComplete":
                self._trace.append({})
            case "Log.entryAdded" if message["params"]["entry"]["source"] == "recommendation":
                pass
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.console.append(json.dumps(message["params"]))
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends are not the 3 and 4 that the browser wants."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
