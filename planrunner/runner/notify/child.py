"""The process that sends notifications: a job on its standard input, its answer as the output.

It is a process of its own so that a service that hangs can be ended, so that what plugins print or
log goes nowhere but into the answer, and so that a plan from a stranger can be kept from reaching
anything but the network: see `_confine`. It imports nothing of planrunner.
"""

from __future__ import annotations

import json
import logging
import mimetypes
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

__all__ = ["main"]

_WEBHOOKS: Final = {"http": "json", "https": "jsons"}
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STARTS: Final = (
    "ctypes.dlopen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
    "syslog.openlog",
    "syslog.syslog",
)
"""Audit events of what begins something on this machine."""


def main() -> int:
    """Do the job; the answer has a fault for each URL, null where all is well."""
    answer_to = os.dup(1)
    os.dup2(2, 1)  # what plugins print is no answer
    job = json.load(sys.stdin)
    service = _Service(job["message"], confined=job["confined"])
    answers = [service.answer(url) for url in job["urls"]]
    with os.fdopen(answer_to, "w", encoding="utf-8") as out:
        json.dump(answers, out)
    return 0


class _Service:
    """What speaks to services.

    Args:
        message: What to send; None only to look at the URLs.
        confined: Nothing but the network may be reached.
    """

    def __init__(self, message: Mapping[str, Any] | None, *, confined: bool) -> None:
        self._apprise: Any = import_module("apprise")  # an extra
        self._plugins: Any = import_module("apprise.manager_plugins").NotificationManager()
        self._message = message
        self._confined = confined
        self._asset: Any = self._apprise.AppriseAsset(storage_mode="memory", secure_logging=True)
        self._asset.app_id = self._asset.app_desc = "planrunner"
        self._asset.image_url_mask = ""  # apprise's pictures are files on the web
        self._log = _KeptLog()
        log = logging.getLogger("apprise")
        log.addHandler(self._log)
        log.propagate = False
        if confined:
            list(self._plugins.plugins())  # while modules may still be read
            _confine([] if message is None else message["attach"])

    def answer(self, url: str) -> dict[str, str] | None:
        """Return what is wrong with a URL, or with sending to it."""
        self._log.words.clear()
        try:
            found = self._opened(url)
            if isinstance(found, dict) or self._message is None:
                return found if isinstance(found, dict) else None
            return None if self._sent(found) else self._fault("send")
        except Exception as error:  # noqa: BLE001 - plugins are many, and so are their faults
            self._log.words.append(f"{type(error).__name__}: {error}")
            return self._fault("send")

    def _fault(self, kind: str) -> dict[str, str]:
        words = "; ".join(dict.fromkeys(filter(None, self._log.words)))
        return {"kind": kind, "words": " ".join(words.split())}

    def _opened(self, url: str) -> Any:  # noqa: ANN401 - a plugin, or the fault
        """Return the plugin of a URL that speaks to its service, or what is wrong."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in _WEBHOOKS and scheme not in self._plugins:
            return self._fault("unknown")
        if self._confined and scheme in self._plugins and _is_local(self._plugins[scheme]):
            return self._fault("local")
        found = self._apprise.Apprise.instantiate(url, asset=self._asset)
        if found is None and scheme in _WEBHOOKS:  # none of those that apprise knows by its host
            self._log.words.clear()
            found = self._apprise.Apprise.instantiate(_as_webhook(url), asset=self._asset)
        return self._fault("url") if found is None else found

    def _sent(self, plugin: Any) -> bool:  # noqa: ANN401 - apprise has few types
        message = self._message
        assert message is not None
        sender = self._apprise.Apprise(asset=self._asset)
        sender.add(plugin)
        return bool(
            sender.notify(
                title=message["title"],
                body=message["body"],
                notify_type=message["kind"],
                body_format="text",
                attach=message["attach"] or None,
            )
        )


class _KeptLog(logging.Handler):
    """Keeps what apprise logs of a service.

    Attributes:
        words: Warnings and errors.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage().strip())


def _is_local(plugin: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a service is this machine: its URL need not have more than a scheme."""
    return any(template.rstrip("/") == "{schema}:" for template in plugin.templates)


def _as_webhook(url: str) -> str:
    """Return a web address as apprise's JSON service has it, where a dash marks its own query."""
    parts = urlsplit(url)
    query = "&".join(
        f"-{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    scheme = _WEBHOOKS[parts.scheme.lower()]
    return urlunsplit((scheme, parts.netloc, parts.path, query, ""))


def _confine(attached: Sequence[str]) -> None:
    """Let nothing be started or reached but the network, and no file be read but Python's own.

    A URL may name a file to read, such as a template or a key, and new services may do anything:
    what they ask the system for is looked at, rather than what they are called.

    Args:
        attached: Files that may be read all the same.
    """
    known = [*mimetypes.knownfiles, "/usr/share/zoneinfo", os.devnull]
    readable = [
        Path(os.path.realpath(path)) for path in (*filter(None, sys.path), *attached, *known)
    ]

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS:
            raise PermissionError("with --no-exec, a notification can't start anything")
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = Path(os.path.realpath(os.fsdecode(arguments[0])))
            writes = isinstance(arguments[2], int) and arguments[2] & _WRITES
            if writes or not any(path.is_relative_to(root) for root in readable):
                raise PermissionError("with --no-exec, a notification can't use files")
        if event == "socket.connect" and isinstance(arguments[1], str | bytes):
            raise PermissionError(
                "with --no-exec, a notification can't use this machine's services"
            )

    sys.addaudithook(look)
