"""Values of replies that later requests send: tokens, ids, hidden fields of forms."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from planrunner.importers.draft import Keys
from planrunner.importers.formats.har.entries import RecordedEntry, parsed_json
from planrunner.importers.shaping.secrets import is_secret_name
from planrunner.importers.templates import identifier

__all__ = ["Candidate", "Correlator", "candidates_of"]

_MOST_IN_REPLY: Final = 3_000
_LONGEST: Final = 8_192
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?|\d\d?[./]\d\d?[./]\d{2,4}")
_TAG: Final = re.compile(r"<(?:input|meta)\b[^>]{1,2000}>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*")
_OF_ID: Final = re.compile(r"(?:^|[_-])(?:id|token|key|csrf|code)$|Id$|ID$")
_DULL_HEADERS: Final = re.compile(
    r"date|age|expires|last-modified|server|via|etag|set-cookie|vary|connection|location|link|alt-svc"
    r"|cache-control|pragma|nel|report-to|strict-transport-security|.*policy.*|content-.*|accept-.*"
    r"|access-control-.*|x-(?:powered|cache|served|timer|amz|runtime|frame|content|xss).*|cf-.*"
)
_WORTHLESS_KEYS: Final = frozenset({"id", "_id", "uuid", "guid", "key", "value", "name", "slug"})


@dataclass(frozen=True)
class Candidate:
    """A value of a reply that is unlikely to be there by chance.

    Attributes:
        value: As text.
        key: What the reply calls it.
        source: What `extract` says of it.
    """

    value: str
    key: str
    source: str | Keys


def candidates_of(entry: RecordedEntry) -> list[Candidate]:
    """Return the values of a reply that later requests may send."""
    found: list[Candidate] = []
    for one in _all_of(entry):
        found.append(one)
        if len(found) >= _MOST_IN_REPLY:
            break
    return found


def _all_of(entry: RecordedEntry) -> Iterator[Candidate]:
    for name, value in entry.reply_headers:
        if not _DULL_HEADERS.fullmatch(name) and _is_telling(value, name):
            yield Candidate(value, name, {"header": name})
    start = entry.body.lstrip()[:1]
    if start in ("{", "["):
        yield from _of_json(parsed_json(entry.body))
    elif "html" in entry.mime:
        yield from _of_html(entry.body)


def _of_json(document: object) -> Iterator[Candidate]:
    pending: list[tuple[object, str, str]] = [(document, "$", "")]
    while pending:
        one, path, key = pending.pop()
        if isinstance(one, dict):
            pending += [(below, path + _step(name), name) for name, below in reversed(one.items())]
        elif isinstance(one, list):
            pending += [(below, f"{path}[{at}]", key) for at, below in reversed([*enumerate(one)])]
        elif isinstance(one, str | int) and not isinstance(one, bool) and _is_telling(one, key):
            yield Candidate(str(one), key, path)


def _step(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return f".{name}"
    return f"['{name}']" if "'" not in name and "\\" not in name else f'["{name}"]'


def _of_html(text: str) -> Iterator[Candidate]:
    for tag in _TAG.finditer(text):
        found = {
            one[1].lower(): html.unescape(one[2] or one[3] or "")
            for one in _ATTRIBUTE.finditer(tag[0])
        }
        name = found.get("name", "")
        which = "content" if tag[0][1:5].lower() == "meta" else "value"
        value = found.get(which, "")
        if not name or "'" in name or '"' in name or not _is_telling(value, name):
            continue
        element = "meta" if which == "content" else "input"
        yield Candidate(value, name, {"css": f"{element}[name='{name}']::attr({which})"})


def _is_telling(value: object, key: str) -> bool:
    """Say whether a value is unlikely to stand in a request by chance."""
    if isinstance(value, int):
        return abs(value) >= (100 if _OF_ID.search(key) else 10_000)
    text = str(value)
    if not 6 <= len(text) <= _LONGEST or text.split(maxsplit=1) != [text]:
        return False
    if _DATE.fullmatch(text) or "://" in text or text.startswith("/"):
        return False
    digits = sum(map(str.isdigit, text))
    if digits == 0:
        return len(text) >= 20 and not text.islower() and "/" not in text
    return digits < len(text) or len(text) >= 8 or _OF_ID.search(key) is not None


@dataclass
class _Produced:
    entry: int
    candidate: Candidate
    name: str = ""


class Correlator:
    """Knows which values came from which reply.

    Attributes:
        extracts: What to extract from each entry's reply, by the entry's number.
    """

    def __init__(self) -> None:
        self.extracts: dict[int, Keys] = {}
        self._produced: dict[str, _Produced] = {}
        self._sent: set[str] = set()
        self._names: set[str] = set()
        self._used: set[int] = set()

    def begin(self) -> None:
        """Begin a request; `producers` counts from here."""
        self._used = set()

    @property
    def producers(self) -> set[int]:
        """The numbers of the entries whose values the request reads."""
        return self._used

    def sent(self, value: str, entries: list[RecordedEntry]) -> str | None:
        """Return the name of a value that a request sends, where a reply gave it before."""
        found = self._produced.get(value)
        if found is None:
            self._sent.add(value)
            return None
        if not found.name:
            found.name = self._name(found, entries[found.entry])
            source = found.candidate.source
            if is_secret_name(found.candidate.key):
                source = (
                    {**source, "secret": True}
                    if isinstance(source, dict)
                    else {
                        "jsonpath": source,
                        "secret": True,
                    }
                )
            self.extracts.setdefault(found.entry, {})[found.name] = source
        self._used.add(found.entry)
        return found.name

    def learn(self, number: int, candidates: list[Candidate]) -> None:
        """Keep the values of a reply that no request has sent before."""
        for one in candidates:
            if one.value not in self._sent:
                self._produced.setdefault(one.value, _Produced(number, one))

    def _name(self, found: _Produced, entry: RecordedEntry) -> str:
        key = found.candidate.key
        if key.lower() in _WORTHLESS_KEYS:
            words = [one for one in urlsplit(entry.url).path.split("/") if one.isalpha()]
            owner = words[-1] if words else ""
            key = f"{owner.removesuffix('s')}_{key.strip('_')}"
        name = identifier(key, self._names)
        self._names.add(name)
        return name
