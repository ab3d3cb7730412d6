"""The statements of a task → steps."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import ClassVar, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.locust.code.expressions import expression, text_of, value
from planrunner.importers.formats.locust.code.inlining import bound, replaced
from planrunner.importers.formats.locust.code.mappings import known_keys, with_key
from planrunner.importers.formats.locust.code.module import LocustFunction, dotted
from planrunner.importers.formats.locust.code.names import Unsayable
from planrunner.importers.formats.locust.steps.conditions import expressions_of
from planrunner.importers.formats.locust.steps.control import ControlCode
from planrunner.importers.formats.locust.steps.replies import default_of, is_verdict, path_of
from planrunner.importers.formats.locust.steps.requests import client_call, request_step
from planrunner.importers.formats.locust.steps.verdicts import LOGS
from planrunner.values import dataclass

__all__ = ["TaskBody"]

_DEEPEST: Final = 8
_SLEEPS: Final = ("time.sleep", "gevent.sleep", "asyncio.sleep")
_MOST_CALLS: Final = 50
_HOOK: Final = "write it as a step, or as a function of a hook"


@dataclass(slots=True)
class TaskBody(ControlCode):
    """Code of one task, being read."""

    def dry(self) -> TaskBody:
        """Return a reader of code that is only tried."""
        return TaskBody(
            self.names.dry(),
            DraftStep({}),
            self.reply,
            functions=self.functions,
            called=[*self.called],
        )

    def said(self, node: ast.stmt) -> tuple[list[DraftStep], ast.stmt]:
        """Put what own functions give in the place of their calls, their steps before it."""
        steps: list[DraftStep] = []
        for _ in range(_MOST_CALLS):
            found = next((one for one in expressions_of(node) if self._is_own(one)), None)
            if found is None:
                break
            before, returned = self._given(found, node)
            if returned is None:
                raise Unsayable(found, "a function that gives nothing back")
            steps += before
            node = replaced(node, found, returned, self.names)
        return steps, node

    def _given(self, found: ast.expr, node: ast.stmt) -> tuple[list[DraftStep], ast.expr | None]:
        """Return the steps of a call of an own function, and what it gives back."""
        if self.computes(found) and self.is_lossy([_kept(found)]):
            try:
                step, name = self.evaluated(found, node)
            except Unsayable:
                pass
            else:
                return [step], name
        return self._inline(found if isinstance(found, ast.Call) else _called(found))

    def statement(self, node: ast.stmt) -> list[DraftStep]:
        """Return the steps of a statement without calls of own functions."""
        known = self._STATEMENTS.get(type(node))
        if known is None:
            raise Unsayable(node, _HOOK)
        return known(self, node)

    def _nothing(self, _: ast.stmt) -> list[DraftStep]:
        return []

    def _return(self, node: ast.Return) -> list[DraftStep]:
        if isinstance(node.value, ast.Constant):
            return []
        raise Unsayable(node, "a value that is given back amid other code")

    def _expression(self, node: ast.Expr) -> list[DraftStep]:
        return [] if isinstance(node.value, ast.Constant) else self._call(node, node.value)

    def _assignment(self, node: ast.Assign | ast.AnnAssign) -> list[DraftStep]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is None:
            return []
        if len(targets) != 1:
            raise Unsayable(node, "several names that are set at once")
        return self.assign(node, targets[0], node.value)

    def _augmented(self, node: ast.AugAssign) -> list[DraftStep]:
        return self.assign(
            node, node.target, ast.BinOp(left=node.target, op=node.op, right=node.value)
        )

    def _send(self, call: ast.Call, reply: str) -> list[DraftStep]:
        step = request_step(call, self.names)
        self.names.module.accept(call)
        for name in [name for name, said in self.names.local.items() if said == "json"]:
            del self.names.local[name]
        self.names.replies = {reply} if reply else set()
        self.request, self.reply = step, reply
        return [step]

    def _call(self, node: ast.stmt, inner: ast.expr) -> list[DraftStep]:
        call = client_call(inner, self.names)
        if call is not None:
            return self._send(call, "")
        if isinstance(inner, ast.Await):
            inner = inner.value
        if not isinstance(inner, ast.Call):
            raise Unsayable(node, _HOOK)
        name = dotted(inner.func)
        full = self.names.module.full_name(inner.func)
        known = self._known_call(node, inner, name, full)
        if known is not None:
            self.names.module.accept(node)
            return known
        steps, _ = self._inline(inner)
        return steps

    def _known_call(
        self, node: ast.stmt, call: ast.Call, name: str, full: str
    ) -> list[DraftStep] | None:
        """Return the steps of a call that every Locust file knows; None for others."""
        if full in _SLEEPS or name == f"{self.names.own}._sleep":
            return [self.step({"think": self._seconds(call.args[0])}, node)]
        if name.startswith(LOGS):
            return self._log(node, call)
        if name.endswith(("runner.quit", "runner.stop")):
            return [self.step({"stop": "plan"}, node)]
        if self.reply and is_verdict(node, self.reply):
            return self._verdict(node, call)
        return self._own_call(node, call, name, full)

    def _own_call(
        self, node: ast.stmt, call: ast.Call, name: str, full: str
    ) -> list[DraftStep] | None:
        """Return the steps of a call of Locust's own methods; None for others."""
        own = self.names.own
        is_above = name.endswith((".on_start", ".on_stop", ".__init__")) and not name.startswith(
            own
        )
        if name == f"{own}.wait" or full.startswith("super") or is_above or self._is_above(call):
            return []
        if name == f"{own}.interrupt":
            if self.names.is_among_others:
                self.names.module.change("a TaskSet's tasks are tasks of the class here", node)
            return [self.step({"stop": "iteration"}, node)]
        if name.endswith(".append") and len(call.args) == 1:
            assert isinstance(call.func, ast.Attribute), "it has a dot"
            changed = self._owned(call.func.value)
            if changed is not None:
                longer = f"${{{changed} + [{expression(call.args[0], self.names)}]}}"
                return [self.step({"set": {changed: longer}}, node)]
        if name == f"{own}.client.headers.update" and call.args:
            headers = value(call.args[0], self.names)
            return [self.step({"header": headers}, node)] if isinstance(headers, dict) else None
        return None

    def _is_above(self, call: ast.Call) -> bool:
        """Say whether a call is `super().method()`: what classes inherit is read already."""
        func = call.func
        above = func.value if isinstance(func, ast.Attribute) else None
        return isinstance(above, ast.Call) and dotted(above.func) == "super"

    def _verdict(self, node: ast.stmt, call: ast.Call) -> list[DraftStep]:
        """Read `success()` and `failure()` that stand under no condition of the reply."""
        if dotted(call.func).endswith(".failure"):
            raise Unsayable(node, "say when the request fails with `expect`")
        return []

    def _log(self, node: ast.stmt, call: ast.Call) -> list[DraftStep]:
        if not call.args:
            return []
        try:
            return [self.step({"log": text_of(call.args[0], self.names)}, node)]
        except Unsayable as fault:
            raise Unsayable(node, f"a line of a log: {fault.why}") from fault

    def _seconds(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=int() | float() as seconds):
                return f"{seconds:g}s"
            case ast.Call(args=[ast.Constant(value=low), ast.Constant(value=high)]) if (
                self.names.module.full_name(node.func) in ("random.uniform", "random.randint")
            ):
                return f"{low!s}s..{high!s}s"
            case _:
                return text_of(node, self.names)

    def assign(self, node: ast.stmt, target: ast.expr, inner: ast.expr) -> list[DraftStep]:
        call = client_call(inner, self.names)
        if call is not None and isinstance(target, ast.Name):
            return self._send(call, target.id)
        if isinstance(target, ast.Tuple) and isinstance(inner, ast.Tuple):
            pairs = zip(target.elts, inner.elts, strict=False)
            return [step for left, right in pairs for step in self.assign(node, left, right)]
        if isinstance(target, ast.Name):
            if len(self.called) == 1:
                self.names.made_by.pop(target.id, None)
            if isinstance(inner, ast.Name) and inner.id in self.names.replies:
                self.names.replies.add(target.id)
                self.reply = target.id
                return []
        if isinstance(target, ast.Subscript):
            return self._set_key(node, target, inner)
        return self._set_name(node, target, inner)

    def _set_key(self, node: ast.stmt, target: ast.Subscript, inner: ast.expr) -> list[DraftStep]:
        """Read `mapping[key] = value`."""
        if dotted(target.value).endswith("client.headers"):
            headers = {text_of(target.slice, self.names): text_of(inner, self.names)}
            self.names.module.accept(node)
            return [self.step({"header": headers}, node)]
        name = self._owned(target.value)
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        if name is None or not isinstance(key, str):
            raise Unsayable(node, _HOOK)
        with_key(self.names, target.value, key, always=not self.depth)
        said = f"dict({name}, **{{'{key}': {expression(inner, self.names)}}})"
        if key.isidentifier():
            said = f"dict({name}, {key}={expression(inner, self.names)})"
        self.names.module.accept(node)
        return [self.step({"set": {name: f"${{{said}}}"}}, node)]

    def _owned(self, node: ast.expr) -> str | None:
        """Return the plan's name of what code may change: a local name, or one of the user."""
        own = f"{self.names.own}."
        if isinstance(node, ast.Name):
            return self.names.local.get(node.id)
        name = dotted(node).removeprefix(own)
        is_own = dotted(node).startswith(own) and name.isidentifier()
        return self.names.name_state(name) if is_own else None

    def _set_name(self, node: ast.stmt, target: ast.expr, inner: ast.expr) -> list[DraftStep]:
        if dotted(target) == f"{self.names.own}.client.headers":
            headers = value(inner, self.names)
            if isinstance(headers, dict):
                self.names.module.accept(node)
                return [self.step({"header": headers}, node)]
        if (
            isinstance(target, ast.Attribute)
            and dotted(target) == f"{self.names.own}.{target.attr}"
        ):
            name = self.names.name_state(target.attr)
        elif isinstance(target, ast.Name):
            if path_of(inner, self.reply, self.names) == "$":
                self.names.local[target.id] = "json"
                self.names.module.accept(node)
                return []
            name = ""
        else:
            raise Unsayable(node, _HOOK)
        return self._set(node, target, name, inner)

    def _set(self, node: ast.stmt, target: ast.expr, name: str, inner: ast.expr) -> list[DraftStep]:
        """Give a name a value: extracted where it is one of the reply's, else computed."""
        path = path_of(inner, self.reply, self.names) if self.reply else None
        default = default_of(inner) if path is not None else {}
        steps: list[DraftStep] = []
        said: object = None
        if path is None or default is None or self.request is None:
            path = None
            said = value(inner, self.names)
        keys = known_keys(inner, self.names)
        if isinstance(target, ast.Name):
            name = self.names.name_local(target.id)
            self.names.mappings.pop(target.id, None)
        if keys is not None and isinstance(target, ast.Name):
            self.names.mappings[target.id] = dict(keys)
        self.names.module.accept(node)
        if path is not None and self.request is not None:
            extract = self.request.body.setdefault("extract", {})
            assert isinstance(extract, dict), "only this writes it"
            extract[name] = {"jsonpath": path, **default} if default else path
            return []
        return [*steps, self.step({"set": {name: said}}, node)]

    def _is_own(self, node: ast.expr) -> bool:
        """Say whether code calls a function of these files, or reads a property."""
        if isinstance(node, ast.Call):
            return self.function(node) is not None
        if not isinstance(node, ast.Attribute):
            return False
        function = self.function(_called(node))
        return function is not None and any(
            dotted(one) == "property" for one in function.decorator_list
        )

    def function(self, call: ast.Call) -> LocustFunction | None:
        """Return the function of these files that a call is of."""
        name = dotted(call.func)
        own, _, method = name.partition(".")
        if own == self.names.own and method in self.functions:
            return self.functions[method]
        return self.names.module.functions.get(name) or self.names.module.method(name)

    def _below(self, function: LocustFunction) -> set[ast.AST]:
        """Return the functions of these files that a function may call, at any depth."""
        known = self.names.below.get(function)
        if known is None:
            known = self.names.below[function] = set()
            waiting: list[ast.AST] = [function]
            while waiting:
                for one in ast.walk(waiting.pop()):
                    found = self.function(one) if isinstance(one, ast.Call) else None
                    if found is not None and found not in known:
                        known.add(found)
                        waiting.append(found)
        return known

    def _inline(self, call: ast.Call) -> tuple[list[DraftStep], ast.expr | None]:
        """Put the code of a function in the place of its call."""
        function = self.function(call)
        name = dotted(call.func)
        if function is None:
            raise Unsayable(call, f"a call of `{name or 'computed code'}`; {_HOOK}")
        is_deep = len(self.called) > _DEEPEST
        if function in self.called or is_deep or function in self._below(function):
            raise Unsayable(call, "a function that calls itself")
        code, returned, computed = bound(function, call, self.names)
        steps = [
            self.step({"set": {name: value(argument, self.names)}}, call)
            for name, argument in computed
        ]
        self.called.append(function)
        own = self.names.own
        try:
            steps += self.steps(code)
        finally:
            self.called.pop()
            self.names.own = own
        self.names.module.accept(call)
        return steps, returned

    def _with(self, node: ast.With) -> list[DraftStep]:
        first, *others = node.items
        name = first.optional_vars.id if isinstance(first.optional_vars, ast.Name) else ""
        call = client_call(first.context_expr, self.names)
        if call is not None and not others:
            return [*self._send(call, name), *self.steps(node.body)]
        match first.context_expr:
            case ast.Call(func=ast.Name(id="open"), args=[path, *_]) as opening if name:
                self.names.opened[name] = self.names.file(text_of(path, self.names), opening)
                body = [ast.With(items=others, body=node.body)] if others else node.body
                return self.steps(body)
            case ast.Name(id=reply) if reply in self.names.replies:
                return self.steps(node.body)
            case ast.Name() | ast.Attribute() as lock if self._is_lock(lock):
                self.names.module.change_once("users do not wait for each other here", node)
                return self.steps(node.body)
            case _:
                raise Unsayable(node, _HOOK)

    def _is_lock(self, node: ast.expr) -> bool:
        made = self.names.module.constants.get(dotted(node))
        return isinstance(made, ast.Call) and dotted(made.func).endswith(
            ("Lock", "Semaphore", "BoundedSemaphore")
        )

    _STATEMENTS: ClassVar[dict[type[ast.stmt], Callable[..., list[DraftStep]]]] = {
        **dict.fromkeys((ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal), _nothing),
        ast.Return: _return,
        ast.Expr: _expression,
        ast.Assign: _assignment,
        ast.AnnAssign: _assignment,
        ast.AugAssign: _augmented,
        ast.With: _with,
        ast.If: ControlCode.read_if,
        ast.For: ControlCode.read_for,
        ast.While: ControlCode.read_while,
        ast.Try: ControlCode.read_try,
        ast.Raise: ControlCode.read_raise,
        ast.Assert: ControlCode.read_assert,
    }


def _called(node: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node)


def _kept(node: ast.expr) -> ast.stmt:
    """Return the statement that gives a name what code gives."""
    target = ast.Name(id="kept", ctx=ast.Store())
    made = ast.Assign(targets=[target], value=node, lineno=node.lineno)
    return ast.fix_missing_locations(ast.copy_location(made, node))
