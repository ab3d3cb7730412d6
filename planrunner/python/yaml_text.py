"""Python values → the text of a plan, as a person would write it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import isfinite
from typing import Final

from planrunner.errors import UsageError
from planrunner.python.results.elapsed import Elapsed, nanoseconds
from planrunner.units import write_duration

__all__ = ["as_yaml"]

_BARE: Final = re.compile(
    r"[A-Za-z_/][A-Za-z0-9_/.-]*(?: [A-Za-z0-9_/.-]+)*|[0-9]+(?:\.[0-9]+)?(?:[mun]?s|/s|[mh]|%)"
)
"""Texts that need no quotes, unless they are one of these words."""

_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_DEPTH: Final = 60


def as_yaml(sections: Mapping[str, object]) -> str:
    """Return the text of a plan.

    Raises:
        UsageError: A value can't be part of a plan; the message begins with its path.
    """
    return "".join(f"{line}\n" for line in _block(sections, "", 0))


def _block(value: object, path: str, depth: int) -> Iterator[str]:
    """Yield the lines of a mapping or list that has something in it."""
    if depth > _DEPTH:
        raise UsageError(f"{path[:80]}: is nested too deeply", hint="is it part of itself?")
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else str(key)
            yield from _entry(f"{_scalar(key, inner)}:", item, inner, depth, indent="  ")
        return
    assert isinstance(value, Sequence)
    for index, item in enumerate(value):
        yield from _item(item, f"{path}[{index}]", depth)


def _entry(head: str, item: object, path: str, depth: int, *, indent: str) -> Iterator[str]:
    if _is_block(item):
        yield head
        for line in _block(item, path, depth + 1):
            yield f"{indent}{line}"
    else:
        yield f"{head} {_scalar(item, path)}"


def _item(item: object, path: str, depth: int) -> Iterator[str]:
    if not _is_block(item):
        yield f"- {_scalar(item, path)}"
        return
    lead = "- "
    for line in _block(item, path, depth + 1):
        yield f"{lead}{line}"
        lead = "  "


def _is_block(value: object) -> bool:
    return _is_collection(value) and bool(value)


def _is_collection(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
    )


def _scalar(value: object, path: str) -> str:
    if isinstance(value, Elapsed | timedelta):
        return write_duration(nanoseconds(value, path))
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        plain = _BARE.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return json.dumps(value)
    if _is_collection(value):
        return "{}" if isinstance(value, Mapping) else "[]"
    hint = "give what YAML has: mappings, lists, texts, numbers, booleans, None"
    raise UsageError(f"{path}: `{value!r:.80}` can't be part of a plan", hint=hint)
