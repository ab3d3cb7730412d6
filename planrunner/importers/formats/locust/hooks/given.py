"""Values that the files don't say: of modules that aren't here, and computed ones."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Final

from planrunner.importers.formats.locust.code.module import LocustModule, dotted
from planrunner.importers.formats.locust.code.names import LocustNames

__all__ = ["given_param"]

_LISTS: Final = frozenset({"choice", "sample", "choices", "len", "cycle", "iter", "enumerate",
                           "list", "sorted"})  # fmt: skip
_NUMBERS: Final = frozenset({"range", "randint", "uniform", "sleep", "between", "constant",
                             "constant_pacing", "int"})  # fmt: skip
_STAND_INS: Final = {"list": ["?"], "duration": "30s", "int": 1, "str": "?",
                     "url": "http://127.0.0.1:8000"}  # fmt: skip
_KNOWN: Final = frozenset({"locust", "gevent", "faker", "requests", "httpx"})


def given_param(node: ast.Name, names: LocustNames, kind: str = "") -> str | None:
    """Return the param for a value that a person has to give; None for any other name."""
    module, name = names.module, node.id
    help_text = _origin(module, name)
    if help_text is None:
        return None
    kind = kind or _kind(module, name)
    spec: dict[str, object] = {"type": kind, "default": _STAND_INS[kind], "help": help_text}
    said = module.constants.get(name)
    if isinstance(said, ast.Constant) and isinstance(said.value, str | int | float):
        spec = {"type": type(said.value).__name__, "default": said.value, "help": help_text}
    made = names.param(name, spec)
    construct = module.given.get(name)
    if construct is None:
        construct = module.ledger.add("value", name, module.place(node))
        module.given[name] = construct
    construct.needs_you(f"set the param `{made}`: it {help_text}")
    return made


def _origin(module: LocustModule, name: str) -> str | None:
    """Say where a value comes from that no file says; None where there is none."""
    if name in module.imported and name.isupper():
        full = module.imported[name]
        root = full.partition(".")[0]
        is_known = root in sys.stdlib_module_names or root in _KNOWN
        return None if is_known else f"was {full}, which is not here"
    if name in module.loose_names:
        return f"was {name}, which the file computes when it is read"
    return None


def _kind(module: LocustModule, name: str) -> str:
    """Return the type of param that a name's uses need."""
    kinds = {kind for tree in module.trees for kind in _uses(tree, name)}
    for one in ("list", "duration", "int"):
        if one in kinds:
            return one
    return "str"


def _uses(tree: ast.AST, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=arguments, keywords=keywords):
                word = dotted(func).rpartition(".")[2]
                if any(_is(one, name) for one in arguments):
                    yield "list" if word in _LISTS else "int" if word in _NUMBERS else ""
                if any(one.arg == "timeout" and _is(one.value, name) for one in keywords):
                    yield "duration"
            case ast.For(iter=inner) | ast.comprehension(iter=inner) if _is(inner, name):
                yield "list"
            case ast.Subscript(value=inner) | ast.Starred(value=inner) if _is(inner, name):
                yield "list"
            case ast.BinOp(
                left=left, op=ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv(), right=right
            ) if _is(left, name) or _is(right, name):
                yield "int"
            case _:
                pass


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
