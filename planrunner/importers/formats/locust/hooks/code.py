"""Code on its way into a function: what it gets, what it gives back, and `self` and replies."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.locust.code.module import (
    LocustFunction,
    LocustModule,
    changed_by,
    dotted,
    names_read,
)
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.hooks.local_files import with_files_beside
from planrunner.importers.formats.locust.hooks.needs import CodeNeeds
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.values import dataclass

__all__ = ["HookCode"]

_NOT_OF_A_USER: Final = frozenset(
    {"client", "environment", "interrupt", "wait", "parent", "stop", "schedule_task", "host",
     "wait_time", "locust", "rest", "greenlet", "_state"}
)  # fmt: skip
"""Attributes of users that only Locust has."""

_REPLY: Final = {
    "text": ("reply_text", "body"),
    "content": ("reply_text", "body"),
    "status_code": ("reply_status", "status"),
    "headers": ("reply_headers", "headers"),
}
_DUCK: Final = "from types import SimpleNamespace"


@dataclass(slots=True)
class HookCode:
    """Code on its way into a function.

    Attributes:
        block: A copy of it, which is changed.
        wanted: The names that other code reads.
        given: What the function gets.
        outputs: The names that it sets; of the user where the first is true.
    """

    module: LocustModule
    kept: KeptFiles
    names: LocustNames
    methods: Mapping[str, LocustFunction]
    block: ast.Module
    wanted: AbstractSet[str] = frozenset()
    given: Keys = field(default_factory=dict)
    outputs: list[tuple[bool, str]] = field(default_factory=list)
    _own: dict[str, None] = field(default_factory=dict)
    _called: dict[str, LocustFunction] = field(default_factory=dict)

    def look(self) -> None:
        """Find what the code reads and sets.

        Raises:
            Unsayable: It can't stand in a function of its own.
        """
        self._refuse_control()
        self.block = _ReplyReads(self).visit(self.block)
        with_files = with_files_beside(self.block, self.module, self.kept)
        assert isinstance(with_files, ast.Module), "it stays one"
        self.block = with_files
        _MethodCalls(self).visit(self.block)
        changed = changed_by(self.block)
        local = self.names.local
        for name in names_read(self.block):
            if name in self.names.replies:
                raise Unsayable(self.block, "code that computes with a whole reply")
            if name in local and name not in self.given:
                self.given[name] = f"${{{local[name]}}}"
        stored = [name for name in _stored(self.block) if name in self.wanted]
        self.given.update({name: f"${{{local[name]}}}" for name in stored if name in local})
        self.outputs += [(False, name) for name in stored]
        self.outputs += [
            (False, name) for name in self.given if name in changed and name not in stored
        ]
        for attribute in self._own:
            is_changed = self._is_changed(attribute)
            if is_changed or attribute in self._set_on_self():
                self.outputs.append((True, attribute))
            if is_changed or self._is_read(attribute) or not self._is_surely_set(attribute):
                self.given[self._argument(attribute)] = f"${{{self.names.name_state(attribute)}}}"

    def needs(self) -> CodeNeeds:
        """Return what the code needs of its files."""
        found = CodeNeeds(self.module, kept=self.kept)
        known = frozenset({*self.given, self.names.own, *self._called})
        found.add(self.block, known)
        for method in self._called.values():
            found.add(method, known)
        if self._own or self._called:
            found.imports["SimpleNamespace"] = _DUCK
        return found

    def lines(self) -> list[str]:
        """Return the code, in a function, with `self` as a thing of its own."""
        own = self.names.own
        made = [ast.unparse(_without_decorators(method)) for method in self._called.values()]
        if self._own or self._called:
            attributes = ", ".join(
                f"{one}={self._argument(one)}"
                for one in self._own
                if self._argument(one) in self.given
            )
            made.append(f"{own} = SimpleNamespace({attributes})")
        surely = _surely_set(self.block)
        for is_own, name in self.outputs:
            if not is_own and name not in surely and name not in self.given:
                made.append(f"{name} = None")
        return [*made, *(ast.unparse(one) for one in self.block.body)]

    def returned(self) -> str:
        """Return the code of what the function gives back; empty where that is nothing."""
        said = [
            (f"{self.names.own}.{name}" if is_own else name, name) for is_own, name in self.outputs
        ]
        if len(said) == 1:
            return said[0][0]
        return "{" + ", ".join(f'"{name}": {code}' for code, name in said) + "}" if said else ""

    def _is_changed(self, attribute: str) -> bool:
        own = f"{self.names.own}.{attribute}"
        return any(
            one == own or one.startswith(f"{own}.")
            for part in (self.block, *self._called.values())
            for one in changed_by(part)
        )

    def _argument(self, attribute: str) -> str:
        return f"own_{attribute}" if attribute in self.names.local else attribute

    def _set_on_self(self) -> set[str]:
        return {
            one.attr
            for part in (self.block, *self._called.values())
            for one in ast.walk(part)
            if isinstance(one, ast.Attribute)
            and isinstance(one.ctx, ast.Store)
            and dotted(one.value) == self.names.own
        }

    def _is_surely_set(self, attribute: str) -> bool:
        return f"{self.names.own}.{attribute}" in _surely_set(self.block)

    def _is_read(self, attribute: str) -> bool:
        return any(
            isinstance(one, ast.Attribute)
            and one.attr == attribute
            and isinstance(one.ctx, ast.Load)
            and dotted(one.value) == self.names.own
            for part in (self.block, *self._called.values())
            for one in ast.walk(part)
        ) or any(isinstance(one, ast.AugAssign) for one in ast.walk(self.block))

    def _refuse_control(self) -> None:
        """Refuse code that leaves what it stands in, or only works under Locust."""
        for node in _outside_functions(self.block):
            is_return = isinstance(node, ast.Return) and node is not self.block.body[0]
            if is_return or isinstance(node, ast.Raise | ast.Global | ast.Nonlocal | ast.Await):
                raise Unsayable(node, "code that ends the function around it")
            if isinstance(node, ast.Break | ast.Continue) and not _is_in_loop(self.block, node):
                raise Unsayable(node, "code that ends a loop")

    def own_attribute(self, node: ast.Attribute) -> None:
        """Know an attribute of the user that the code reads or sets.

        Raises:
            Unsayable: Only Locust has it.
        """
        if node.attr in _NOT_OF_A_USER or (node.attr in self.methods and not self._is_known(node)):
            raise Unsayable(node, f"`{node.attr}` of the user, which only Locust has")
        self._own.setdefault(node.attr)

    def _is_known(self, node: ast.Attribute) -> bool:
        return node.attr in self._called

    def own_method(self, name: str) -> LocustFunction:
        """Take a method of the user along; returns it.

        Raises:
            Unsayable: It sends.
        """
        method = self.methods[name]
        if name not in self._called:
            self._called[name] = copy.deepcopy(method)
            _MethodCalls(self).visit(self._called[name])
        return method


class _ReplyReads(ast.NodeTransformer):
    """Reads of a reply as arguments."""

    def __init__(self, code: HookCode) -> None:
        self.code = code

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "json" and self._is_reply(func.value):
            return self._argument("reply_json", "json")
        if isinstance(func, ast.Attribute) and self._is_reply(func.value):
            return self._pieces(node, func.attr)
        return self.generic_visit(node)

    def _pieces(self, node: ast.Call, word: str) -> ast.AST:
        """Return the pieces of a streamed reply, which a plan has as a whole."""
        text = self._argument("reply_text", "body")
        is_text = any(one.arg == "decode_unicode" for one in node.keywords)
        data = text if is_text else _called_on(text, "encode")
        if word == "iter_lines":
            return _called_on(data, "splitlines")
        if word == "iter_content":
            return ast.List(elts=[data], ctx=ast.Load())
        raise Unsayable(node, f"`{word}` of a reply")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if self._is_reply(node.value) and node.attr in _REPLY:
            made = self._argument(*_REPLY[node.attr])
            if node.attr == "content":
                return _called_on(made, "encode")
            return made
        return self.generic_visit(node)

    def _is_reply(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.code.names.replies

    def _argument(self, name: str, said: str) -> ast.Name:
        self.code.given[name] = f"${{{said}}}"
        return ast.Name(id=name, ctx=ast.Load())


class _MethodCalls(ast.NodeTransformer):
    """Calls of the user's methods as calls of functions, with the user as the first argument."""

    def __init__(self, code: HookCode) -> None:
        self.code = code

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        own = self.code.names.own
        if isinstance(func, ast.Attribute) and dotted(func.value) in (own, "self"):
            if func.attr not in self.code.methods:
                raise Unsayable(node, f"`{func.attr}` of the user")
            method = self.code.own_method(func.attr)
            is_static = any(dotted(one) == "staticmethod" for one in method.decorator_list)
            first = [] if is_static else [ast.Name(id=own, ctx=ast.Load())]
            node.func = ast.Name(id=func.attr, ctx=ast.Load())
            node.args = [*first, *node.args]
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        own = self.code.names.own
        if dotted(node.value) == f"{own}.user":
            node.value = ast.Name(id=own, ctx=ast.Load())
        if isinstance(node.value, ast.Name) and node.value.id in (own, "self"):
            self.code.own_attribute(node)
            return node
        self.generic_visit(node)
        return node


def _called_on(node: ast.expr, method: str) -> ast.Call:
    return ast.Call(
        func=ast.Attribute(value=node, attr=method, ctx=ast.Load()), args=[], keywords=[]
    )


def _stored(block: ast.Module) -> list[str]:
    """Return the names that code sets, those of comprehensions and of functions left out."""
    inner = {
        one.id
        for node in ast.walk(block)
        if isinstance(node, ast.comprehension)
        for one in ast.walk(node.target)
        if isinstance(one, ast.Name)
    }
    found = {
        one.id: None
        for one in _outside_functions(block)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and one.id not in inner
    }
    return list(found)


def _surely_set(block: ast.Module) -> set[str]:
    """Return the names, dotted ones too, that code sets whatever its conditions are."""
    return {
        dotted(target)
        for one in block.body
        if isinstance(one, ast.Assign)
        for target in one.targets
    } | {dotted(one.target) for one in block.body if isinstance(one, ast.AnnAssign)}


def _outside_functions(node: ast.AST) -> list[ast.AST]:
    """Return a node and all below it, but for the insides of functions."""
    found: list[ast.AST] = [node]
    for below in ast.iter_child_nodes(node):
        if not isinstance(
            below, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            found += _outside_functions(below)
    return found


def _is_in_loop(block: ast.Module, node: ast.AST) -> bool:
    return any(
        node in list(ast.walk(one))
        for one in ast.walk(block)
        if isinstance(one, ast.For | ast.While)
    )


def _without_decorators(function: LocustFunction) -> LocustFunction:
    made = copy.copy(function)
    made.decorator_list = []
    return made
