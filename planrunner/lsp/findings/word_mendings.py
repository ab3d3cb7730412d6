"""What mends a word, a value or its quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.lsp.findings.entry_edits import TextChange, TextEntry, value_text, wrapped
from planrunner.lsp.findings.faulty_text import QUOTED, FaultyText, Mending, one_mending, put
from planrunner.lsp.findings.moved_entries import as_sentence
from planrunner.plan.formatting.scalars import quoted

__all__ = [
    "closed",
    "in_its_place",
    "its_beginning",
    "its_kind",
    "one_of",
    "the_meant",
    "with_quotes",
    "with_spaces",
    "without_quotes",
]


def the_meant(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Replace the word that the message names by the one that was meant."""
    meant = found[1]
    for word in QUOTED.findall(text.fault.message):
        places = [
            (text.line_start + one.start(), text.line_start + one.end())
            for one in re.finditer(re.escape(word), text.line)
        ]
        here = [(a, b) for a, b in places if a < max(text.end, text.start + 1) and text.start < b]
        if len(here) == 1:
            mark = word[0] if word[0] in ":$" and meant[0] not in ":$" else ""
            piece = put(text, *here[0], f"{mark}{meant}")
            yield from one_mending(f"Replace by `{mark}{meant}`", piece, is_meant=True)
            return


def in_its_place(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write one of the things that the hint says."""
    words = QUOTED.findall(found[0])
    if len(words) > _MOST_UNITS and text.fault.code is Code.INVALID_UNIT:  # examples
        return
    for new in words:
        if not _PLACEHOLDER.search(new) or _LACKING.fullmatch(new):
            yield from one_mending(f"Replace by `{new}`", _in_place(text, new))


_MOST_UNITS: Final = 2
_PLACEHOLDER: Final = re.compile(
    r"…|\.\.\.|\b(?:NAME|SELECTOR|FUNCTION|FILE|EXPRESSION|DIR|list)\b"
)
_ENTRY: Final = re.compile(r"([a-z_]\w*): (\S.*)")
_LACKING: Final = re.compile(r"([a-z_]\w*): \{([a-z_]\w*): …\}")


def _in_place(text: FaultyText, new: str) -> TextChange | None:
    """Return where a hint such as `write X` is about, and X; None where that isn't certain."""
    entry = text.entry
    if entry is not None and (pair := _ENTRY.fullmatch(new)):
        return _as_entry(text, entry, pair[1], new)
    is_sentence = text.fault.code in _OF_SENTENCES and _COMPARES.search(new) is not None
    if is_sentence and entry is not None and isinstance(entry.value.data, str):
        return as_sentence(entry.value, new, is_flow=entry.is_flow)
    return _called(text, new) or _named(text, new) or _value(text, new) or _where_it_was(text, new)


def _named(text: FaultyText, new: str) -> TextChange | None:
    """Return the edit of the characters at fault, if the message names them."""
    message, written = text.fault.message, text.written.strip("\"'")
    if written and (f"`{written}`" in message or message.startswith(f"{written} ")):
        return put(text, text.start - _said_before(text, new), text.end, new)
    return None


def _value(text: FaultyText, new: str) -> TextChange | None:
    """Return the edit of the value at fault, if it is that as a whole."""
    entry = text.entry
    if entry is None or entry.value.items is not None:
        return None
    raw = value_text(entry.value)
    place = (entry.value.start, entry.value.start + len(raw))
    is_meant = text.is_key and f"`{entry.key}: {raw}`" in text.fault.message
    return TextChange(*place, new) if is_meant or (text.start, text.end) == place else None


_COMPARES: Final = re.compile(r"\S\s*(?:[<>]=?|==)\s*\S")
_OF_SENTENCES: Final = frozenset(
    {Code.THRESHOLD_SYNTAX, Code.UNKNOWN_SELECTOR, Code.INVALID_VALUE, Code.INVALID_UNIT}
)


def _said_before(text: FaultyText, new: str) -> int:
    """Return how much of the new text stands there already: `in phase ` of `in phase peak`."""
    before = text.source.text[text.line_start : text.start]
    ends = (end for end in range(len(new), 0, -1) if new[end - 1] == " ")
    return next((end for end in ends if before.endswith(new[:end])), 0)


def _called(text: FaultyText, new: str) -> TextChange | None:
    """Return the edit of a helper or filter of another language, with its arguments."""
    word = next(iter(QUOTED.findall(text.fault.message)), "")
    is_named = text.fault.code is Code.UNKNOWN_NAME and re.fullmatch(r"[\w.]+", word) is not None
    found = re.compile(rf"{re.escape(word)}(?P<call>\((?P<given>[^()]*)\))?").search(
        text.source.text, max(text.line_start, text.start - len(word)), text.end + len(word)
    )
    if not is_named or found is None or found.start() > text.start:
        return None
    found = re.compile(found.re.pattern).match(text.source.text, found.start()) or found
    if new.startswith("x | "):
        return put(text, *found.span(), f"{found['given']}{new[1:]}") if found["given"] else None
    stop = found.end() if "(" in new else found.start() + len(word)
    return put(text, found.start(), stop, new)


def _as_entry(text: FaultyText, entry: TextEntry, key: str, new: str) -> TextChange | None:
    """Return the edit that writes `key: value` in place of an entry, with the value it has."""
    if (entry.sibling(key) is not None and key != entry.key) or not text.may_have(entry, key):
        return None
    if lacking := _LACKING.fullmatch(new):
        return wrapped(entry, key, lacking[2])
    inner = re.match(r"[a-z_]\w*: \{([a-z_]\w*): ", new)
    if inner is not None and inner[1] == entry.key:
        return wrapped(entry, key, inner[1])
    is_scalar = entry.value.items is None and not re.search(r"[\[{]", new)
    if is_scalar and entry.key != key and entry.value.data is not None:
        return TextChange(entry.start, entry.end, key)
    return TextChange(entry.start, entry.stop, new)


def _where_it_was(text: FaultyText, new: str) -> TextChange | None:
    """Return the edit of what people write for a text, if the line has it once."""
    for pattern in _wrong_forms(new):
        found = list(re.finditer(pattern, text.line))
        if len(found) == 1:
            at = text.line_start
            return TextChange(at + found[0].start(), at + found[0].end(), new)
    return None


def _wrong_forms(new: str) -> Iterator[str]:
    """Yield what people write for a text: without its quotes, with `${}` or in other braces."""
    if new[:1] == '"' and (inner := new.rstrip(":").strip('"')):
        pieces = enumerate(re.split(r"\$\{(\w+)\}", inner))
        written = "".join(_braces(one) if at % 2 else re.escape(one) for at, one in pieces)
        yield rf"(?<![\"\w]){written}(?![\"\w])" + (":" if new.endswith(":") else "")
    elif new.startswith("${"):
        yield rf"\{{\{{\s*{re.escape(new[2:-1])}\s*\}}\}}"
    else:
        yield rf"\$\{{\s*{re.escape(new)}\s*\}}"


def _braces(name: str) -> str:
    """Return a pattern of a name in braces, whatever braces."""
    return rf"(?:\$\{{|\{{\{{)\s*{name}\s*\}}\}}?"


def its_beginning(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write a value with what it has to begin with."""
    new = QUOTED.findall(found[0])[-1]
    entry = text.entry
    if entry is not None and isinstance(entry.value.data, str) and not text.is_key:
        piece = as_sentence(entry.value, new, is_flow=entry.is_flow)
        yield from one_mending(f"Replace by `{new}`", piece)


def one_of(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write one of a few words that can stand there."""
    choices = QUOTED.findall(found["choices"])
    for new in choices if len(choices) <= _MOST_CHOICES else ():
        yield from one_mending(f"Replace by `{new}`", _value(text, new))


_MOST_CHOICES: Final = 6


def its_kind(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write a name of a threshold as what it is: `task:pay` in place of `user:pay`."""
    word, new = found[1], found[2]
    name = rf"[\"']?{re.escape(word)}[\"']?"
    heads = r"(?:of|in)\s+(?:(?:phase|stage|profile)\s+)?" if new[:3] in ("in ", "of ") else ""
    places = list(re.finditer(rf"{heads}(?:\w+:)?{name}", text.line))
    if len(places) == 1:
        at = text.line_start
        piece = put(text, at + places[0].start(), at + places[0].end(), new)
        yield from one_mending(f"Replace by `{new}`", piece)


# --- quotes and braces ------------------------------------------------------------------------


def closed(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Add what closes an expression, behind the name that it begins with."""
    name = re.compile(r"\$\{\s*[\w.]*(?:\s*\|\s*\w+)*").match(text.source.text, text.start)
    if found[1] == "}" and name is not None:
        yield from one_mending("Add `}`", TextChange(name.end(), name.end(), "}"), is_meant=True)


def with_quotes(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Quote a value that ends with its line, or that a comma has ended."""
    entry = text.entry
    if found[0].startswith("inside"):
        before = _before(entry) if entry is not None else None
        if before is not None and entry is not None:
            start, raw = before.value.start, text.source.text[before.value.start : entry.end]
            yield from one_mending(
                "Quote it", TextChange(start, entry.end, quoted(raw)), is_meant=True
            )
        return
    raw = re.sub(r"\s+#.*", "", text.line[text.start - text.line_start :]).rstrip()
    new = f"'{raw}'" if "'" not in raw else quoted(raw)
    yield from one_mending(
        "Quote it", TextChange(text.start, text.start + len(raw), new), is_meant=True
    )


def _before(entry: TextEntry) -> TextEntry | None:
    keys = list(entry.owner.items) if isinstance(entry.owner.items, dict) else []
    at = keys.index(str(entry.key)) if entry.key in keys else 0
    return entry.sibling(keys[at - 1]) if at else None


def without_quotes(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write a value as it is, in place of a text."""
    entry = text.entry
    if entry is None or entry.value.items is not None or text.is_key:
        return
    node = entry.value
    new = found["value"] or str(node.data)
    piece = TextChange(node.start, node.start + len(value_text(node)), new)
    yield from one_mending(f"Replace by `{new}`", piece, is_meant=True)


def with_spaces(text: FaultyText, _found: re.Match[str]) -> Iterator[Mending]:
    """Indent this line, and those around it that begin with a tab, with spaces."""
    whole, starts = text.source.text, text.source.line_starts
    first = last = text.source.line_of(text.start) - 1
    while first and whole.startswith("\t", starts[first - 1]):
        first -= 1
    while last + 1 < len(starts) and whole.startswith("\t", starts[last + 1]):
        last += 1
    pieces = []
    for start in starts[first : last + 1]:
        margin = re.compile(r"[ \t]*").match(whole, start)
        if margin is not None and "\t" in margin[0]:
            pieces.append(TextChange(*margin.span(), margin[0].replace("\t", "  ")))
    yield from one_mending("Indent with spaces", *pieces, is_meant=True)
