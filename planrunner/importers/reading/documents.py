"""Files of YAML or JSON of which other tools read what they know: what all of them have alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from planrunner.importers.nodes import SourceEntry, SourceNode, parse_json, parse_yaml
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Construct, Ledger

__all__ = ["leave_out", "read_document", "suspect", "suspect_the_rest", "templated"]

_BEGUN: Final = -1
_MOST_VALUES: Final = 1_000_000
_MERGE: Final = "<<"
_TWICE: Final = "it stands twice, and only the last one counts"
_RENDER: Final = "render this template, and import the result"


def read_document(file: SourceFile, ledger: Ledger) -> SourceNode:
    """Read a file of YAML or JSON: merge keys are merged, keys that stand twice are suspicious.

    Raises:
        ImportFault: It is neither, or its aliases make it too large.
    """
    start = file.head.lstrip()[:2]
    is_json = file.suffix == ".json" or (start[:1] == b"{" and start not in (b"{%", b"{{"))
    root = parse_json(file, ledger) if is_json else parse_yaml(file, ledger)
    _measure(root, {})
    _settle(root)
    return root


def templated(node: SourceNode, at: Construct, text: Callable[[str, Construct], str]) -> object:
    """Return a value as a plan has it; every key below is translated.

    Args:
        node: The value.
        at: The key at which it stands.
        text: Returns a text with a plan's `${…}` for its templates; judges the key it stands at.
    """
    if node.entries is not None:
        found: dict[str, object] = {}
        for one in node.entries:
            one.construct.translated()
            key = text(one.key, one.construct)
            found[key] = templated(one.node, one.construct, text)
        return found
    if node.items is not None:
        return [templated(one, at, text) for one in node.items]
    return text(node.scalar, at) if isinstance(node.scalar, str) else node.scalar


def leave_out(entry: SourceEntry, instead: str) -> None:
    """Leave a key out with everything below it."""
    for one in (entry, *entry.node.below()):
        one.construct.left_out(instead)


def suspect(entry: SourceEntry, why: str) -> None:
    """Say that a key has no effect in the original; what is below it has none either, as here."""
    entry.construct.suspicious(why)
    entry.node.whole()


def suspect_the_rest(node: SourceNode, why: str) -> None:
    """Say so of all keys of a mapping that nothing has read, once for each."""
    for one in node.entries or []:
        if one.construct.fate is None:
            suspect(one, why)


def _measure(node: SourceNode, sizes: dict[int, int]) -> int:
    """Return how many values there are where every alias is written out.

    Raises:
        ImportFault: They are too many, or one contains itself.
    """
    known = sizes.get(id(node))
    if known is not None:
        if known == _BEGUN:
            raise ImportFault(node.place, "an alias that contains itself")
        return known
    sizes[id(node)] = _BEGUN
    below = [one.node for one in node.entries or []] + (node.items or [])
    size = 1 + sum(_measure(one, sizes) for one in below)
    if size > _MOST_VALUES:
        raise ImportFault(node.place, f"over {_MOST_VALUES:,} values with its aliases written out")
    sizes[id(node)] = size
    return size


def _settle(root: SourceNode) -> None:
    pending, seen = [root], set[int]()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.entries is not None:
            node.entries = _merged(node.entries)
            _judge_twice(node.entries)
            pending += [one.node for one in node.entries]
        pending += node.items or []


def _merged(entries: list[SourceEntry]) -> list[SourceEntry]:
    """Return entries with those of `<<`, which give way to a mapping's own."""
    if all(one.key != _MERGE for one in entries):
        return entries
    own = [one for one in entries if one.key != _MERGE]
    keys = {one.key for one in own}
    for one in entries:
        if one.key == _MERGE:
            one.construct.translated()
            for source in one.node.each():
                more = [below for below in _merged(source.entries or []) if below.key not in keys]
                own += more
                keys.update(below.key for below in more)
    return own


def _judge_twice(entries: Iterable[SourceEntry]) -> None:
    last: dict[str, SourceEntry] = {}
    for one in entries:
        if one.key == "?":
            for below in (one, *one.node.below()):
                below.construct.needs_you(_RENDER)
        if one.key in last:
            suspect(last[one.key], _TWICE)
        last[one.key] = one
