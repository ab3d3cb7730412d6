"""The names that expressions may use without a plan declaring them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import CALLED, METHODS, PROVIDED
from planrunner.language.expressions.builtins.tests_table import TESTS

__all__ = [
    "FILTER_NAMES",
    "FOREIGN_FILTERS",
    "FOREIGN_NAMES",
    "HELPER_METHODS",
    "RESERVED",
    "ROOT_HELPERS",
    "TEST_NAMES",
    "foreign_hint",
    "pool_in",
]

ROOT_HELPERS: Final = tuple(sorted([*(helper.name for helper in CALLED), *METHODS, "fake"]))
"""What can be called, itself or through a method."""

RESERVED: Final = frozenset({"fake", "now", "rand", *(name.name for name in PROVIDED)})
"""Names that no param, data source, state or variable may take."""

_POOL: Final = "pool."


def pool_in(name: str) -> str:
    """Return the pool that is read or changed as `pool.NAME`; empty for any other name."""
    return name[len(_POOL) :] if name.startswith(_POOL) else ""


_FROM_ENVIRONMENT: Final = (
    "read it into a param, `params: {x: {type: str, env: NAME}}`, and write `${x}`"
)
_ENVIRONMENT: Final = frozenset({"environ", "env", "ENV", "get", "getenv"})
_PARAM: Final = re.compile(r"[a-z_][a-z0-9_]*")

FOREIGN_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("__VU", "__threadNum"), "write `user.id`"),
    "__ITER": "write `iteration`",
    **dict.fromkeys(("__UUID", "uuid", "uuid4", "guid"), "write `rand.uuid()`"),
    **dict.fromkeys(("__Random", "randint", "randomInt", "random"), "write `rand.int(1, 10)`"),
    **dict.fromkeys(("__RandomString", "randomString"), "write `rand.text(8)`"),
    **dict.fromkeys(("__time", "timestamp"), "write `now()`"),
    **dict.fromkeys(
        (
            *("__ENV", "__P", "__property", "env", "ENV", "environ", "os", "process"),
            *("getenv", "$processEnvironment"),
        ),
        _FROM_ENVIRONMENT,
    ),
}
"""What other tools have, and what to write for it here."""


def foreign_hint(name: str, path: Sequence[str] = ()) -> str:
    """Return what to write for a name of another tool; empty for any other name.

    Args:
        name: Such as `__ENV`.
        path: What stands below it, or its arguments: the variable's name in `__ENV.HOST`.
    """
    hint = FOREIGN_NAMES.get(name, "")
    variable = next((part for part in path if part not in _ENVIRONMENT), "")
    if not hint and name.isupper() and not path:  # `${HOST}`, as a shell has it
        hint, variable = _FROM_ENVIRONMENT, name
    if hint != _FROM_ENVIRONMENT or not variable.isidentifier():
        return hint
    param = variable.lower()
    if param in RESERVED or not _PARAM.fullmatch(param):
        return hint.replace("NAME", variable)
    return (
        hint.replace("NAME", variable)
        .replace("{x:", f"{{{param}:")
        .replace("${x}", f"${{{param}}}")
    )


FOREIGN_FILTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("base64", "b64encode", "base64encode", "to_base64", "tobase64"), "write `b64`"
    ),
    **dict.fromkeys(("url_encode", "urlquote", "quote", "uri_encode"), "write `urlencode`"),
    **dict.fromkeys(("to_json", "jsonify", "dumps", "stringify"), "write `json`"),
    **dict.fromkeys(("len", "size", "count_of"), "write `length`"),
    **dict.fromkeys(("uppercase", "upcase", "toupper"), "write `upper`"),
    **dict.fromkeys(("lowercase", "downcase", "tolower"), "write `lower`"),
    **dict.fromkeys(("integer", "to_int", "toint", "number"), "write `int`"),
    **dict.fromkeys(("strip", "chomp"), "write `trim`"),
    **dict.fromkeys(("choice", "sample", "rand"), "write `random`"),
}
"""Filters of other tools, lower case, and what is the same here."""

HELPER_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    root: tuple(method.name for method in methods) for root, methods in METHODS.items()
}

FILTER_NAMES: Final = tuple(one.name for one in FILTERS)
TEST_NAMES: Final = tuple(one.name for one in TESTS)
