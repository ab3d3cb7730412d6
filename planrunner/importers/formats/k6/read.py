"""k6 scripts → a draft: a user class for each function that a scenario runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import DraftClass, DraftParam, DraftPlan, DraftStep
from planrunner.importers.formats.k6.code.calls import NativeCall, invoke
from planrunner.importers.formats.k6.library.chai import judge_expected
from planrunner.importers.formats.k6.load.options import K6Options
from planrunner.importers.formats.k6.program import new_machine, read_module
from planrunner.importers.formats.k6.protocols.conversations import run_sockets
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.modules import K6Modules
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsFunction,
    JsObject,
    JsValue,
    K6Module,
    plain,
)
from planrunner.importers.formats.k6.terms.operators import shadow
from planrunner.importers.formats.k6.unread import judge_unread
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import SourcePlace

__all__ = ["read"]

_SCRIPTS: Final = (".js", ".ts", ".mjs", ".cjs", ".mts", "")
_LIFE: Final = frozenset({"setup", "teardown", "handleSummary", "options", "default"})
_DEEPEST: Final = 20
_CHOSEN: Final = "the environment chooses among options; only those of its default are in the plan"
_RUNNABLE: Final = re.compile(
    rb"export\s+default\b|exports\.default\b|export\s+(?:const|let|var)\s+options\b"
)


_COMMON_JS: Final = re.compile(
    r"\bmodule\.exports\b|\bexports\.\w|=\s*exports\b|__webpack_require__"
)
_BUNDLED: Final = (
    "modules within a bundle are not read: import the files that it was made of, or bundle them as"
    " an ES module"
)


def read(request: ImportRequest) -> DraftPlan:
    """Read the main script with the modules that it imports."""
    scripts = [one for one in request.files if one.suffix in _SCRIPTS] or [request.files[0]]
    main = _main_of(scripts)
    modules = K6Modules([main, *[one for one in request.files if one is not main]], request.ledger)
    machine = new_machine(modules)
    module = modules.load(main, is_main=True)
    try:
        read_module(module, machine)
    except RecursionError:
        raise ImportFault(main.place(1), "code that is nested too deeply") from None
    draft = DraftPlan(_plan_name(main))
    if not _entries(module):
        message = "no function that k6 runs: `export default function`"
        found = _COMMON_JS.search(main.text)
        if found is None:
            raise ImportFault(main.place(1), message)
        line = main.text.count("\n", 0, found.start()) + 1
        raise ImportFault(main.place(line), message, hint=_BUNDLED)
    ran = _read_program(module, machine, draft)
    for file in scripts:
        modules.load(file)
    judge_unread(module, machine, ran)
    draft.ends = list(machine.ends)
    return draft


def _main_of(scripts: list[SourceFile]) -> SourceFile:
    """Return the file that k6 would run: the first with something to run that no other imports."""
    imported = {
        Path(found.decode(errors="replace")).stem
        for one in scripts
        for found in re.findall(rb"""(?:from|import|require\()\s*['"](\.[^'"\n]+)['"]""", one.head)
    }
    runnable = [one for one in scripts if _RUNNABLE.search(one.head)]
    roots = [one for one in runnable if Path(one.name).stem not in imported]
    return (roots or runnable or scripts)[0]


def _plan_name(file: SourceFile) -> str:
    path = Path(file.name)
    stem = path.stem.removesuffix(".test").removesuffix(".k6")
    usual = stem in ("index", "script", "main", "test", "<stdin>")
    return (path.parent.name if usual else stem) or stem or "k6"


def _entries(module: K6Module) -> dict[str, JsFunction]:
    """Return the functions that scenarios may run."""
    return {
        name: one
        for name, one in module.exports.items()
        if isinstance(one, JsFunction) and name not in _LIFE - {"default"}
    }


def _read_program(module: K6Module, machine: K6Machine, draft: DraftPlan) -> set[str]:
    """Read what k6 would run; returns the functions that scenarios run."""
    place = _place_of_options(module)
    setup = _run(module, "setup", machine, [])
    data = setup[1]
    options = K6Options(
        _plain_options(module.exports.get("options"), machine, place), place, machine
    )
    options.read_load()
    entries = _entries(module)
    wanted = list(dict.fromkeys(one.function for one in options.scenarios)) or ["default"]
    classes: dict[str, str] = {}
    for name in wanted:
        if name not in entries:
            why = "no exported function has this name: k6 refuses it"
            machine.finding("option", f"exec: {name}", place, "suspicious", why)
            continue
        made = _class(name, entries[name], module, machine, data, set(classes.values()))
        classes[name] = made.name
        draft.users.append(made)
    if not draft.users:
        name, function = next(iter(entries.items()))
        draft.users.append(_class(name, function, module, machine, data, set()))
        classes[name] = draft.users[0].name
    options.keep(set(classes))
    draft.setup = setup[0]
    draft.teardown = _run(module, "teardown", machine, [data])[0]
    judge_expected(machine)
    for name, where in machine.unset_hosts.items():
        why = f"set it when you run the plan: `{name}=http://…` in the environment"
        machine.finding("variable", f"__ENV.{name}", where, "needs_you", why)
    for one in machine.pending:
        if one.construct is not None:
            one.construct.left_out(one.why)
    _write(draft, machine, options, classes)
    return set(classes)


def _write(
    draft: DraftPlan, machine: K6Machine, options: K6Options, classes: dict[str, str]
) -> None:
    draft.http = {"timeout": "60s", "session": "iteration", **machine.http}
    if machine.state:
        draft.http["session"] = "user"
        for one in draft.users:
            one.keys["state"] = dict(machine.state)
    if machine.ws:
        draft.extra["ws"] = dict(machine.ws)
    if machine.grpc:
        draft.extra["grpc"] = dict(machine.grpc)
    options.write_phases(draft, classes)
    options.write_tags(draft, classes)
    options.write_thresholds(draft)
    options.write_settings(draft, {one.name: one.keys for one in draft.users})
    draft.params = {name: DraftParam(spec) for name, spec in machine.params.items()}
    draft.data = {name: _source(name, spec, machine) for name, spec in machine.data.items()}
    draft.files = dict(machine.files)


def _source(name: str, spec: object, machine: K6Machine) -> object:
    """Return a data source; one whose file isn't there gets a row to fill in."""
    if isinstance(spec, dict) and machine.missing & {spec.get("json"), spec.get("csv")}:
        columns = machine.columns.get(name)
        row: object = dict.fromkeys(columns, "TODO") if columns else "TODO"
        kept = {key: one for key, one in spec.items() if key not in ("json", "csv")}
        return {"list": [row], **kept}
    return spec


def _place_of_options(module: K6Module) -> SourcePlace:
    for node in module.script.root.named_children:
        text = (node.text or b"")[:80]
        if re.match(rb"export\s+(?:const|let|var)\s+options\b", text):
            return module.place(node)
    return module.file.place(1)


def _plain_options(value: JsValue | None, machine: K6Machine, place: SourcePlace) -> dict[str, Any]:
    """Return the options as they are where no variable of the environment is set."""
    known = shadow(value) if value is not None else None
    if isinstance(known, JsObject) and known is not value:
        machine.finding("option", "options", place, "changed", _CHOSEN)
        value = known
    if not isinstance(value, JsObject):
        if value is not None:
            why = "options that only the run knows: write `phases` and `thresholds`"
            machine.finding("option", "options", place, "left_out", why)
        return {}
    return _plain_entries("", value, machine, place)


def _plain_entries(
    path: str, value: JsObject, machine: K6Machine, place: SourcePlace
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, one in value.entries.items():
        where = f"{path}{key}"
        if isinstance(one, JsObject) and where.count(".") < _DEEPEST:
            found[key] = _plain_entries(f"{where}.", one, machine, place)
            continue
        try:
            found[key] = plain(one, unset=True)
        except LookupError:
            why = "it is known only when the script runs: write it in the plan"
            machine.finding("option", where, place, "left_out", why)
    return found


def _run(
    module: K6Module, name: str, machine: K6Machine, arguments: list[JsValue]
) -> tuple[list[DraftStep], JsValue]:
    """Return the steps of `setup` or `teardown`, and what it gives."""
    function = module.exports.get(name)
    if not isinstance(function, JsFunction):
        return [], UNDEFINED
    machine.part = name
    machine.last = None
    with machine.branch() as steps:
        value = _invoked(function, arguments, module, machine)
    machine.part = "init"
    return steps, value


def _invoked(
    function: JsFunction, arguments: list[JsValue], module: K6Module, machine: K6Machine
) -> JsValue:
    try:
        return invoke(function, arguments, function.node, module.scope, machine)
    except NoStepSays as fault:
        place = module.place(function.node)
        machine.finding("function", "function", place, "left_out", fault.why)
        return UNDEFINED
    except RecursionError:
        place = module.place(function.node)
        why = "code that is nested too deeply"
        machine.finding("function", "function", place, "left_out", why)
        return UNDEFINED


def _class(
    name: str,
    function: JsFunction,
    module: K6Module,
    machine: K6Machine,
    data: JsValue,
    taken: set[str],
) -> DraftClass:
    made = DraftClass(_class_name(name, function, taken), origin=module.place(function.node))
    machine.part = "vu"
    machine.last = None
    machine.work = 0
    with machine.branch() as steps:
        _invoked(function, [_copied(data)], module, machine)
        run_sockets(
            machine, NativeCall(function.node, name, [], (), UNDEFINED, module.scope, machine)
        )
    machine.part = "init"
    made.steps = steps or [DraftStep({"log": f"{name} sends nothing"})]
    return made


def _copied(value: JsValue) -> JsValue:
    """Return data of `setup` that a function may change without the others seeing it."""
    if isinstance(value, JsObject):
        return JsObject({key: _copied(one) for key, one in value.entries.items()}, value.made_by)
    if isinstance(value, JsArray):
        return JsArray([_copied(one) for one in value.items])
    return value


def _class_name(name: str, function: JsFunction, taken: set[str]) -> str:
    named = function.node.child_by_field_name("name")
    said = (named.text or b"").decode() if named is not None and name == "default" else name
    words = re.findall(r"[A-Za-z0-9]+", said)
    made = "".join(one[:1].upper() + one[1:] for one in words) or "Visitor"
    made = "Visitor" if made == "Default" else made
    while made in taken or made[0].isdigit():
        made = f"V{made}"
    return made
