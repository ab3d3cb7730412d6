"""Given to Locust beside the user's file: writes each request down, as a line of JSON.

It runs in Locust's interpreter, with nothing of planrunner's. Several processes of one run append
to the same file, whole lines at a time. A line is a list: of a request `[start, milliseconds, type,
name, status, length, error]`, of what is known of the run `["users", N]` and `["code", N]`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import gevent
from locust import events

__all__: list[str] = []

_PAUSE_S = 0.2
_FILE = os.open(os.environ["PLANRUNNER_SAMPLES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_lines: list[str] = []


def _write() -> None:
    taken = _lines[:]
    del _lines[: len(taken)]
    if taken:
        os.write(_FILE, "".join(taken).encode())


def _note(*facts: object) -> None:
    _lines.append(json.dumps(facts, default=str) + "\n")


@events.request.add_listener
def _request(  # noqa: PLR0913, PLR0917 - as Locust calls it
    request_type: str,
    name: str,
    response_time: float | None,
    response_length: int | None,
    exception: BaseException | None,
    response: object = None,
    start_time: float | None = None,
    **_: object,
) -> None:
    status = getattr(response, "status_code", 0) or 0
    kind = type(exception).__name__ if exception else ""
    failed = f"{kind}: {exception}" if exception else ""
    _note(start_time, response_time, request_type, name, status, response_length or 0, failed)


@events.init.add_listener
def _init(environment: Any, **_: object) -> None:  # noqa: ANN401 - Locust's own
    def keep_writing() -> None:
        while True:
            runner = environment.runner
            if runner is not None:
                _note("users", runner.user_count)
            _write()
            gevent.sleep(_PAUSE_S)

    gevent.spawn(keep_writing)


@events.quit.add_listener
def _quit(exit_code: int, **_: object) -> None:
    _note("code", exit_code)
    _write()
