"""What stands on the command lines of tools: beside an exported script, or of one request."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from planrunner.cross_check.one_request import CanNotSend, OneRequest
from planrunner.tools.contract import ToolJob
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["LINES", "CommandLine", "arguments_of"]

CommandLine = Callable[[OneRequest, str, Path], ToolJob]
"""Makes the job of a request: its program, and the folder that it may write to.

Raises `CanNotSend` where the tool has no words for it.
"""

_MOST_PER_SECOND: Final = 100_000
"""More than ab sends: it wants a number of requests beside a time."""


def _seconds(request: OneRequest) -> int:
    if request.lasting_ns % NS_PER_S:
        ms = request.lasting_ns // NS_PER_MS
        raise CanNotSend(f"it lasts whole seconds, and the plan {ms:,} ms")
    return request.lasting_ns // NS_PER_S


def _need_no_secret(request: OneRequest) -> None:
    if request.has_secret:
        raise CanNotSend("it takes headers and bodies on its command line, which others can read")


def _ab(request: OneRequest, program: str, folder: Path) -> ToolJob:
    _need_no_secret(request)
    words = ["-k"] if request.keeps_connections else []
    words += ["-c", str(request.users), "-l", "-q", "-r", "-s", str(request.timeout_s)]
    if request.iterations:
        words += ["-n", str(request.iterations)]
    else:
        seconds = _seconds(request)
        # -t sets -n, so the number comes behind it.
        words += ["-t", str(seconds), "-n", str(seconds * _MOST_PER_SECOND)]
    headers = dict(request.headers)
    if request.method in ("POST", "PUT"):
        kind = headers.pop("Content-Type", "application/octet-stream")
        option = "-p" if request.method == "POST" else "-u"
        words += [option, _body_file(request, folder), "-T", kind]
    elif request.body:
        raise CanNotSend(f"it sends no body with {request.method}")
    elif request.method == "HEAD":
        words += ["-i"]
    elif request.method != "GET":
        words += ["-m", request.method]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    return ToolJob(program, None, (*words, request.url), folder)


def _hey(request: OneRequest, program: str, folder: Path) -> ToolJob:
    _need_no_secret(request)
    words = ["-c", str(request.users), "-t", str(request.timeout_s), "-m", request.method]
    if request.iterations:
        if request.iterations % request.users:
            raise CanNotSend("each of its workers sends the same number of requests")
        words += ["-n", str(request.iterations)]
    else:
        words += ["-z", f"{request.lasting_ns // NS_PER_MS}ms"]
    if not request.keeps_connections:
        words += ["-disable-keepalive"]
    headers = dict(request.headers)
    words += ["-A", headers.pop("Accept"), "-disable-compression"]
    if "Content-Type" in headers:
        words += ["-T", headers.pop("Content-Type")]
    if request.body:
        words += ["-D", _body_file(request, folder)]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    return ToolJob(program, None, (*words, request.url), folder)


def _body_file(request: OneRequest, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "body"
    file.write_bytes(request.body)
    return str(file)


LINES: Final[Mapping[str, CommandLine]] = {"ab": _ab, "hey": _hey}
"""By tool."""

_FILE: Final = "FILE"
_FILE_OPTIONS: Final = ("-f", "-s", "-t")
"""What may stand before a script."""

_GIVEN: Final = ("--headless", "-n", "run")
_GIVEN_WITH_VALUE: Final = ("-l",)
"""Words of an exported command that a run of the tool has anyway."""


def arguments_of(tool: str, commands: Sequence[str]) -> tuple[str, ...]:
    """Return what stands on the command line of an exported script, beside the script.

    Args:
        tool: Its name.
        commands: How the script is run, as its exporter says.

    Raises:
        CanNotSend: It is more than one run of the tool.
    """
    if len(commands) != 1:
        raise CanNotSend(f"the plan is {len(commands)} runs of it, one after the other")
    words = shlex.split(commands[0])
    if words[:1] != [tool] or _FILE not in words or any("$" in word for word in words):
        raise CanNotSend(f"its test is run by `{commands[0]}`")
    place = words.index(_FILE)
    before = place - 1 if words[place - 1] in _FILE_OPTIONS else place
    found: list[str] = []
    rest = iter((*words[1:before], *words[place + 1 :]))
    for word in rest:
        if word in _GIVEN_WITH_VALUE:
            next(rest, None)
        elif word not in _GIVEN:
            found.append(word)
    return tuple(found)
