"""What mends an entry: it moves, goes, or says the same in another form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.lsp.findings.entry_edits import (
    TextChange,
    TextEntry,
    flow_value,
    inserted,
    removed,
    value_text,
    wrapped,
)
from planrunner.lsp.findings.faulty_text import QUOTED, FaultyText, Mending, one_mending
from planrunner.lsp.findings.moved_entries import as_param, as_sentence

__all__ = [
    "added",
    "left_out",
    "put_into",
    "read_from_environment",
    "removed_key",
    "replaced_by",
    "sentence",
    "whole_entry",
]


def put_into(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Move an entry into the mapping beside it, which is made if there is none."""
    entry, home = text.entry, found[1]
    if entry is None or not isinstance(entry.key, str):
        return
    title = f"Put `{entry.key}` into `{home}`"
    target = entry.sibling(home)
    if target is None:
        yield from one_mending(title, wrapped(entry, home, entry.key), is_meant=True)
        return
    in_brackets = target.owner.source.text[target.value.start : target.value.start + 1] == "{"
    value = flow_value(entry.value) if in_brackets else value_text(entry.value)
    if value is not None:
        piece = inserted(target.value, entry.key, value)
        yield from one_mending(title, removed(entry), piece, is_meant=True)


def replaced_by(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write `expect: {contains: a}` in place of what another tool calls an assertion."""
    entry, home, inner, value = text.entry, *found.groups()
    if entry is None or not text.is_key:
        return
    target = entry.sibling(home)
    new = f"{home}: {{{inner}: {value}}}"
    if target is None:
        yield from one_mending(f"Replace by `{new}`", TextChange(entry.start, entry.stop, new))
    else:
        yield from one_mending(
            f"Replace by `{new}`", removed(entry), inserted(target.value, inner, value)
        )


def left_out(text: FaultyText, _found: re.Match[str]) -> Iterator[Mending]:
    """Remove an entry, or any other that it can't be beside."""
    entry = text.entry
    if text.fault.code is Code.FOREIGN_TAG:
        gap = re.compile(r" *").match(text.source.text, text.end)
        end = gap.end() if gap else text.end
        yield from one_mending("Remove the tag", TextChange(text.start, end, ""), is_meant=True)
    elif entry is not None and text.start in (entry.start, entry.value.start):
        named = (QUOTED.findall(text.fault.message) or [""])[:2]
        others = [entry.sibling(name) for name in named if name != entry.key]
        for one in (entry, *filter(None, others)):
            shown = value_text(one.value) if isinstance(one.key, int) else one.key
            yield from one_mending(f"Remove `{shown[:_SHOWN]}`", removed(one))


_SHOWN: Final = 40


def removed_key(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Remove the key that the hint names, from the mapping that the fault is in or is."""
    entry = text.entry
    named = entry.sibling(found[1]) if entry is not None else None
    if named is not None:
        yield from one_mending(f"Remove `{found[1]}`", removed(named))


def added(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Add a key to the innermost mapping that can have it."""
    entry = text.entry
    for new in QUOTED.findall(found[0]):
        key, _, value = new.partition(": ")
        home = entry
        while home is not None and not (isinstance(home.key, str) and text.may_have(home, key)):
            home = home.home
        if home is not None and home.sibling(key) is None:
            yield from one_mending(f"Add `{new}`", inserted(home.owner, key, value))


def whole_entry(
    title: str, make: Callable[[TextEntry], tuple[TextChange, ...]]
) -> Callable[[FaultyText, re.Match[str]], Iterator[Mending]]:
    """Return what mends a fault by another form of its entry."""

    def mend(text: FaultyText, _found: re.Match[str]) -> Iterator[Mending]:
        if text.entry is not None:
            yield from one_mending(title, *make(text.entry), is_meant=True)

    return mend


def sentence(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Write a threshold in place of a mapping that says the same."""
    entry = text.entry
    home = entry.home if entry is not None else None
    if home is not None and isinstance(home.key, int):
        piece = as_sentence(home.value, found[1], is_flow=home.is_flow)
        yield from one_mending(f"Replace by `{found[1]}`", piece)


def read_from_environment(text: FaultyText, found: re.Match[str]) -> Iterator[Mending]:
    """Declare a param with the value of an environment variable, and read it."""
    if text.root is not None:
        pieces = as_param(text.root, text.start, found[1], found[2])
        yield from one_mending(f"Read `{found[2]}` into the param `{found[1]}`", *pieces)
