"""Sending through a process of its own, which has its time and no more."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from planrunner.language.secrets import Masker
from planrunner.report.notification import Message
from planrunner.spawn import command_of, spawn
from planrunner.values import dataclass

__all__ = ["UrlFault", "look_at", "send"]

_MOST_S: Final = 15.0
"""What one service may take: connecting, and a report of a few MB over a slow line."""

_LOOK_S: Final = 15.0
"""What looking at URLs may take, on a machine that is busy: it is half a second elsewhere."""

_MODULE: Final = "planrunner.runner.notify.child"
_PARTS: Final = re.compile(r"[/?&=:@,;#]+")
_SHORTEST_PART: Final = 4


@dataclass(frozen=True, slots=True)
class UrlFault:
    """What is wrong with a URL, or with sending to it.

    Attributes:
        kind: `unknown`: no service has its scheme; `url`: it is none of its service's; `local`: it
            is of this machine; `send`: it was not delivered.
        words: What the service's plugin says, without the URL; may be empty.
    """

    kind: str
    words: str


def look_at(urls: Sequence[str], *, confined: bool) -> list[UrlFault | None]:
    """Return what is wrong with each URL; nothing is sent.

    Args:
        urls: At least one.
        confined: The plan is a stranger's: services of this machine are refused.
    """
    try:
        done = subprocess.run(
            command_of(_MODULE),
            input=_job(urls, None, confined=confined),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LOOK_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return [None] * len(urls)  # sending says what is wrong
    return _answers(done.stdout, urls)


async def send(
    url: str, message: Message, attach: Sequence[Path], *, confined: bool
) -> UrlFault | None:
    """Send a message, and return why it was not delivered; takes 15 s at most."""
    job = {"attach": [str(path.absolute()) for path in attach], **asdict(message)}
    given = _job([url], job, confined=confined)
    try:
        # Ctrl-C is for whoever waits for it.
        child = await spawn(
            *command_of(_MODULE),
            stdin=PIPE,
            stdout=PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return UrlFault("send", f"can't start a process: {error.strerror}")
    try:
        async with asyncio.timeout(_MOST_S):
            said, _ = await child.communicate(given)
    except TimeoutError:
        return UrlFault("send", f"no answer within {_MOST_S:.0f} s")
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    [fault] = _answers(said, [url])
    return fault


def _job(urls: Sequence[str], message: object, *, confined: bool) -> bytes:
    return json.dumps({"urls": urls, "message": message, "confined": confined}).encode()


def _answers(said: bytes, urls: Sequence[str]) -> list[UrlFault | None]:
    mask = Masker(part for url in urls for part in (url, *_secret_parts(url)))
    try:
        found = json.loads(said)
    except ValueError:
        return [UrlFault("send", "the process that sends it has failed")] * len(urls)
    return [one and UrlFault(one["kind"], mask(one["words"])) for one in found]


def _secret_parts(url: str) -> Iterator[str]:
    """Yield what may stand in a sentence of a plugin: of some URLs, the host is a token too."""
    parts = urlsplit(url)
    is_host = "." in (parts.hostname or "") or parts.hostname == "localhost"
    behind = url.partition("://")[2]
    for part in _PARTS.split(behind.replace(parts.hostname or "", "", 1) if is_host else behind):
        if len(part) >= _SHORTEST_PART:
            yield part
