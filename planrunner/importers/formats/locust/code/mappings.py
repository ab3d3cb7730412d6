"""Mappings whose keys the code says: headers, queries and bodies that are put together."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames

__all__ = ["KnownMapping", "know_attributes", "known_keys", "source_of", "with_key"]

KnownMapping = dict[str, bool]
"""The keys of a mapping, and whether each is always there."""


def source_of(node: ast.expr, names: LocustNames) -> ast.expr:
    """Return what code stands for: a constant's value, what is copied."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[]):
            return source_of(inner, names)
        case ast.Call(func=ast.Name(id="dict"), args=[inner], keywords=[]):
            return source_of(inner, names)
        case ast.Call(func=func, args=[inner]) if names.module.full_name(func) in (
            "copy.copy",
            "copy.deepcopy",
        ):
            return source_of(inner, names)
        case ast.Name(id=name) if (
            name not in names.local
            and name in names.module.constants
            and name not in names.module.changed
        ):
            return names.module.constants[name]
        case _:
            return node


def known_keys(node: ast.expr, names: LocustNames) -> KnownMapping | None:
    """Return the keys of a mapping; None where they are not known."""
    match source_of(node, names):
        case ast.Dict(keys=keys, values=values):
            found: KnownMapping = {}
            for key, one in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found[key.value] = True
                elif key is None and (below := known_keys(one, names)) is not None:
                    found.update(below)
                else:
                    return None
            return found
        case ast.Name() | ast.Attribute() as named:
            return names.mappings.get(dotted(named))
        case ast.IfExp(body=body, orelse=orelse):
            return _either(known_keys(body, names), known_keys(orelse, names))
        case _:
            return None


def _either(first: KnownMapping | None, second: KnownMapping | None) -> KnownMapping | None:
    if first is None or second is None:
        return None
    return {key: first.get(key, False) and second.get(key, False) for key in {**first, **second}}


def with_key(names: LocustNames, target: ast.expr, key: str, *, always: bool) -> bool:
    """Add a key to a known mapping; say whether it is one."""
    known = names.mappings.get(dotted(target))
    if known is None:
        return False
    known[key] = known.get(key, False) or always
    return True


def know_attributes(
    assigned: Iterable[tuple[str, ast.expr]], added: Iterable[tuple[str, str]], names: LocustNames
) -> None:
    """Know the keys of the user's attributes that are set to mappings everywhere.

    Args:
        assigned: Attributes with what they are set to.
        added: Attributes with keys that are set in them.
        names: Where they are kept, as `self.name`.
    """
    seen: dict[str, list[tuple[ast.expr, KnownMapping | None]]] = {}
    for name, node in assigned:
        if not (isinstance(node, ast.Constant) and node.value is None):
            seen.setdefault(name, []).append((node, known_keys(node, names)))
    for name, all_found in seen.items():
        found = [(node, one) for node, one in all_found if one is not None]
        if len(found) == len(all_found):
            keys = dict.fromkeys(key for _, one in found for key in one)
            names.mappings[f"{names.own}.{name}"] = {
                key: all(key in one for _, one in found) for key in keys
            }
    for name, key in added:
        with_key(names, ast.Name(id=f"{names.own}.{name}"), key, always=False)
