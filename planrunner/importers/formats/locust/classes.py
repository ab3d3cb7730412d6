"""Classes of Locust files: what each inherits, its tasks with weights and tags, its waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import field
from math import isfinite
from typing import Final

from planrunner.importers.formats.locust.code.module import LocustFunction, LocustModule
from planrunner.values import dataclass

__all__ = ["LocustClass", "PickedTask", "find_class", "tasks_of", "user_classes", "wait_keys"]

_USERS: Final = ("HttpUser", "FastHttpUser", "User", "HttpLocust", "FastHttpLocust", "Locust")
_SETS: Final = ("TaskSet", "SequentialTaskSet", "TaskSequence", "MarkovTaskSet")
_DEEPEST: Final = 20


@dataclass(slots=True)
class PickedTask:
    """A task: a function, or a TaskSet."""

    name: str
    weight: int
    tags: list[str]
    function: LocustFunction | None = None
    inner: LocustClass | None = None


@dataclass(slots=True)
class LocustClass:
    """A class with all that it inherits from classes of the files.

    Attributes:
        kind: The class of Locust that it comes from: `HttpUser`, `SequentialTaskSet`.
        values: Attributes of the class by name.
    """

    node: ast.ClassDef
    kind: str
    functions: dict[str, LocustFunction] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)
    nested: dict[str, ast.ClassDef] = field(default_factory=dict)

    @property
    def is_abstract(self) -> bool:
        """Whether it is only a base of others."""
        return any(
            isinstance(one, ast.Assign)
            and isinstance(one.targets[0], ast.Name)
            and one.targets[0].id == "abstract"
            and isinstance(one.value, ast.Constant)
            and one.value.value is True
            for one in self.node.body
        )

    @property
    def is_sequence(self) -> bool:
        """Whether its tasks run in their order."""
        return self.kind in ("SequentialTaskSet", "TaskSequence")


def user_classes(module: LocustModule) -> Iterator[LocustClass]:
    """Yield the classes that Locust makes users of."""
    for node in module.classes.values():
        found = find_class(module, node)
        if found is not None and found.kind in _USERS and not found.is_abstract:
            yield found


def find_class(  # noqa: C901, PLR0912 - a table
    module: LocustModule, node: ast.ClassDef, depth: int = 0
) -> LocustClass | None:
    """Return a class with what it inherits; None where Locust has no part in it."""
    if depth > _DEEPEST:
        return None
    made = LocustClass(node, "")
    for base in node.bases:
        name = module.full_name(base).rpartition(".")[2]
        if name in (*_USERS, *_SETS) and name not in module.classes:
            made.kind = made.kind or name
        elif name in module.classes:
            below = module.classes[name]
            before = module.shadowed.get(node) if below is node else below
            above = None if before is None else find_class(module, before, depth + 1)
            if above is not None:
                made.kind = made.kind or above.kind
                made.functions = {**above.functions, **made.functions}
                made.values = {**above.values, **made.values}
                made.nested = {**above.nested, **made.nested}
    for one in node.body:
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                made.functions[name] = one
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                made.values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                made.values[name] = value
            case ast.ClassDef(name=name):
                made.nested[name] = one
            case _:
                pass
    return made if made.kind else None


def tasks_of(module: LocustModule, owner: LocustClass) -> list[PickedTask]:
    """Return the tasks of a class, in the order of the file."""
    found: list[PickedTask] = []
    for name, function in owner.functions.items():
        weight = _weight(module, function)
        if weight is not None:
            found.append(PickedTask(name, weight, _tags(module, function), function))
    for name, node in owner.nested.items():
        weight, inner = _weight(module, node), find_class(module, node)
        if weight is not None and inner is not None:
            found.append(PickedTask(name, weight, _tags(module, node), inner=inner))
    return [*found, *_listed(module, owner)]


def _listed(  # noqa: C901, PLR0912 - a table
    module: LocustModule, owner: LocustClass
) -> Iterator[PickedTask]:
    """Yield the tasks of `tasks = […]` and `tasks = {…: weight}`, and of old `task_set`."""
    listed = owner.values.get("tasks")
    pairs: list[tuple[ast.expr | None, int]] = []
    match listed:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            pairs = [(one, 1) for one in items]
        case ast.Dict(keys=keys, values=values):
            pairs = [(key, _number(one)) for key, one in zip(keys, values, strict=True)]
        case _:
            pass
    if "task_set" in owner.values:
        pairs.append((owner.values["task_set"], 1))
    merged: dict[str, int] = {}
    for node, weight in pairs:
        if isinstance(node, ast.Name | ast.Attribute):
            name = module.full_name(node).rpartition(".")[2]
            merged[name] = merged.get(name, 0) + weight
    for name, weight in merged.items():
        function = module.functions.get(name) or owner.functions.get(name)
        node_of = owner.nested.get(name) or module.classes.get(name)
        inner = find_class(module, node_of) if node_of is not None else None
        if function is not None:
            yield PickedTask(name, weight, _tags(module, function), function)
        elif inner is not None:
            yield PickedTask(name, weight, _tags(module, inner.node), inner=inner)


def _weight(module: LocustModule, node: LocustFunction | ast.ClassDef) -> int | None:
    """Return the weight that `@task` gives; None without one."""
    for one in node.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        name = module.full_name(called).rpartition(".")[2]
        if name in ("task", "seq_task"):
            module.accept(one)
            is_weight = isinstance(one, ast.Call) and one.args and name == "task"
            return _number(one.args[0]) if is_weight and isinstance(one, ast.Call) else 1
    return None


def _tags(module: LocustModule, node: LocustFunction | ast.ClassDef) -> list[str]:
    tags: list[str] = []
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and module.full_name(one.func).rpartition(".")[2] == "tag":
            module.accept(one)
            tags += [
                each.value
                for each in one.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
    return tags


def _number(node: ast.expr) -> int:
    """Return a weight; Locust takes whole numbers only."""
    match node:
        case ast.Constant(value=int() | float() as number) if isfinite(number):
            return max(1, int(number))
        case _:
            return 1


def wait_keys(module: LocustModule, owner: LocustClass) -> dict[str, object]:
    """Return `wait` or `pace` of a class; what can't be said is left out by name."""
    values = owner.values
    if "wait_time" not in values and {"min_wait", "max_wait"} & values.keys():
        low, high = (_constant(values.get(name)) or 1000 for name in ("min_wait", "max_wait"))
        return {"wait": f"{low:g}ms..{high:g}ms"}
    node = values.get("wait_time")
    if not isinstance(node, ast.Call):
        if node is not None and not (isinstance(node, ast.Constant) and node.value is None):
            module.leave_out("write it as `wait`", node)
        return {}
    numbers = [_constant(_resolved(module, one)) for one in node.args]
    name = module.full_name(node.func).rpartition(".")[2]
    made = _wait(name, numbers)
    if made is None:
        module.leave_out("write it as `wait` or `pace`", node)
        return {}
    module.accept(node)
    return made


def _wait(name: str, numbers: list[float | None]) -> dict[str, object] | None:
    match name, numbers:
        case "between", [float() as low, float() as high]:
            return (
                {"wait": f"{min(low, high):g}s..{max(low, high):g}s"}
                if high != low
                else {"wait": f"{low:g}s"}
            )
        case "constant", [float() as seconds]:
            return {"wait": f"{seconds:g}s"} if seconds else {}
        case "constant_pacing", [float() as seconds]:
            return {"pace": f"{seconds:g}s"}
        case "constant_throughput", [float() as rate] if rate > 0:
            return {"pace": f"{1 / rate:g}s"}
        case _:
            return None


def _resolved(module: LocustModule, node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Name):
        return module.constants.get(node.id, node)
    return node


def _constant(node: ast.expr | None) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number) if isfinite(number):
            return float(number)
        case _:
            return None
