"""Which names are known at a place: the compiler's last answer, and what is typed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from planrunner.compiler.names.known_names import Known
from planrunner.lsp.documents.csv_headers import header_of
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind
from planrunner.plan.yaml.document import PlanPath

__all__ = ["known_at"]

_AFTER_REPLY: Final = frozenset(
    {"expect", "extract", "tags", "record", "work", "until", "unit", "stream"}
)
_LISTS: Final = frozenset(
    {"steps", "do", "then", "else", "tasks", "on_start", "on_stop", "setup", "teardown", "cases"}
)


def known_at(view: PlanView, path: PlanPath) -> Known:
    """Return what an expression at a path may read."""
    known = _compiled(view.facts.known, path) or _guessed(view, path)
    index = view.index
    params = known.params | set(index.names(NameKind.PARAM))
    columns = {**_columns(view), **known.columns}
    arguments = index.names(NameKind.ARGUMENT, scope=str(path[1])) if path[:1] == ("flows",) else ()
    return replace(
        known,
        params=params,
        services=known.services | set(index.names(NameKind.SERVICE)),
        columns=columns,
        variables=known.variables | _before(view, path) | set(arguments),
        replied=known.replied or _has_replied(path),
        pools={**dict.fromkeys(index.names(NameKind.POOL), False), **known.pools},
    )


def _columns(view: PlanView) -> dict[str, tuple[str, ...] | None]:
    """Return the columns of each data source, as they are written or the compiler read them."""
    index = view.index
    written = {
        name: tuple(index.names(NameKind.COLUMN, scope=name)) or None
        for name in index.names(NameKind.DATA)
    }
    headers = {name: found for name in written if (found := header_of(view, name))}
    read = next((one.columns for one in view.facts.known.values() if one.columns), {})
    return {**written, **headers, **read}


def _compiled(answers: Mapping[PlanPath, Known], path: PlanPath) -> Known | None:
    """Return the answer for the place, else for the list item before it."""
    known = {_brief(place): one for place, one in answers.items()}
    path = _brief(path)
    for end in range(len(path), 1, -1):
        part = path[:end]
        for place in (part, (*part, 0)):
            if place in known:
                return known[place]
        last = part[-1]
        if isinstance(last, int):
            before = (known.get((*part[:-1], index)) for index in range(last - 1, -1, -1))
            if found := next((one for one in before if one is not None), None):
                return found
    return None


def _brief(path: PlanPath) -> PlanPath:
    """Return a path without the keys that short forms of a plan leave out."""
    return tuple(part for part in path if part not in ("do", "steps"))


def _guessed(view: PlanView, path: PlanPath) -> Known:
    """Return what the names of the text say where the compiler has said nothing yet."""
    is_user = path[:1] in (("users",), ("flows",))
    return Known(
        params=frozenset(),
        variables=frozenset(view.index.variables_at(path)) if is_user else frozenset(),
        has_user=is_user,
        in_iteration=is_user and not {"on_start", "on_stop"} & set(path),
        replied=is_user,
        files=tuple(view.index.names(NameKind.FILE)),
    )


def _before(view: PlanView, path: PlanPath) -> frozenset[str]:
    """Return what steps above the place in its own lists set or extract."""
    lists = {
        path[:at]: part
        for at, part in enumerate(path)
        if isinstance(part, int) and at and path[at - 1] in _LISTS and path[at - 1] != "tasks"
    }
    found = set[str]()
    for one in view.reading.names:
        if one.kind is not NameKind.VARIABLE or not one.is_definition:
            continue
        for place, index in lists.items():
            item = one.path[len(place)] if one.path[: len(place)] == place else None
            if isinstance(item, int) and item < index:
                found.add(one.name)
    if path[:1] == ("users",):
        state = (*path[:2], "state")
        found |= {one.name for one in view.reading.names if one.path[:3] == state}
    return frozenset(found)


def _has_replied(path: PlanPath) -> bool:
    """Whether the place is inside a request, behind its reply."""
    steps = [at for at, part in enumerate(path) if isinstance(part, int)]
    return bool(steps) and bool(_AFTER_REPLY.intersection(map(str, path[steps[-1] + 1 :])))
