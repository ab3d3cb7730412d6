"""The names that expressions may use without a plan declaring them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "FILTER_NAMES",
    "FOREIGN_NAMES",
    "HELPER_METHODS",
    "RESERVED",
    "ROOT_HELPERS",
    "TEST_NAMES",
]

RESERVED: Final = frozenset(
    {
        "body",
        "fake",
        "headers",
        "iteration",
        "json",
        "now",
        "phase",
        "rand",
        "run",
        "services",
        "status",
        "user",
    }
)
"""Names that no param, data source, state or variable may take."""

ROOT_HELPERS: Final = ("dict", "fake", "now", "rand", "range")
"""What can be called, itself or through a method."""

_FROM_ENVIRONMENT: Final = "read it into a param: `params: {x: {type: str, env: NAME}}`"

FOREIGN_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("__VU", "__threadNum"), "write `user.id`"),
    "__ITER": "write `iteration`",
    **dict.fromkeys(("__UUID", "uuid", "uuid4", "guid"), "write `rand.uuid()`"),
    **dict.fromkeys(("__Random", "randint", "randomInt", "random"), "write `rand.int(1, 10)`"),
    **dict.fromkeys(("__RandomString", "randomString"), "write `rand.text(8)`"),
    **dict.fromkeys(("__time", "timestamp"), "write `now()`"),
    **dict.fromkeys(("__ENV", "__P", "__property", "env", "ENV", "environ"), _FROM_ENVIRONMENT),
}
"""What other tools have, and what to write for it here."""

HELPER_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "rand": ("choice", "float", "int", "lower", "text", "uuid"),
}
"""Every method that a plan can reach; nothing else of a helper object is visible."""

FILTER_NAMES: Final = (
    "abs",
    "attr",
    "b64",
    "batch",
    "bytes",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "json",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
)

TEST_NAMES: Final = (
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
)
