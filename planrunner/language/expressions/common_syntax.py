"""The forms that most expressions of plans have, read without Jinja2: names and calls of helpers.

`a`, `a.b.c`, `a.b | random`, `rand.int(1, 500)`, `rand.text(6)`. For anything else `parse_common`
returns None, and the full parser decides; a test holds both to the same trees.
"""

from __future__ import annotations

import re
from typing import Final

from planrunner.language.expressions.tree import Call, Const, Expr, Filter, Getattr, Name
from planrunner.late_pattern import late_pattern

__all__ = ["parse_common"]

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_VALUE: Final = r"(?:0|[1-9][0-9]{0,17}|'[^'\\\r\n]*')"
_FORM: Final = late_pattern(
    rf" *(?P<path>{_NAME}(?:\.{_NAME})*)"
    rf"(?P<call>\( *(?P<values>(?:{_VALUE}(?: *, *{_VALUE})*)?) *\))?"
    rf"(?: *\| *(?P<filter>{_NAME}))? *"
)
_VALUES: Final = late_pattern(_VALUE)
_NAMES: Final = late_pattern(_NAME)

_MAX_SOURCE: Final = 1_000

# Words of the syntax; a path with one of them may mean something else.
_WORDS: Final = frozenset(
    [
        "and",
        "else",
        "false",
        "False",
        "if",
        "in",
        "is",
        "none",
        "None",
        "not",
        "or",
        "recursive",
        "true",
        "True",
    ]
)


def parse_common(source: str) -> Expr | None:
    """Return the tree of an expression in one of the common forms, None for any other."""
    form = _FORM.fullmatch(source) if len(source) <= _MAX_SOURCE else None
    if form is None:
        return None
    tree = _path(source, form)
    if tree is None:
        return None
    if form["call"] is not None:
        values: list[Expr] = [
            Const(_value(found[0]), offset=found.start())
            for found in _VALUES.finditer(source, *form.span("values"))
        ]
        tree = Call(tree, values, [], None, None, offset=form.start("call"))
    if form["filter"] is not None:
        if form["filter"] in _WORDS:
            return None
        tree = Filter(tree, form["filter"], [], [], None, None, offset=form.start("filter"))
    return tree


def _path(source: str, form: re.Match[str]) -> Expr | None:
    tree: Expr | None = None
    for found in _NAMES.finditer(source, *form.span("path")):
        name = found[0]
        if name in _WORDS:
            return None
        if tree is None:
            tree = Name(name, offset=found.start())
        else:
            tree = Getattr(tree, name, offset=found.start() - 1)  # at the dot
    return tree


def _value(text: str) -> object:
    return text[1:-1] if text.startswith("'") else int(text)
