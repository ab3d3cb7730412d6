"""The statements of a task → steps."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.locust.code.expressions import expression, text_of, value
from planrunner.importers.formats.locust.code.inlining import bound, replaced
from planrunner.importers.formats.locust.code.mappings import known_keys, with_key
from planrunner.importers.formats.locust.code.module import LocustFunction, dotted
from planrunner.importers.formats.locust.code.names import Unsayable
from planrunner.importers.formats.locust.steps.conditions import expressions_of, negated
from planrunner.importers.formats.locust.steps.replies import is_verdict, path_of
from planrunner.importers.formats.locust.steps.requests import client_call, request_step
from planrunner.importers.formats.locust.steps.verdicts import LOGS, ReplyCode

__all__ = ["TaskBody"]

_DEEPEST: Final = 8
_SLEEPS: Final = ("time.sleep", "gevent.sleep", "asyncio.sleep")
_MOST_CALLS: Final = 50
_HOOK: Final = "write it as a step, or as a function of a hook"


@dataclass(slots=True)
class TaskBody(ReplyCode):
    """Code of one task, being read.

    Attributes:
        functions: Methods of the user by name, those of bases included.
        called: Functions whose code is being read, the outermost first.
        depth: How many conditions the code being read stands under.
    """

    functions: Mapping[str, LocustFunction] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    depth: int = 0

    def steps(self, code: Sequence[ast.stmt]) -> list[DraftStep]:
        """Return the steps of statements; what can't be said is left out by name."""
        steps: list[DraftStep] = []
        for number, node in enumerate(code):
            early = self._early_return(node)
            if early is not None:
                rest = [*code[number + 1 :]]
                return [*steps, *self._unless(early, node, rest)]
            if isinstance(node, ast.Return) and node.value is None:
                break
            try:
                before, plain = self._without_own_calls(node)
                steps += [*before, *self._statement(plain)]
            except Unsayable as fault:
                self.names.module.leave_out(f"{fault.why}", node)
        return steps

    def _without_own_calls(self, node: ast.stmt) -> tuple[list[DraftStep], ast.stmt]:
        """Put what own functions give in the place of their calls, their steps before it."""
        steps: list[DraftStep] = []
        for _ in range(_MOST_CALLS):
            found = next((one for one in expressions_of(node) if self._is_own(one)), None)
            if found is None:
                break
            call = found if isinstance(found, ast.Call) else _called(found)
            before, returned = self._inline(call)
            if returned is None:
                raise Unsayable(call, "a function that gives nothing back")
            steps += before
            node = replaced(node, found, returned, self.names)
        return steps, node

    def _early_return(self, node: ast.stmt) -> ast.If | None:
        match node:
            case ast.If(body=[*_, ast.Return(value=None | ast.Constant())], orelse=[]):
                return node
            case _:
                return None

    def _unless(self, node: ast.If, place: ast.stmt, rest: list[ast.stmt]) -> list[DraftStep]:
        """Return the steps of code that ends where a condition is true."""
        try:
            test = expression(node.test, self.names)
        except Unsayable as fault:
            self.names.module.leave_out(fault.why, node)
            return self.steps(rest)
        self.names.module.accept(node.test)
        then = self.steps(node.body[:-1])
        after = self.steps(rest)
        if not after:
            return [self.step({"if": test, "then": then}, place)] if then else []
        if then:
            return [self.step({"if": test, "then": then, "else": after}, place)]
        return [self.step({"if": negated(test), "then": after}, place)]

    def _statement(self, node: ast.stmt) -> list[DraftStep]:
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
        call = client_call(inner, self.names.own)
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
            self.names.module.change("a TaskSet's tasks are tasks of the class here", node)
            return []
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
        call = client_call(inner, self.names.own)
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
        steps: list[DraftStep] = []
        said: object = None
        if path is None:
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
            is_optional = isinstance(inner, ast.Call)
            extract[name] = {"jsonpath": path, "required": False} if is_optional else path
            return []
        return [*steps, self.step({"set": {name: said}}, node)]

    def _is_own(self, node: ast.expr) -> bool:
        """Say whether code calls a function of these files, or reads a property."""
        if isinstance(node, ast.Call):
            return self._function(node) is not None
        if not isinstance(node, ast.Attribute):
            return False
        function = self._function(_called(node))
        return function is not None and any(
            dotted(one) == "property" for one in function.decorator_list
        )

    def _function(self, call: ast.Call) -> LocustFunction | None:
        name = dotted(call.func)
        own, _, method = name.partition(".")
        if own == self.names.own and method in self.functions:
            return self.functions[method]
        return self.names.module.functions.get(name)

    def _inline(self, call: ast.Call) -> tuple[list[DraftStep], ast.expr | None]:
        """Put the code of a function in the place of its call."""
        function = self._function(call)
        name = dotted(call.func)
        if function is None:
            raise Unsayable(call, f"a call of `{name or 'computed code'}`; {_HOOK}")
        if function.name in self.called or len(self.called) > _DEEPEST:
            raise Unsayable(call, "a function that calls itself")
        code, returned, computed = bound(function, call, self.names)
        steps = [
            self.step({"set": {name: value(argument, self.names)}}, call)
            for name, argument in computed
        ]
        self.called.append(function.name)
        own = self.names.own
        try:
            steps += self.steps(code)
        finally:
            self.called.pop()
            self.names.own = own
        self.names.module.accept(call)
        return steps, returned

    def _with(self, node: ast.With) -> list[DraftStep]:
        item = node.items[0]
        call = client_call(item.context_expr, self.names.own)
        if call is None or len(node.items) > 1:
            raise Unsayable(node, _HOOK)
        reply = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
        return [*self._send(call, reply), *self.steps(node.body)]

    def _if(self, node: ast.If) -> list[DraftStep]:
        judged = self.judged(node)
        if judged is not None:
            return judged
        if self.reply and self.only_extracts([node]):
            self.extract_all([node])
            return []
        test = expression(node.test, self.names)
        self.names.module.accept(node.test)
        self.depth += 1
        then, other = self.steps(node.body), self.steps(node.orelse)
        self.depth -= 1
        if not then and not other:
            return []
        if not then:
            return [self.step({"if": negated(test), "then": other}, node)]
        return [self.step({"if": test, "then": then, **({"else": other} if other else {})}, node)]

    def _for(self, node: ast.For) -> list[DraftStep]:
        target, source, code = node.target, node.iter, node.body
        match source:
            case ast.Call(func=ast.Name(id="range"), args=[count]):
                times = value(count, self.names)
                uses = {
                    one.id for each in code for one in ast.walk(each) if isinstance(one, ast.Name)
                }
                if not (isinstance(target, ast.Name) and target.id in uses):
                    self.names.module.accept(source)
                    return [self.step({"repeat": times, "do": self._inner(code)}, node)]
                text = f"range({expression(count, self.names)})"
            case _:
                text = expression(source, self.names)
        if not isinstance(target, ast.Name):
            raise Unsayable(node, "a loop over pairs; loop over a list of mappings")
        self.names.module.accept(source)
        name = self.names.name_local(target.id)
        return [self.step({"foreach": f"{name} in {text}", "do": self._inner(code)}, node)]

    def _while(self, node: ast.While) -> list[DraftStep]:
        condition = expression(node.test, self.names)
        self.names.module.accept(node.test)
        return [self.step({"while": condition, "do": self._inner(node.body)}, node)]

    def _inner(self, code: list[ast.stmt]) -> list[DraftStep]:
        steps = self.steps(code)
        if not steps:
            raise Unsayable(code[0], "a loop of which nothing is left")
        return steps

    def _try(self, node: ast.Try) -> list[DraftStep]:
        for handler in node.handlers:
            for one in handler.body:
                is_trivial = isinstance(one, ast.Pass | ast.Continue) or self._is_log(one)
                if is_trivial or (self.reply and is_verdict(one, self.reply)):
                    self.names.module.accept(one)
                elif not isinstance(one, ast.Return):
                    self.names.module.leave_out(
                        "what an exception leads to; a failure is counted", one
                    )
        return [*self.steps(node.body), *self.steps(node.orelse), *self.steps(node.finalbody)]

    def _is_log(self, node: ast.stmt) -> bool:
        call = node.value if isinstance(node, ast.Expr) else None
        return isinstance(call, ast.Call) and dotted(call.func).startswith(LOGS)

    def _raise(self, node: ast.Raise) -> list[DraftStep]:
        raised = node.exc or ast.Name(id="")
        called = raised.func if isinstance(raised, ast.Call) else raised
        name = self.names.module.full_name(called).rpartition(".")[2]
        stops = {"StopUser": "user", "RescheduleTask": "iteration", "InterruptTaskSet": "iteration",
                 "RescheduleTaskImmediately": "iteration", "StopLocust": "user"}  # fmt: skip
        if name not in stops:
            raise Unsayable(node, "an exception; say when a request fails with `expect`")
        self.names.module.accept(node)
        return [self.step({"stop": stops[name]}, node)]

    _STATEMENTS: ClassVar[dict[type[ast.stmt], Callable[..., list[DraftStep]]]] = {
        **dict.fromkeys((ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal), _nothing),
        ast.Return: _return,
        ast.Expr: _expression,
        ast.Assign: _assignment,
        ast.AnnAssign: _assignment,
        ast.AugAssign: _augmented,
        ast.With: _with,
        ast.If: _if,
        ast.For: _for,
        ast.While: _while,
        ast.Try: _try,
        ast.Raise: _raise,
    }


def _called(node: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node)
