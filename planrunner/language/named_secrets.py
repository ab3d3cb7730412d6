"""Secrets that nobody declared: what stands under a name such as `token` or `password`.

What a server answers can't be known to be secret, but names say so. This covers the values of
such names in text that people read: headers, JSON, forms, XML and HTML, whole or cut off. It reads
each text once, whatever a server sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.language.secrets import MASK
from planrunner.late_pattern import late_pattern

__all__ = ["cover_field", "cover_message", "cover_named", "is_secret_name"]

# How many tokens a language model has read or written is no secret.
_TOKEN: Final = (
    r"token(?!s)|(?<!completion_)(?<!prompt_)(?<!total_)(?<!max_)(?<!input_)(?<!output_)tokens"
)
_WORDS: Final = rf"{_TOKEN}|passw(?:or)?d|secret|api[-_ ]?key|authorization|session|cookie"
_NAMED: Final = late_pattern(_WORDS, re.IGNORECASE)
_COOKIE: Final = late_pattern(r"([^=;,\s]+)=([^;]*)")

_LONGEST_NAME: Final = 100
"""Letters around the word; a longer run of letters is no name but data."""

_PART_OF_NAME: Final = late_pattern(r"[\w.\-\[\]%$@*]")
_MEMBER: Final = late_pattern(r"""\\*["']\s{0,20}:\s{0,20}""")
_ASSIGNED: Final = late_pattern(r"\s{0,5}=\s{0,5}")
_FIELD: Final = late_pattern(r":[ \t]{0,20}")
_LINE: Final = late_pattern(r"[^\r\n\\\"]+")
_SAID: Final = late_pattern(r"` is ")
_TAG_END: Final = late_pattern(r"(?:\s[^<>]{0,500})?>")
_LINE_END: Final = late_pattern(r"\r?\n")
_PART_HEAD: Final = late_pattern(r"[^\r\n]{0,200}(?:\r?\n[^\r\n]{1,200}){0,10}\r?\n\r?\n")
_PART_BEHIND: Final = late_pattern(r"\r?\n--")
_NAMING: Final = late_pattern(r"\bname\s?=\s?[\"']?$", re.IGNORECASE)
_INPUT: Final = late_pattern(r"<(?:input|meta|button|param)\s[^<>]{0,2000}>?", re.IGNORECASE)
_INPUT_NAME: Final = late_pattern(rf"\bname\s?=\s?[\"']?[^\"'\s>]*?(?:{_WORDS})", re.IGNORECASE)
_INPUT_VALUE: Final = late_pattern(
    r"(\b(?:value|content)\s?=\s?)(\"[^\"]*\"?|'[^']*'?|[^\s>\"']+)", re.IGNORECASE
)
_SCALAR: Final = late_pattern(r"[^\s,;}\]&<>]+")
_FORM_VALUE: Final = late_pattern(r"[^\s&;\"'<>`]+")
_KNOWN_SCALARS: Final = frozenset({"true", "false", "null", "none", MASK})
_BRACKETS: Final = late_pattern(r"""["{}\[\]]""")


def is_secret_name(name: str) -> bool:
    """Say whether what has this name is likely a secret."""
    return _NAMED.search(name) is not None


def cover_field(name: str, value: str) -> str:
    """Return the value of a header as people may see it: its scheme or its cookies' names stay."""
    lower = name.lower()
    if lower == "cookie":
        return _COOKIE.sub(rf"\1={MASK}", value)
    if lower == "set-cookie":
        return _COOKIE.sub(rf"\1={MASK}", value, count=1)
    if not is_secret_name(name):
        return cover_named(value)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and lower.endswith("authorization") else MASK


def cover_message(text: str) -> str:
    """Return a request or reply as text, head and body, as people may see it."""
    head, gap, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    covered = "\n".join([cover_named(first), *map(_cover_line, lines)])
    return f"{covered}{gap}{cover_named(body)}"


def _cover_line(line: str) -> str:
    name, colon, value = line.partition(":")
    if not colon:
        return cover_named(line)
    value = value.strip()
    return f"{name}: {cover_field(name.strip(), value)}" if value else line


def cover_named(text: str) -> str:
    """Return a text in which the values of such names are masked, in whatever notation."""
    if _NAMED.search(text) is None:
        return text
    text = _INPUT.sub(lambda found: _cover_input(found[0]), text)
    pieces, done = [], 0
    for begin, end in _places(text):
        if begin >= done:
            pieces += [text[done:begin], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _cover_input(tag: str) -> str:
    if _INPUT_NAME.search(tag) is None:
        return tag
    return _INPUT_VALUE.sub(rf'\1"{MASK}"', tag)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield where values stand, in the order of their names."""
    done = 0
    for found in _NAMED.finditer(text):
        if found.start() < done:
            continue
        begin, end = _name_around(text, found.start(), found.end())
        done = end
        place = _value_of(text, begin, end)
        if place is not None and text[slice(*place)].lower() not in _KNOWN_SCALARS:
            done = place[1]
            yield place


def _name_around(text: str, begin: int, end: int) -> tuple[int, int]:
    least, most = max(0, begin - _LONGEST_NAME), end + _LONGEST_NAME
    while begin > least and _PART_OF_NAME.match(text, begin - 1):
        begin -= 1
    while end < most and _PART_OF_NAME.match(text, end):
        end += 1
    return begin, end


def _value_of(text: str, begin: int, end: int) -> tuple[int, int] | None:
    """Return where the value of the name at `begin` to `end` stands; None when it has none."""
    if (found := _MEMBER.match(text, end)) or (found := _SAID.match(text, end)):
        return _json_value(text, found.end())
    if found := _ASSIGNED.match(text, end):
        at = found.end()
        return (
            _quoted(text, at) if text[at : at + 1] in ('"', "'") else _match(_FORM_VALUE, text, at)
        )
    if (found := _FIELD.match(text, end)) and _begins_line(text, begin):
        return _match(_LINE, text, found.end())
    if text[begin - 1 : begin] == "<" and (found := _TAG_END.match(text, end)):
        return _until(text, found.end(), "<")
    if _NAMING.search(text[max(0, begin - 10) : begin]) and (found := _PART_HEAD.match(text, end)):
        behind = _PART_BEHIND.search(text, found.end())
        return found.end(), len(text) if behind is None else behind.start()
    return None


def _begins_line(text: str, at: int) -> bool:
    """Say whether a line begins here; an `n` may be what JSON writes for the end of the last."""
    return at == 0 or text[at - 1] == "\n" or text[at - 1 : at + 1] == "\\n"


def _match(pattern: re.Pattern[str], text: str, at: int) -> tuple[int, int] | None:
    found = pattern.match(text, at)
    return None if found is None else found.span()


def _until(text: str, at: int, end: str) -> tuple[int, int]:
    found = text.find(end, at)
    return at, len(text) if found < 0 else found


def _json_value(text: str, at: int) -> tuple[int, int] | None:
    first = text[at : at + 1]
    if first in ('"', "'", "\\"):
        return _quoted(text, at)
    if first in ("{", "["):
        return at, _end_of_brackets(text, at)
    return _match(_SCALAR, text, at)


def _quoted(text: str, at: int) -> tuple[int, int]:
    """Return what stands between quotes; they may be escaped, as in JSON inside JSON."""
    begin = at
    while text[begin : begin + 1] == "\\":
        begin += 1
    quote = text[at : begin + 1]
    begin += 1
    return begin, _end_of_text(text, begin, quote)


def _end_of_text(text: str, begin: int, quote: str) -> int:
    at = text.find(quote, begin)
    while at > begin and text[at - 1] == "\\" and _is_escaped(text, at):
        at = text.find(quote, at + 1)
    return len(text) if at < 0 else at


def _is_escaped(text: str, at: int) -> bool:
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _end_of_brackets(text: str, at: int) -> int:
    """Return the end of a JSON list or object; that of the text when it is cut off."""
    depth = 0
    while found := _BRACKETS.search(text, at):
        at = found.end()
        if found[0] == '"':
            at = _end_of_text(text, at, '"') + 1
        else:
            depth += 1 if found[0] in "{[" else -1
            if depth == 0:
                return at
    return len(text)
