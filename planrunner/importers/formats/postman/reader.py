"""Collections, environments and globals of Postman → a draft of a plan.

A collection is a class whose users run it from its first request to its last, as Postman's runner
does; the plan runs it once.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import PurePath

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftPhase, DraftPlan, all_steps
from planrunner.importers.formats.postman.bodies import PostmanBodies
from planrunner.importers.formats.postman.collection import (
    CollectionReader,
    names_of,
    scripts_of,
)
from planrunner.importers.formats.postman.scripts.effects import ScriptFolder
from planrunner.importers.formats.postman.scripts.events import written_names
from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.nodes import SourceNode, parse_json
from planrunner.importers.shaping.requests import VERBS
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Ledger

__all__ = ["read"]


def read(request: ImportRequest) -> DraftPlan:
    """Read collections with what belongs to them.

    Raises:
        ImportFault: No file is a collection of Postman's format 2.
    """
    tables = [file for file in request.files if file.suffix == ".csv"]
    roots = [
        (file, parse_json(file, request.ledger)) for file in request.files if file not in tables
    ]
    collections = [(file, _unwrapped(root)) for file, root in roots if _is_collection(root)]
    if not collections:
        file = request.files[0]
        raise ImportFault(file.name, "not a Postman collection of format 2", hint=_OLD)
    draft = DraftPlan(_name(collections[0][1]) or "collection")
    draft.description = _description(collections[0][1])
    columns = _tables(tables, draft)
    written = {
        name for _, root in collections for text in scripts_of(root) for name in written_names(text)
    }
    variables = PostmanVariables(request.ledger, written, columns)
    _define(variables, [root for _, root in roots if not _is_collection(root)], collections)
    for file, root in collections:
        _read_collection(file, root, variables, request, draft)
    _tell_of_statuses(draft, request.ledger)
    variables.read_all()
    variables.add_to(draft, draft.users)
    users = len(draft.users)
    rows = {"iterations": sum(_row_count(file) for file in tables)} if tables else {"iterations": 1}
    draft.phases = [DraftPhase({"name": "main", "users": users, **rows})]
    if users > 1:
        draft.phases = [DraftPhase({"name": "main", "users": users, "iterations_per_user": 1})]
    return draft


_OLD = "export it from Postman as `Collection v2.1`"


def _read_collection(
    file: SourceFile,
    root: SourceNode,
    variables: PostmanVariables,
    request: ImportRequest,
    draft: DraftPlan,
) -> None:
    scripts = ScriptFolder(variables, request.ledger)
    bodies = PostmanBodies(file, variables)
    steps = CollectionReader(scripts, bodies, Counter(names_of(root))).steps(root)
    taken = {one.name for one in draft.users}
    name = _name(root) or "Collection"
    while name in taken:
        name += " again"
    if not steps:
        raise ImportFault(file.name, "the collection has no request that planrunner can send")
    draft.users.append(DraftClass(name, steps=steps, origin=root.place))
    draft.files |= {**scripts.files, **bodies.files}


def _tell_of_statuses(draft: DraftPlan, ledger: Ledger) -> None:
    """Say once that replies fail here which Postman doesn't judge."""
    for step in all_steps(draft):
        expect = step.body.get("expect")
        is_request = any(verb in step.body for verb in VERBS)
        if is_request and step.origin and not (isinstance(expect, dict) and "status" in expect):
            ledger.add("default", "a request without a test of its status", step.origin).changed(
                "a reply of 400 or more fails here; Postman judges nothing but tests"
            )
            return


def _is_collection(root: SourceNode) -> bool:
    return _unwrapped(root).get("item") is not None


def _unwrapped(root: SourceNode) -> SourceNode:
    """Return the collection of a file, which Postman's API wraps once more."""
    inner = root.get("collection")
    if inner is not None and inner.is_mapping and root.get("item") is None:
        root.take("collection")
        root.take_whole("run")  # what a run of it has measured
        return inner
    return root


def _define(
    variables: PostmanVariables,
    others: list[SourceNode],
    collections: list[tuple[SourceFile, SourceNode]],
) -> None:
    """Define the variables in their order of precedence: globals, collections, environments."""
    globals_first = sorted(others, key=lambda root: _scope(root) != "globals")
    for root in globals_first:
        if _scope(root) == "globals":
            _define_file(variables, root)
    for _, root in collections:
        _define_below(variables, root)
    environments = [root for root in globals_first if _scope(root) != "globals"]
    for root in environments:
        _define_file(variables, root, is_one_of=len(environments))


def _define_below(variables: PostmanVariables, owner: SourceNode) -> None:
    variables.define(owner.take("variable") or owner.take("variables"))
    items = owner.get("item")
    for one in items.each() if items is not None else ():
        if one.get("item") is not None:
            _define_below(variables, one)


def _define_file(variables: PostmanVariables, root: SourceNode, *, is_one_of: int = 1) -> None:
    for entry in root.entries or ():
        if entry.key != "values":
            entry.construct.translated()
            entry.node.whole()
    if is_one_of > 1:
        name = root.get("name")
        variables.define_environment(name.text() if name is not None else "", root.take("values"))
    else:
        variables.define(root.take("values"))


def _scope(root: SourceNode) -> str:
    found = root.get("_postman_variable_scope")
    return found.text() if found is not None else ""


def _name(root: SourceNode) -> str:
    info = root.take("info")
    if info is None or not info.is_mapping:
        return ""
    for entry in info.entries or ():
        entry.construct.translated()
        entry.node.whole()
    for key in ("protocolProfileBehavior", "id"):
        root.take_whole(key)
    name = info.get("name")
    return " ".join(name.text().split()) if name is not None else ""


def _description(root: SourceNode) -> str:
    info = root.get("info")
    node = info.get("description") if info is not None else None
    if node is not None and node.is_mapping:
        node = node.get("content")
    return " ".join(node.text().split())[:300] if node is not None else ""


def _tables(files: list[SourceFile], draft: DraftPlan) -> dict[str, str]:
    """Make data sources of CSV files, as the runner's data file; returns names of the columns."""
    columns: dict[str, str] = {}
    for file in files:
        name = identifier(PurePath(file.name).stem, draft.data)
        path = PurePath(file.name).name
        draft.files[path] = file.path if file.path is not None else file.content
        draft.data[name] = {"csv": path, "per": "iteration", "order": "sequential"}
        header = next(csv.reader(io.StringIO(file.text)), [])
        columns |= {one.strip(): f"{name}.{one.strip()}" for one in header}
    return columns


def _row_count(file: SourceFile) -> int:
    return max(1, sum(1 for row in csv.reader(io.StringIO(file.text)) if row) - 1)
