"""An export of Insomnia → a draft: folders as groups, each workspace a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPhase, DraftPlan, DraftStep, Keys
from planrunner.importers.formats.insomnia.requests import InsomniaRequests
from planrunner.importers.nodes import SourceNode
from planrunner.importers.reading.documents import read_document
from planrunner.importers.sources import ImportFault
from planrunner.importers.templates import literal
from planrunner.loss.ledger import SourcePlace

__all__ = ["read"]

_NOT_SENT: Final = {
    "websocket_request": "write `ws.connect`, `ws.send` and `ws.receive`",
    "grpc_request": "write `grpc.call`",
    "unit_test": "write `expect` at the request",
}


InsomniaValues = dict[str, tuple[str, SourcePlace]]


def read(request: ImportRequest) -> DraftPlan:
    """Read exports; a workspace runs from its first request to its last.

    Raises:
        ImportFault: One is no export, or has no request.
    """
    draft = DraftPlan("insomnia")
    for file in request.files:
        root = read_document(file, request.ledger)
        values: InsomniaValues = {}
        reading = InsomniaRequests(request.ledger, values)
        is_new = root.get("collection") is not None
        parts = _new_parts(root, values) if is_new else _old_parts(root, values)
        for name, items in parts:
            steps = list(_steps(items, reading))
            if steps:
                taken = {one.name for one in draft.users}
                unique = name if name not in taken else f"{name} {len(taken) + 1}"
                draft.users.append(DraftClass(unique, steps=steps, origin=root.place))
        draft.params |= reading.params
        draft.files |= reading.files
    if not draft.users:
        raise ImportFault(request.files[0].name, "the export has no request that can be sent")
    draft.name = draft.users[0].name
    users = len(draft.users)
    draft.phases = [DraftPhase({"name": "main", "users": users, "iterations_per_user": 1})]
    return draft


def _quiet(node: SourceNode) -> None:
    """Judge what says nothing about the load: ids, dates, positions, settings of the editor."""
    for entry in node.entries or ():
        if entry.key.startswith(("_", "meta", "setting")) or entry.key in _QUIET:
            entry.construct.translated()
            entry.node.whole()


_DOCUMENTS: Final = frozenset({"api_spec", "proto_file", "proto_directory", "unit_test_suite"})
"""What describes an API, and is sent to nobody."""

_QUIET: Final = frozenset(
    {
        *("parentId", "modified", "created", "description", "isPrivate", "scope", "type", "name"),
        *(
            "environmentPropertyOrder",
            "dataPropertyOrder",
            "cookieJar",
            "color",
            "pathParameters",
            "settings",
        ),
    }
)


@dataclass
class _Item:
    """A request, or a folder with its members."""

    node: SourceNode
    members: list[_Item] | None


def _new_parts(root: SourceNode, values: InsomniaValues) -> Iterator[tuple[str, list[_Item]]]:
    """Yield the collection of a file of format 5."""
    name = _plain(root, "name")
    _quiet(root)
    environments = root.take("environments")
    if environments is not None and environments.is_mapping:
        environments.whole()
        _flatten(environments.get("data"), "", values)
        below = environments.get("subEnvironments")
        for one in below.each()[:1] if below is not None else ():
            _flatten(one.get("data"), "", values)
    yield name or "Collection", _nested(root.take("collection"))


def _nested(listed: SourceNode | None) -> list[_Item]:
    items = []
    for one in listed.each() if listed is not None else ():
        if one.is_mapping:
            children = one.take("children")
            items.append(_Item(one, None if children is None else _nested(children)))
    return items


def _old_parts(root: SourceNode, values: InsomniaValues) -> Iterator[tuple[str, list[_Item]]]:
    """Yield the workspaces of a file of format 4, a list of what points to its parents."""
    _quiet(root)
    listed = root.take("resources")
    by_parent: dict[str, list[SourceNode]] = {}
    workspaces = []
    for one in listed.each() if listed is not None else ():
        if not one.is_mapping:
            continue
        kind = _plain(one, "_type")
        if kind == "environment":
            _flatten(one.take("data"), "", values)
        elif kind in _DOCUMENTS:
            one.whole()
        elif kind == "workspace":
            workspaces.append(one)
        elif kind in ("request", "request_group", *_NOT_SENT):
            _flatten(one.take("environment"), "", values)
            by_parent.setdefault(_plain(one, "parentId"), []).append(one)
        _quiet(one)
    for one in workspaces:
        name = " ".join(_plain(one, "name").split())
        yield name or "Workspace", _members(_plain(one, "_id"), by_parent)


def _members(owner: str, by_parent: dict[str, list[SourceNode]]) -> list[_Item]:
    """Return what has this parent, each once: parents that run in circles have no members."""
    mine = sorted(by_parent.pop(owner, []), key=lambda one: _number(one.get("metaSortKey")))
    return [
        _Item(
            one,
            _members(_plain(one, "_id"), by_parent)
            if _plain(one, "_type") == "request_group"
            else None,
        )
        for one in mine
    ]


def _steps(items: list[_Item], reading: InsomniaRequests) -> Iterator[DraftStep]:
    for item in items:
        name = " ".join(_plain(item.node, "name").split())
        instead = _NOT_SENT.get(_plain(item.node, "_type"))
        _quiet(item.node)
        for key in ("preRequestScript", "afterResponseScript", "scripts"):
            _script(item.node, key)
        if item.members is not None:
            steps = list(_steps(item.members, reading))
            if steps:
                body: Keys = {"group": literal(name) or "folder", "do": steps}
                yield DraftStep(body, origin=item.node.place)
        elif instead is not None:
            reading.ledger.add("request", name or "a request", item.node.place).left_out(instead)
            item.node.whole()
        else:
            step = reading.step(item.node)
            if step is not None:
                yield step


def _script(node: SourceNode, key: str) -> None:
    entry = node.entry(key)
    if entry is not None and (entry.node.text().strip() or entry.node.entries):
        entry.construct.left_out("write what it does as `set`, `extract` and `expect`")
        for one in entry.node.below():
            one.construct.left_out("write what it does as `set`, `extract` and `expect`")
    elif entry is not None:
        entry.construct.translated()


def _plain(node: SourceNode, key: str) -> str:
    found = node.get(key)
    return found.text() if found is not None else ""


def _number(node: SourceNode | None) -> float:
    found = node.scalar if node is not None else None
    return float(found) if isinstance(found, int | float) else 0.0


def _flatten(data: SourceNode | None, before: str, values: InsomniaValues) -> None:
    """Keep the values of an environment by their dotted names."""
    for entry in (data.entries or ()) if data is not None else ():
        entry.construct.translated()
        if entry.node.is_mapping:
            _flatten(entry.node, f"{before}{entry.key}.", values)
        else:
            entry.node.whole()
            values[before + entry.key] = (entry.node.text(), entry.construct.place)
