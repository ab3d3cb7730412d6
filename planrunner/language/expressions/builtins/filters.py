"""Filters and tests: Jinja2's, within budgets, on plain data only, plus a few of our own.

Three rules hold for all of them. Values are plain: what a filter yields lazily becomes a list, and
markup becomes text. Attributes are keys of mappings: no filter reaches anything of a Python object.
And no filter builds more than the budget, or takes more than linear time to find that out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from jinja2 import (
    Environment,
    StrictUndefined,
    TemplateError,
    UndefinedError,
    pass_context,
    pass_environment,
    pass_eval_context,
)
from jinja2 import Undefined as JinjaUndefined
from jinja2.filters import FILTERS
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.tests import TESTS

from planrunner.language.expressions.builtins.dates import date_text
from planrunner.language.expressions.builtins.digests import digest, json_web_token, keyed_digest
from planrunner.language.expressions.builtins.filter_guards import GUARDS
from planrunner.language.expressions.builtins.names import FILTER_NAMES, TEST_NAMES
from planrunner.language.expressions.operators import format_text, join_texts
from planrunner.language.expressions.paths import look_up
from planrunner.language.expressions.values import (
    UNDEFINED,
    EvaluationError,
    Undefined,
    bounded_list,
    check_result,
    check_size,
    kind_of,
    to_text,
)

__all__ = ["FilterFunction", "filters", "tests"]

FilterFunction = Callable[..., Any]

_PLAIN: Final = (str, int, float, bytes, list, tuple, Mapping)


class _PlainEnvironment(Environment):
    """What Jinja2's own filters look attributes up with (`map(attribute=…)`, `sort`, `groupby`)."""

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - Jinja2's signature
        found = look_up(obj, argument, UNDEFINED)
        return StrictUndefined(name=str(argument)) if found is UNDEFINED else found

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja2's signature
        return self.getitem(obj, attribute)


@cache
def filters() -> Mapping[str, FilterFunction]:
    """Return every filter but `random`, which needs the user's stream: name to function."""
    return _tables()[0]


@cache
def tests() -> Mapping[str, Callable[..., bool]]:
    """Return every test but `defined` and `undefined`: name to function."""
    return _tables()[1]


@cache
def _tables() -> tuple[Mapping[str, FilterFunction], Mapping[str, Callable[..., bool]]]:
    environment = _PlainEnvironment(undefined=StrictUndefined, optimized=False)
    bind = _binder(environment)
    table: dict[str, FilterFunction] = {}
    for name in FILTER_NAMES:
        if name == "random":
            continue
        run = _OWN.get(name) or bind(FILTERS[name])
        if guard := GUARDS.get(name):
            run = partial(_guarded, guard, run)
        if name in _TEXT_FILTERS:
            run = partial(_on_text, run)
        table[name] = partial(_plain_result, run)
    environment.filters = table
    return table, {name: bind(cast("FilterFunction", TESTS[name])) for name in TEST_NAMES}


def _binder(environment: Environment) -> Callable[[FilterFunction], FilterFunction]:
    """Return a function that gives a Jinja2 filter the first argument it asks for."""
    wanted = (
        (_mark_on(pass_environment(_unmarked())), environment),
        (_mark_on(pass_context(_unmarked())), Context(environment, {}, None, {})),
        (_mark_on(pass_eval_context(_unmarked())), EvalContext(environment)),
    )

    def bind(function: FilterFunction) -> FilterFunction:
        wants = _mark_on(function)
        for mark, value in wanted:
            if wants is not None and wants is mark:
                return partial(function, value)
        return function

    return bind


def _mark_on(function: FilterFunction) -> object:
    return getattr(function, "jinja_pass_arg", None)


def _unmarked() -> FilterFunction:
    return lambda: None


def _plain_result(run: FilterFunction, value: object, *args: object, **kwargs: object) -> object:
    try:
        return _plain(run(value, *args, **kwargs))
    except UndefinedError:
        raise EvaluationError("an item has no such key") from None
    except TemplateError:
        raise TypeError from None  # its message may quote a value


def _plain(result: object) -> object:
    if isinstance(result, JinjaUndefined):
        return UNDEFINED
    if result.__class__ is not str and isinstance(result, str):
        return check_result(str(result))
    if result is None or isinstance(result, _PLAIN):
        return check_result(result)
    if isinstance(result, Iterable):
        return bounded_list(map(_plain_item, result))
    return result


def _plain_item(item: object) -> object:
    if isinstance(item, JinjaUndefined | Undefined):
        raise EvaluationError("an item has no such key")
    return str(item) if isinstance(item, str) else item


def _on_text(run: FilterFunction, value: object, *args: object, **kwargs: object) -> object:
    return run(to_text(value), *args, **kwargs)


def _guarded(
    guard: FilterFunction, run: FilterFunction, value: object, *args: object, **kwargs: object
) -> object:
    guard(value, *args, **kwargs)
    return run(value, *args, **kwargs)


# --- filters of our own -------------------------------------------------------------------------


def _json(value: object) -> str:
    """Return the value as compact JSON; unlike in text, a text gets its quotes."""
    return to_text([value])[1:-1]


_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]*")


def _b64(value: object) -> str:
    return base64.b64encode(_bytes(value)).decode()


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray) else to_text(value).encode()


def _urlencode(value: object) -> str:
    """Encode one part of a URL, or a mapping as a query; slashes too, so a key stays one part."""
    if value.__class__ is str and _UNRESERVED.fullmatch(value):
        return value
    if isinstance(value, Mapping):
        pairs = [(to_text(key), to_text(item)) for key, item in value.items()]
        return urlencode(pairs, quote_via=quote)
    if isinstance(value, list | tuple):
        pairs = [(to_text(key), to_text(item)) for key, item in value]
        return urlencode(pairs, quote_via=quote)
    return quote(_bytes(value), safe="")


def _default(value: object, default_value: object = "", boolean: bool = False) -> object:  # noqa: FBT001, FBT002 - Jinja2's signature
    missing = isinstance(value, Undefined | JinjaUndefined)
    return default_value if missing or (boolean and not value) else value


def _join(value: Any, d: object = "", attribute: str | int | None = None) -> str:  # noqa: ANN401
    items = list(value) if attribute is None else _column(value, attribute)
    return join_texts(items, to_text(d))


def _sum(value: Any, attribute: str | int | None = None, start: float = 0) -> object:  # noqa: ANN401
    items = list(value) if attribute is None else _column(value, attribute)
    for item in (start, *items):
        if not isinstance(item, int | float):
            raise EvaluationError(f"can't sum {kind_of(item)}")
    return sum(items, start)


def _column(rows: Iterable[object], attribute: str | int) -> list[Any]:
    found: list[Any] = []
    for row in rows:
        item: Any = row
        for part in str(attribute).split("."):
            item = look_up(item, int(part) if part.isdecimal() else part, UNDEFINED)
        if item is UNDEFINED:
            raise EvaluationError("an item has no such key")
        found.append(item)
    return found


def _replace(s: str, old: object, new: object, count: int | None = None) -> str:
    before, after = to_text(old), to_text(new)
    times = s.count(before) if count is None or count < 0 else min(count, s.count(before))
    check_size(len(s) + times * max(0, len(after) - len(before)))
    return s.replace(before, after, -1 if count is None else count)


def _format(value: str, *args: object, **kwargs: object) -> str:
    if args and kwargs:
        raise EvaluationError("`format` takes values by position or by name, not both")
    return format_text(value, kwargs or args)


def _groupby(value: Any, attribute: str | int, default: object = UNDEFINED) -> list[object]:  # noqa: ANN401
    groups: dict[Any, list[object]] = {}
    for row in value:
        key = look_up(row, attribute, UNDEFINED)
        if key is UNDEFINED:
            key = default
        if key is UNDEFINED:
            raise EvaluationError("an item has no such key")
        groups.setdefault(key, []).append(row)
    return [{"grouper": key, "list": groups[key]} for key in sorted(groups)]


def _first(value: Iterable[object]) -> object:
    return next(iter(value), UNDEFINED)


def _last(value: Any) -> object:  # noqa: ANN401
    return next(iter(reversed(value)), UNDEFINED)


def _attr(value: object, name: object) -> object:
    return look_up(value, name, UNDEFINED)


def _items(value: Any) -> object:  # noqa: ANN401
    return [list(pair) for pair in value.items()] if isinstance(value, Mapping) else _refuse(value)


def _refuse(value: object) -> object:
    raise EvaluationError(f"{kind_of(value)} has no items by key")


_OWN: Final[Mapping[str, FilterFunction]] = {
    "attr": _attr,
    "b64": _b64,
    "bytes": _bytes,
    "d": _default,
    "date": date_text,
    "default": _default,
    "first": _first,
    "format": _format,
    "groupby": _groupby,
    "hash": digest,
    "hmac": keyed_digest,
    "items": _items,
    "join": _join,
    "json": _json,
    "jwt": json_web_token,
    "last": _last,
    "replace": _replace,
    "string": to_text,
    "sum": _sum,
    "urlencode": _urlencode,
}

_TEXT_FILTERS: Final = frozenset(
    {
        "capitalize",
        "center",
        "e",
        "escape",
        "forceescape",
        "format",
        "indent",
        "lower",
        "replace",
        "safe",
        "striptags",
        "title",
        "trim",
        "truncate",
        "upper",
        "urlize",
        "wordcount",
        "wordwrap",
    }
)
