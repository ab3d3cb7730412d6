"""One entry of a recording: a request, its reply, and when it was sent."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from planrunner.loss.ledger import SourcePlace

__all__ = ["RecordedEntry", "count_keys", "parsed_json", "read_entry"]

_MOST_BODY: Final = 2_000_000
_FRACTION: Final = re.compile(r"\.(\d{1,6})\d*")


@dataclass
class RecordedEntry:
    """A request as it was recorded.

    Attributes:
        url: Without a fragment.
        headers: Of the request, as sent.
        status: Of the reply; 0 where none came, -1 where the recording has only requests.
        post: `postData` of the request.
        start: Seconds since 1970; None where the recording doesn't say.
        end: When the reply was there.
        kind: The resource type, where the recording says it: `xhr`, `document`, `image` …
        keys: How many keys the entry has.
        request_keys: How many of them say what is sent; the others only measure.
        cookies: Names of cookies that the reply sets.
    """

    place: SourcePlace
    method: str
    url: str
    headers: list[tuple[str, str]]
    post: dict[str, Any]
    status: int
    reply_headers: list[tuple[str, str]]
    mime: str
    body: str
    start: float | None
    end: float | None
    page: str
    kind: str
    keys: int
    request_keys: int
    comment: str
    cookies: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        """The host of the URL, in lower case; empty where there is none, or no port that is one."""
        try:
            url = urlsplit(self.url)
            return (url.hostname or "").lower() if (url.port or 1) > 0 else ""
        except ValueError:
            return ""

    @property
    def redirects_to(self) -> str:
        """Where the reply sends the client, as an absolute URL; empty if it doesn't."""
        if self.status not in (301, 302, 303, 307, 308):
            return ""
        location = next((value for name, value in self.reply_headers if name == "location"), "")
        try:
            return urljoin(self.url, location).partition("#")[0] if location else ""
        except ValueError:
            return ""


def count_keys(value: object) -> int:
    """Return how many keys a value has, deep inside too."""
    number, pending = 0, [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            number += len(one)
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return number


def read_entry(raw: object, place: SourcePlace) -> RecordedEntry | None:
    """Return an entry; None for what has no request with a URL."""
    entry = _mapping(raw)
    request, response = _mapping(entry.get("request")), _mapping(entry.get("response"))
    url = request.get("url")
    if not isinstance(url, str) or not url:
        return None
    content = _mapping(response.get("content"))
    start = _seconds(entry.get("startedDateTime"))
    took = entry.get("time")
    duration = took / 1000 if isinstance(took, int | float) and took > 0 else 0.0
    reply_headers = [(name.lower(), value) for name, value in _pairs(response.get("headers"))]
    return RecordedEntry(
        place=place,
        method=str(request.get("method") or "GET").upper(),
        url=url.partition("#")[0],
        headers=list(_pairs(request.get("headers"))),
        post=_mapping(request.get("postData")),
        status=_whole(response.get("status")) if response else -1,
        reply_headers=reply_headers,
        mime=str(content.get("mimeType") or "").partition(";")[0].strip().lower(),
        body=_body(content),
        start=start,
        end=start + duration if start is not None else None,
        page=str(entry.get("pageref") or ""),
        kind=str(entry.get("_resourceType") or entry.get("_type") or "").lower(),
        keys=count_keys(raw),
        request_keys=1 + count_keys(request),
        comment=str(entry.get("comment") or ""),
        cookies={
            value.partition("=")[0].strip() for name, value in reply_headers if name == "set-cookie"
        },
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int:
    try:
        return int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, list) else []:
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one["name"], "" if one.get("value") is None else str(one["value"])


def _seconds(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    text = _FRACTION.sub(lambda found: f".{found[1]:<06}".replace(" ", "0"), value, count=1)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _body(content: dict[str, Any]) -> str:
    """Return the text of a reply; empty for long ones and for what is no text."""
    text = content.get("text")
    if not isinstance(text, str) or len(text) > _MOST_BODY:
        return ""
    if content.get("encoding") != "base64":
        return text
    try:
        return base64.b64decode(text, validate=False).decode()
    except (binascii.Error, ValueError):
        return ""


def parsed_json(text: str) -> object:
    """Return the value of a JSON text; None where it isn't any."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
