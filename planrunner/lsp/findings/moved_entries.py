"""Other forms of an entry: a verb as its key, one level up, a param in place of a name."""

from __future__ import annotations

import re
from typing import Final

from planrunner.language.fields.key_hints import as_spelt_here
from planrunner.lsp.findings.entry_edits import (
    TextChange,
    TextEntry,
    entry_at,
    flow_value,
    inserted,
    removed,
    value_text,
)
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.requests import VERBS
from planrunner.plan.yaml.nodes import YamlNode

__all__ = [
    "as_default",
    "as_param",
    "as_range",
    "as_sentence",
    "as_verb",
    "flattened",
    "outdented",
    "without_dashes",
]

_NEEDS_QUOTES: Final = re.compile(r"^[\s\"'\[\]{}&*!|>%@`#,?-]|: |:$| #|\s$")


def as_sentence(node: YamlNode, new: str, *, is_flow: bool) -> TextChange:
    """Return the edit that writes a sentence in place of a value, with quotes where needed."""
    raw = value_text(node)
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    if quote and quote not in new:
        new = f"{quote}{new}{quote}"
    elif _NEEDS_QUOTES.search(new) or (is_flow and re.search(r"[,\[\]{}]", new)):
        new = "'" + new.replace("'", "''") + "'"
    return TextChange(node.start, node.start + len(raw), new)


def as_verb(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes `method: GET, url: /` a step `get: /`."""
    method, url = entry.sibling("method"), entry.sibling("url")
    if method is not None and url is not None:
        verb = str(method.value.data).lower()
        if verb in VERBS:
            return removed(method), TextChange(url.start, url.end, verb)
    elif isinstance(entry.key, str) and entry.key != "method":
        last = entry.key.rpartition(".")[2].lower()
        return (TextChange(entry.start, entry.end, last if last in VERBS else "get"),)
    return ()


def as_range(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes `min_wait: 1s, max_wait: 5s` one `wait: 1s..5s`."""
    least, most = entry.sibling("min_wait"), entry.sibling("max_wait")
    found = [one for one in (least, most) if one is not None]
    values = [value_text(one.value) for one in found]
    if not found or any(one.value.items is not None for one in found):
        return ()
    kept = TextChange(found[0].start, found[0].stop, f"wait: {'..'.join(values)}")
    return (kept, *map(removed, found[1:]))


def as_default(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes `size: 3` below `params` a param with this value."""
    value = flow_value(entry.value)
    kind = _KINDS.get(type(entry.value.data))
    if kind is None or value is None or entry.path[:-1] != ("params",):
        return ()
    written = f"{{type: {kind}, default: {value}}}"
    return (TextChange(entry.value.start, entry.stop, written),)


_KINDS: Final = {int: "int", float: "float", bool: "bool", str: "str"}


def as_phase(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes `vus: 10` and `run_time: 1m` at the first level a phase."""
    items = entry.owner.items
    if not isinstance(items, dict) or {"phases", "stages", "profiles"} & items.keys():
        return ()
    words = {**PhaseModel.synonyms, **{key: key for key in _OF_LOAD}}
    found = {
        meant: one
        for key in items
        if (meant := as_spelt_here(words, key)) in _OF_LOAD
        and (one := entry.sibling(key)) is not None
        and one.value.items is None
    }
    if not {"users", "rate"} & found.keys() or entry not in found.values():
        return ()
    phase = ", ".join(f"{key}: {flow_value(one.value)}" for key, one in found.items())
    first, *others = sorted(found.values(), key=lambda one: one.start)
    written = TextChange(first.start, first.stop, f"phases:\n  - {{{phase}}}")
    return (written, *map(removed, others))


_OF_LOAD: Final = ("users", "rate", "ramp_up", "spawn_rate", "hold", "iterations")


def flattened(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes `etcd: {put: {…}}` a step `etcd.put: {…}`."""
    items = entry.value.items
    if not isinstance(items, dict) or len(items) != 1:
        return ()
    action, (_, _, inner) = next(iter(items.items()))
    text, written = entry.owner.source.text, value_text(inner)
    head = f"{entry.key}.{action}:"
    if "\n" not in written:
        return (TextChange(entry.start, entry.stop, f"{head} {written}"),)
    if text[entry.value.start : entry.value.start + 1] == "{":
        return ()
    column = inner.start - entry.owner.source.line_start(inner.start)
    margin = " " * max(column - entry.column - 2, 0)
    lines = written.replace(f"\n{margin}", "\n")
    below = " " * (entry.column + 2)
    return (TextChange(entry.start, entry.stop, f"{head}\n{below}{lines}"),)


def outdented(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what moves an entry to the end of the first level."""
    text = entry.owner.source.text
    if entry.is_flow:
        return ()
    margin = " " * entry.column
    block = text[entry.start : entry.stop].replace(f"\n{margin}", "\n")
    end = len(text.rstrip())
    gone = removed(entry)
    if gone.end >= end:  # it is the last one already
        return (TextChange(gone.start, end, block),)
    return gone, TextChange(end, end, f"\n{block}")


def without_dashes(entry: TextEntry) -> tuple[TextChange, ...]:
    """Return what makes a list of mappings with one key each one mapping."""
    items, text = entry.value.items, entry.owner.source.text
    if not isinstance(items, list) or text[entry.value.start] == "[":
        return ()
    keys = [key for one in items if isinstance(one.items, dict) for key in one.items]
    if len(keys) != len(items) or len(set(keys)) != len(keys):
        return ()
    dashes = [text.rindex("-", 0, one.start) for one in items]
    return tuple(TextChange(dash, dash + 1, " ") for dash in dashes)


def as_param(root: YamlNode, offset: int, name: str, variable: str) -> tuple[TextChange, ...]:
    """Return what declares a param and reads it in the expression around an offset."""
    text = root.source.text
    start = text.rfind("${", 0, offset + 2)
    end = text.find("}", offset)
    entry = entry_at(root, offset)
    is_inside = entry is not None and entry.value.start <= start < end <= entry.stop
    if not is_inside or not isinstance(root.items, dict) or "\n" in text[start:end]:
        return ()
    read = TextChange(start + 2, end, name)
    declared = f"{{type: str, env: {variable}}}"
    params = root.items.get("params")
    if params is None:
        first = min((one[0] for key, one in root.items.items() if key != "name"), default=0)
        return read, TextChange(first, first, f"params:\n  {name}: {declared}\n")
    added = inserted(params[2], name, declared)
    if added is None or name in (params[2].items or ()):
        return (read,) if added is not None else ()
    return read, added
