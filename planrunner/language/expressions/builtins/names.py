"""The names that expressions may use without a plan declaring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import CALLED, METHODS, PROVIDED
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.late_pattern import late_pattern

__all__ = [
    "FILTER_NAMES",
    "FOREIGN_CALLS",
    "FOREIGN_FILTERS",
    "FOREIGN_METHODS",
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
_DATE: Final = "write `date('%Y-%m-%d')`"
_REPLY: Final = "write `status`, `json`, `headers` or `body`, without a name before it"
_MESSAGE: Final = "write `body` for the text of a message, `json` for what is in it"
_ROWS: Final = "name the file under `data:`, and write `${NAME.COLUMN}`"
_CODE: Final = "write the expression itself, or a step `python: FUNCTION`"
_NO_SPLIT: Final = "take the part by `regex` in `extract`, or write a step `python: FUNCTION`"
_ENVIRONMENT: Final = frozenset({"environ", "env", "ENV", "get", "getenv"})
_PARAM: Final = late_pattern(r"[a-z_][a-z0-9_]*")

FOREIGN_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("__VU", "__threadNum"), "write `user.id`"),
    "__ITER": "write `iteration`",
    **dict.fromkeys(("__UUID", "uuid", "uuid4", "guid"), "write `rand.uuid()`"),
    **dict.fromkeys(("__Random", "randint", "randomInt", "random"), "write `rand.int(1, 10)`"),
    **dict.fromkeys(("__RandomString", "randomString"), "write `rand.text(8)`"),
    **dict.fromkeys(("__time", "timestamp", "time", "datetime"), "write `now()`"),
    **dict.fromkeys(("strftime", "today", "__timeShift", "isoformat"), _DATE),
    **dict.fromkeys(("len", "size", "count"), "write the filter: `x | length`"),
    **dict.fromkeys(("str", "string"), "write the filter: `x | string`"),
    "bool": "write a comparison: `x == 1`",
    **dict.fromkeys(("res", "resp", "response", "reply", "r"), _REPLY),
    **dict.fromkeys(("event", "frame", "message", "msg"), _MESSAGE),
    **dict.fromkeys(("vu", "__vu", "exec", "threadNum"), "write `user.id` or `iteration`"),
    **dict.fromkeys(("__counter", "counter", "__itersInTest"), "write `iteration`"),
    **dict.fromkeys(("vars", "context", "session", "props"), "write the variable's name alone"),
    **dict.fromkeys(("JSON", "jsonpath", "jmespath"), "write `json.id`, or `extract: {id: $.id}`"),
    **dict.fromkeys(("open", "read", "__FileToString", "__CSVRead", "csv"), _ROWS),
    **dict.fromkeys(("groovy", "__groovy", "__javaScript", "__jexl3", "eval"), _CODE),
    **dict.fromkeys(("Math", "math"), "write `rand.float(0, 1)`, or a filter such as `| round`"),
    **dict.fromkeys(("faker", "Faker"), "write `fake.name()`"),
    **dict.fromkeys(("base64", "b64encode", "__base64Encode"), "write the filter: `x | b64`"),
    **dict.fromkeys(("md5", "sha256", "__digest", "crypto"), "write `x | hash('sha256')`"),
    **dict.fromkeys(("$randomNumber", "randomNumber", "$random"), "write `rand.int(1, 10)`"),
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


FOREIGN_METHODS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("rand.bool", "rand.boolean"), "write `rand.choice([true, false])`"),
    **dict.fromkeys(("rand.string", "rand.str", "rand.alphanumeric"), "write `rand.text(8)`"),
    **dict.fromkeys(("rand.integer", "rand.number", "rand.randint"), "write `rand.int(1, 10)`"),
    **dict.fromkeys(("rand.uniform", "rand.random"), "write `rand.float(0, 1)`"),
    **dict.fromkeys(("rand.pick", "rand.element", "rand.item"), "write `rand.choice(list)`"),
    **dict.fromkeys(("rand.name", "rand.email"), "write `fake.name()` or `fake.email()`"),
}
"""Methods of helpers that there are not, and what to write."""

FOREIGN_CALLS: Final[Mapping[str, str]] = {
    "split": _NO_SPLIT,
    **dict.fromkeys(("strftime", "isoformat", "toisostring", "format"), _DATE),
    **dict.fromkeys(("strip", "trim"), "write the filter: `| trim`"),
    **dict.fromkeys(("tolowercase", "casefold"), "write the filter: `| lower`"),
    "touppercase": "write the filter: `| upper`",
    **dict.fromkeys(("tostring", "str"), "write the filter: `| string`"),
    **dict.fromkeys(("size", "len"), "write the filter: `| length`"),
    **dict.fromkeys(("append", "push", "add"), "write a step: `push: {NAME: value}`"),
    "pop": "write a step: `pop: {NAME: last, as: x}`",
    "get": "write `x.key | default('')`",
    **dict.fromkeys(("includes", "contains", "indexof", "find"), "write `'a' in x`"),
    **dict.fromkeys(("startswith", "endswith"), "write `'a' in x`, or `x[:1] == 'a'`"),
    **dict.fromkeys(("substring", "substr", "slice"), "write `x[0:3]`"),
    "parse": "write `json`, which is the body of the last reply",
}
"""Methods of values in other languages, lower case: values have none here."""

FOREIGN_FILTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("strftime", "date_format", "dateformat", "format_date"), "write `date`"),
    "split": _NO_SPLIT,
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
