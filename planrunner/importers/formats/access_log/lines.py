"""A line of an access log: Apache's common and combined formats, nginx's, or an object of JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Final

from planrunner.values import dataclass

__all__ = ["LogEntry", "read_line"]

_COMBINED: Final = re.compile(
    r"\S{1,999} \S{1,999} .{0,999}?\[(?P<time>[^\[\]]{1,99})\] "
    r'"(?P<verb>[A-Z]+) (?P<url>\S+)(?: HTTP/[\d.]+)?" (?P<status>\d{3})\b'
)
_URLS: Final = ("request_uri", "uri", "url", "path", "requestUri", "http_path", "RequestPath")
_VERBS: Final = (
    "request_method",
    "method",
    "verb",
    "http_method",
    "requestMethod",
    "RequestMethod",
)
_STATUSES: Final = ("status", "status_code", "response_code", "http_status", "DownstreamStatus")
_TIMES: Final = (
    *("time_iso8601", "timestamp", "@timestamp", "time", "ts", "time_local", "msec", "StartUTC"),
    "date",
)
_NESTED: Final = ("request", "http", "httpRequest", "response")
_MILLISECONDS: Final = 1e11
"""A number above is milliseconds since 1970, one below seconds."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request that a server answered.

    Attributes:
        url: As the client sent it, with its query.
        time_s: When, in seconds since 1970; None where the log doesn't say.
    """

    verb: str
    url: str
    status: int
    time_s: float | None


def read_line(line: str) -> LogEntry | None:
    """Return what a line says; None for a line that is no entry of a log."""
    found = _COMBINED.match(line)
    if found is not None:
        time_s = _time(found["time"])
        return LogEntry(found["verb"], found["url"], int(found["status"]), time_s)
    if line.lstrip().startswith("{"):
        return _json_line(line)
    return None


def _json_line(line: str) -> LogEntry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    nested = [value for name in _NESTED if isinstance(value := entry.get(name), dict)]
    fields = {key: value for one in (*nested, entry) for key, value in one.items()}
    verb, url = _first(fields, _VERBS), _first(fields, _URLS)
    if url is None and isinstance(
        request := fields.get("request"), str
    ):  # nginx's "GET / HTTP/1.1"
        verb, url = [*request.split(), "", ""][:2]
    status = str(_first(fields, _STATUSES) or "")
    if not verb or not isinstance(url, str) or not re.fullmatch(r"[1-5]\d\d", status):
        return None
    time = next((found for name in _TIMES if (found := _time(fields.get(name))) is not None), None)
    return LogEntry(str(verb).upper(), url, int(status), time)


def _first(fields: dict[str, object], names: tuple[str, ...]) -> object:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _time(value: object) -> float | None:
    """Return seconds since 1970; a time without a zone is UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if value > _MILLISECONDS else float(value)
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return _time(float(value))
    try:
        when = datetime.strptime(value, "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
