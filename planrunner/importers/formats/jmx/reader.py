"""A JMeter test plan → the draft of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftPlan, all_steps
from planrunner.importers.formats.jmx.elements import JmxElement, parse_jmx
from planrunner.importers.formats.jmx.groups import JmxGroupReader, JmxPlan
from planrunner.importers.formats.jmx.load.threads import is_group
from planrunner.importers.formats.jmx.samplers.scripts import JmxHooks
from planrunner.importers.formats.jmx.scope import is_scoped
from planrunner.importers.formats.jmx.texts.variables import JmxNames, JmxParams
from planrunner.importers.formats.jmx.user_variables import read_variables
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.shaping.requests import all_requests

__all__ = ["read"]


def read(request: ImportRequest) -> DraftPlan:
    """Read the files of an import: one test plan, with what it includes and reads.

    Raises:
        ImportFault: The first file is no test plan.
    """
    main = request.files[0]
    roots = parse_jmx(main, request.ledger)
    root = next((one for one in roots if one.kind == "TestPlan"), None)
    name = (root.name if root is not None else "") or PurePosixPath(main.name).stem or "test plan"
    draft = DraftPlan(name=name, origin=main.place(1))
    files = KeptFiles(main, request.files[1:], draft)
    names = JmxNames()
    plan = JmxPlan(draft, files, JmxHooks(draft, files), JmxParams(names), request.ledger, roots)
    for one in roots:
        if one is not root and not is_group(one):
            one.drop()  # the work bench, which JMeter doesn't run
    top = root.children if root is not None else roots
    if root is not None:
        _describe(root, draft)
    read_variables(plan, root, top)
    _read_groups(plan, root, top)
    _judge_the_rest(top)
    _name_databases(draft)
    _share_settings(draft)
    _judge_cookies(request, draft, top)
    draft.params = plan.params.params
    return draft


def _describe(root: JmxElement, draft: DraftPlan) -> None:
    draft.description = " ".join(root.take("TestPlan.comments").split())
    root.settle()


def _read_groups(plan: JmxPlan, root: JmxElement | None, top: list[JmxElement]) -> None:
    groups = [one for one in top if is_group(one) and one.is_enabled]
    in_order = root is not None and root.flag("TestPlan.serialize_threadgroups")
    main = [one for one in groups if one.kind not in ("SetupThreadGroup", "PostThreadGroup")]
    if not main:
        main, groups = groups, []
    reader = JmxGroupReader(plan, [one for one in top if not is_group(one)], in_order=in_order)
    for one in groups:
        if one.kind == "SetupThreadGroup":
            reader.read_once(one, plan.draft.setup)
    for one in main:
        reader.read(one, is_alone=len(main) == 1)
    if not main:
        reader.read_loose([one for one in top if one.is_enabled])
    for one in groups:
        if one.kind == "PostThreadGroup":
            reader.read_once(one, plan.draft.teardown)
    _note_disabled(top, plan.draft)


def _note_disabled(top: list[JmxElement], draft: DraftPlan) -> None:
    for one in top:
        if not one.is_enabled:
            one.drop()
            if is_group(one):
                draft.notes.append(f"disabled in the original: {one.name or one.kind}")


def _share_settings(draft: DraftPlan) -> None:
    """Write once what all requests say alike, as it stood in the defaults."""
    requests = [one.keys for one in all_requests(draft)]
    for key in ("timeout", "follow_redirects"):
        values = [one.get(key) for one in requests]
        if len(values) > 1 and values[0] is not None and all(one == values[0] for one in values):
            draft.http[key] = values[0]
            for one in requests:
                one.pop(key, None)  # two groups may run the same steps


def _judge_cookies(request: ImportRequest, draft: DraftPlan, top: list[JmxElement]) -> None:
    """Say that users keep cookies here, where JMeter's need a manager for that."""
    has_manager = any(one.kind == "CookieManager" for one in _enabled(top))
    if not has_manager and sum(1 for _ in all_requests(draft)) > 1:
        place = request.files[0].place(1)
        request.ledger.add("default", "no HTTP Cookie Manager", place).changed(
            "users here keep the cookies that a server sets; JMeter's need a manager for that"
        )


def _name_databases(draft: DraftPlan) -> None:
    """Give each database that a statement names an entry, a stand-in where there is none."""
    for step in all_steps(draft):
        query = step.body.get("sql.query")
        if not isinstance(query, dict):
            continue
        settings = draft.extra.setdefault("sql", {"databases": {}})
        assert isinstance(settings, dict)
        databases = settings["databases"]
        name = query.get("database")
        if name and "${" in str(name):
            query["database"] = name = next(iter(databases), "database")
        if name not in databases and (name or not databases):
            databases[name or "database"] = "sqlite:///stand-in.db"
            step.notes.append("write the database's URL under `sql`: the original has none")


def _judge_the_rest(top: list[JmxElement]) -> None:
    """Judge what no sampler used."""
    for one in _enabled(top):
        if one.kind == "TestFragmentController" and one.construct.fate is None:
            one.drop()
            one.construct.suspicious("nothing refers to it, so JMeter never runs it")
        elif is_scoped(one) and one.construct.fate is None:
            one.whole()
            one.construct.suspicious("no sampler is in its scope, so it does nothing")
        elif one.construct.fate is None and one.kind in ("ConfigTestElement", "Arguments"):
            one.whole()


def _enabled(elements: list[JmxElement]) -> Iterator[JmxElement]:
    for one in elements:
        if one.is_enabled:
            yield one
            yield from _enabled(one.children)
        else:
            one.drop()
