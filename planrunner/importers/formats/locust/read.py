"""Locust files → a draft: a class for each user class, a phase for a shape."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from planrunner.importers.contract import ImportRequest
from planrunner.importers.draft import (
    DraftClass,
    DraftParam,
    DraftPlan,
    DraftStep,
    DraftTask,
    Keys,
    steps_within,
)
from planrunner.importers.formats.locust.classes import (
    LocustClass,
    PickedTask,
    tasks_of,
    user_classes,
    wait_keys,
)
from planrunner.importers.formats.locust.code.expressions import text_of, value
from planrunner.importers.formats.locust.code.imports import with_imports
from planrunner.importers.formats.locust.code.inlining import assigned, keys_added
from planrunner.importers.formats.locust.code.mappings import know_attributes
from planrunner.importers.formats.locust.code.module import LocustFunction, LocustModule
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.hooks.functions import LocustHooks
from planrunner.importers.formats.locust.hooks.given import given_param
from planrunner.importers.formats.locust.load import read_conf, read_shapes
from planrunner.importers.formats.locust.outside import command_options, judge_the_rest
from planrunner.importers.formats.locust.setup import around_load
from planrunner.importers.formats.locust.steps.bodies import TaskBody
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.shaping.hook_file import HookFile
from planrunner.importers.shaping.requests import measure
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.values import dataclass

__all__ = ["read"]

_SPECIAL: Final = frozenset(
    {"wait_time", "min_wait", "max_wait", "host", "weight", "fixed_count", "tasks", "task_set",
     "abstract", "network_timeout", "connection_timeout", "insecure", "concurrency", "pool_manager",
     "max_redirects", "max_retries", "default_headers", "stop_timeout"}
)  # fmt: skip


def read(request: ImportRequest) -> DraftPlan:
    """Read all Python files, and local modules that they import, as one."""
    module = LocustModule(request.ledger)
    sources = [file for file in request.files if file.suffix not in (".conf", ".toml")]
    for file in with_imports(sources):
        module.read(file)
    draft = DraftPlan(_plan_name(sources))
    names = LocustNames(module)
    names.kept = KeptFiles(sources[0], request.files, draft)
    names.options.update(command_options(module))
    hook_file = HookFile(draft, "What code of the Locust files did.")
    hooks = LocustHooks(module, hook_file, names.kept)
    draft.setup, draft.teardown = around_load(names, hooks)
    for found in user_classes(module):
        draft.users.append(_user_class(found, names, draft, hooks))
    if not draft.users:
        raise ImportFault(sources[0].name, "no class of Locust's users")
    _share_hosts(draft, names)
    read_shapes(module, draft)
    for file in request.files:
        if file.suffix in (".conf", ".toml"):
            read_conf(file, draft, request.ledger)
    draft.params = {name: DraftParam(spec) for name, spec in names.params.items()}
    hooks.close()
    judge_the_rest(module)
    return draft


def _plan_name(sources: list[SourceFile]) -> str:
    path = Path(sources[0].name)
    stem = path.stem if path.stem not in ("locustfile", "<stdin>") else path.parent.name
    return stem or "locustfile"


@dataclass(frozen=True, slots=True)
class _KnownCode:
    """What the code of a class knows.

    Attributes:
        functions: Methods that it may call.
        state: What attributes of the user are at the beginning, by their names in the plan.
    """

    names: LocustNames
    functions: dict[str, LocustFunction]
    state: dict[str, object]
    hooks: LocustHooks

    def within(self, inner: LocustClass) -> _KnownCode:
        """Return what the code of a TaskSet in it knows."""
        functions = {**self.functions, **inner.functions}
        return _KnownCode(self.names, functions, self.state, self.hooks)


def _user_class(
    found: LocustClass, above: LocustNames, draft: DraftPlan, hooks: LocustHooks
) -> DraftClass:
    names = above.of_class()
    module = names.module
    made = DraftClass(found.node.name, origin=module.place(found.node))
    doc = ast.get_docstring(found.node)
    made.notes += [doc] if doc else []
    made.keys.update(_weights(found))
    made.keys.update(wait_keys(module, found))
    _host(found, made, names)
    scope = _KnownCode(names, found.functions, _initial_state(found, names), hooks)
    made.on_start = [*_body(found, "__init__", scope), *_body(found, "on_start", scope)]
    _tasks(found, made, scope, 1)
    made.on_stop = [*made.on_stop, *_body(found, "on_stop", scope)]
    _declare_state(made, scope)
    _count(made, module)
    if not (made.tasks or made.steps):
        module.leave_out("write the tasks of this class; its code makes them", found.node)
        made.steps = [DraftStep({"log": f"{found.node.name} has no tasks"})]
    if names.unverified:
        draft.http["verify"] = False
    return made


def _count(made: DraftClass, module: LocustModule) -> None:
    """Count the requests of `on_start` and `on_stop`, as Locust does."""
    measure(made.on_start)
    measure(made.on_stop)
    first = next((one for one in steps_within(made.on_start) if "measure" in one.body), None)
    if first is not None and first.origin is not None and "on_start" not in module.said:
        module.said.add("on_start")
        how = "a user whose `on_start` fails stops here"
        module.ledger.add("function", "on_start", first.origin).changed(how)


def _weights(found: LocustClass) -> Keys:
    keys: Keys = {}
    for name, key in (("weight", "weight"), ("fixed_count", "count")):
        node = found.values.get(name)
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value > 0:
            keys[key] = node.value
    return {"count": keys["count"]} if "count" in keys else keys


def _host(found: LocustClass, made: DraftClass, names: LocustNames) -> None:
    node = found.values.get("host")
    if node is None or (isinstance(node, ast.Constant) and not node.value):
        return
    try:
        url = text_of(node, names).rstrip("/")
        if not url.startswith(("http://", "https://", "$")):
            url = f"http://{url}"
        made.keys["http"] = {"base_url": url}
        names.module.accept(node)
    except Unsayable as fault:
        given = given_param(node, names, "url") if isinstance(node, ast.Name) else None
        if given is not None:
            made.keys["http"] = {"base_url": f"${{{given}}}"}
        else:
            names.module.leave_out(fault.why, node)


def _share_hosts(draft: DraftPlan, names: LocustNames) -> None:
    """Make the host of all classes the plan's, and a param where none has one."""
    hosts = [
        one.keys["http"]["base_url"] if isinstance(one.keys.get("http"), dict) else ""  # type: ignore[index]
        for one in draft.users
    ]
    if len(set(hosts)) == 1 and hosts[0]:
        for one in draft.users:
            del one.keys["http"]
        draft.http = {"base_url": hosts[0], **draft.http}
    elif not all(hosts):
        spec = {"type": "url", "default": "http://127.0.0.1:8000", "help": "Locust's --host"}
        draft.http = {"base_url": f"${{{names.param('host', spec)}}}", **draft.http}


def _initial_state(found: LocustClass, names: LocustNames) -> dict[str, object]:
    """Return what attributes of the user are at the beginning, by their names in the plan."""
    state: dict[str, object] = {}
    bodies = [one.body for one in found.functions.values()]
    set_anywhere = [
        *found.values.items(),
        *(one for body in bodies for one in assigned(body, "self")),
    ]
    know_attributes(
        set_anywhere, [one for body in bodies for one in keys_added(body, "self")], names
    )
    for name, node in found.values.items():
        if name not in _SPECIAL:
            _begin(state, names.name_state(name), node, names)
    for function in found.functions.values():
        own = function.args.args[0].arg if function.args.args else "self"
        for name, node in assigned(function.body, own):
            key = names.name_state(name)
            if function.name in ("on_start", "__init__") and isinstance(node, ast.Constant):
                _begin(state, key, node, names)
            state.setdefault(key, None)
    return state


def _begin(state: dict[str, object], name: str, node: ast.expr, names: LocustNames) -> None:
    try:
        state[name] = value(node, names)
        names.module.accept(node)
    except Unsayable as fault:
        names.module.leave_out(fault.why, node)
        state.setdefault(name, None)


def _declare_state(made: DraftClass, scope: _KnownCode) -> None:
    names, state = scope.names, scope.state
    for attribute, name in names.state.items():
        if name not in state:
            place = made.origin
            assert place is not None, "every class stands somewhere"
            names.module.ledger.add("attribute", f"self.{attribute}", place).suspicious(
                "it is read, and nothing in these files sets it"
            )
            state[name] = None
    if state:
        made.keys["state"] = state


def _body(found: LocustClass, name: str, scope: _KnownCode) -> list[DraftStep]:
    function = found.functions.get(name)
    steps = _steps(function, scope) if function is not None else []
    return [one for one in steps if not _is_initial(one, scope.state)]


def _is_initial(step: DraftStep, state: dict[str, object]) -> bool:
    """Say whether a step gives a name the value that it begins with."""
    said = step.body.get("set")
    return isinstance(said, dict) and all(
        (name in state and state[name] == one and not isinstance(one, str))
        or (name in state and one == state[name])
        for name, one in said.items()
    )


def _steps(function: LocustFunction, scope: _KnownCode) -> list[DraftStep]:
    names = scope.names
    names.own = function.args.args[0].arg if function.args.args else "self"
    names.local, names.replies = {}, set()
    body = TaskBody(names, functions=scope.functions, hooks=scope.hooks)
    body.called.append(function)
    return body.steps(function.body)


def _tasks(found: LocustClass, made: DraftClass, scope: _KnownCode, factor: int) -> None:
    """Add the tasks of a class or a TaskSet to a class of the plan."""
    module = scope.names.module
    picks = tasks_of(module, found)
    below = scope.within(found)
    if found.is_sequence:
        made.steps += _sequence(picks, below, made)
        return
    is_only = len(picks) == 1
    for pick in picks:
        if pick.function is not None:
            made.tasks.append(_task(pick, below, factor))
        elif pick.inner is not None:
            if not is_only:
                how = (
                    "a user stays in a TaskSet until interrupted; here each pick is among all tasks"
                )
                module.change(how, pick.inner.node)
            scope.names.is_among_others = not is_only
            _enter(pick, pick.inner, made, below, factor, is_only=is_only)
            scope.names.is_among_others = False


def _enter(
    pick: PickedTask,
    inner: LocustClass,
    made: DraftClass,
    scope: _KnownCode,
    factor: int,
    *,
    is_only: bool,
) -> None:
    """Add the tasks of a TaskSet, which begins with its own `on_start`."""
    module = scope.names.module
    scope.state.update({**_initial_state(inner, scope.names), **scope.state})
    if not made.keys.keys() & {"wait", "pace"}:
        made.keys.update(wait_keys(module, inner))
    below = scope.within(inner)
    made.on_start += [*_body(inner, "__init__", below), *_body(inner, "on_start", below)]
    made.on_stop += _body(inner, "on_stop", below)
    if inner.is_sequence and not is_only:
        steps = _sequence(tasks_of(module, inner), below, made)
        origin = module.place(inner.node)
        made.tasks.append(DraftTask(pick.name, steps, pick.weight * factor, origin=origin))
    else:
        _tasks(inner, made, scope, pick.weight * factor)


def _sequence(picks: list[PickedTask], scope: _KnownCode, made: DraftClass) -> list[DraftStep]:
    """Return tasks that run in their order, with the class's wait between them."""
    steps: list[DraftStep] = []
    wait = made.keys.get("wait")
    for pick in picks:
        if pick.function is None:
            continue
        task = _task(pick, scope, 1)
        if not task.steps:
            continue
        if steps and wait:
            steps.append(DraftStep({"think": wait}))
        steps.append(
            DraftStep({"group": task.name, "do": task.steps}, origin=task.origin, notes=task.notes)
        )
    return steps


def _task(pick: PickedTask, scope: _KnownCode, factor: int) -> DraftTask:
    assert pick.function is not None, "the caller has looked"
    names = scope.names
    steps = _steps(pick.function, scope)
    keys: Keys = {"tags": pick.tags} if pick.tags else {}
    if len(steps) == 1 and steps[0].body.keys() == {"if", "then"}:
        keys["needs"] = steps[0].body["if"]  # a pick that does nothing, counted as skipped
        then = steps[0].body["then"]
        assert isinstance(then, list), "steps are lists"
        steps = then
    doc = ast.get_docstring(pick.function)
    origin = names.module.place(pick.function)
    made = DraftTask(pick.name, steps, pick.weight * factor, keys, origin=origin)
    made.notes += [doc] if doc else []
    if not steps:
        names.module.ledger.add("task", pick.name, origin).left_out("nothing of it is left")
        made.steps = [DraftStep({"log": f"{pick.name} does nothing"})]
    return made
