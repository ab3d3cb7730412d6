"""JSONPath (RFC 9535): a fast path of our own for plain paths, python-jsonpath for the rest.

Plain paths (`$.a.b[0]['c d']`) name at most one value; nearly every plan has no others, so the
library is imported only by plans that need it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.patterns.pattern import Pattern, PatternError, compile_pattern
from planrunner.late_pattern import late_pattern

__all__ = ["FindNodes", "JsonPathError", "compile_path", "plain_keys"]

FindNodes = Callable[[object], list[Any]]
"""Returns the values a path names in a document, in document order."""

# Hyphens are no part of RFC 9535's shorthand, but nothing else could be meant by them.
_STEP: Final = late_pattern(
    r"""\.(?P<name>[^\W\d][\w-]*)|\[(?P<index>0|-?[1-9][0-9]*)\]|\[(?P<quoted>'[^'\\]*'|"[^"\\]*")\]"""
)


class JsonPathError(PlanrunnerError):
    """A text is no JSONPath.

    Args:
        offset: Characters into the text.
    """

    def __init__(self, message: str, *, hint: str = "", offset: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset


def plain_keys(source: str) -> tuple[str | int, ...] | None:
    """Return the keys and indices of a plain path; None when it needs the library."""
    if not source.startswith("$"):
        return None
    keys: list[str | int] = []
    position = 1
    while position < len(source):
        step = _STEP.match(source, position)
        if step is None:
            return None
        if (index := step["index"]) is not None:
            keys.append(int(index))
        else:
            keys.append(step["name"] or step["quoted"][1:-1])
        position = step.end()
    return tuple(keys)


def compile_path(source: str) -> FindNodes:
    """Compile a path.

    Raises:
        JsonPathError: The text is no JSONPath.
    """
    if not source.startswith("$"):
        # What other tools put before the path is left out: `json:$.id`, `jsonpath $.id`.
        path = source[source.index("$") :] if "$" in source else f"$.{source.lstrip('.')}"
        raise JsonPathError(f"`{source}` is not a JSONPath", hint=f"begin it with `$`: `{path}`")
    keys = plain_keys(source)
    return _compile_library(source) if keys is None else _compile_plain(keys)


def _compile_plain(keys: tuple[str | int, ...]) -> FindNodes:
    if len(keys) == 1 and isinstance(keys[0], str):
        return _compile_member(keys[0])

    def find(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        for key in keys:
            kind = type(value)
            if kind is dict:
                # An int is never a key of parsed JSON, so an index finds nothing here.
                if key not in value:
                    return []
            elif (
                kind is not list or type(key) is str or not -len(value) <= key < len(value)  # type: ignore[operator]  # not str: int
            ):
                return []
            value = value[key]
        return [value]

    return find


def _compile_member(key: str) -> FindNodes:
    def find(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        return [value[key]] if type(value) is dict and key in value else []

    return find


_OF_THE_LIBRARY: Final = (ValueError, ArithmeticError, RecursionError)
"""What it raises besides its own errors: of `$[1e400]`, `$[?@.a==1e999]`, 1,000 brackets."""


def _compile_library(source: str) -> FindNodes:
    import jsonpath  # noqa: PLC0415 - 65 ms that plain plans need not pay

    environment = jsonpath.JSONPathEnvironment(strict=True)
    for name, whole in (("match", True), ("search", False)):
        environment.function_extensions[name] = _matching(whole=whole)
    try:
        path = environment.compile(source)
    except (jsonpath.JSONPathError, *_OF_THE_LIBRARY) as fault:
        token = getattr(fault, "token", None)
        offset = max(0, getattr(token, "index", 0))
        reason = str(fault.args[0]).splitlines()[0] if fault.args else "cannot be read"
        raise JsonPathError(
            f"`{source}` is not a JSONPath: {reason}",
            hint="write one such as `$.items[0].id` (RFC 9535)",
            offset=min(offset, len(source)),
        ) from fault
    return path.findall  # type: ignore[return-value]  # its argument is wider than ours


def _matching(*, whole: bool) -> Any:  # noqa: ANN401 - a function of the library
    """Return `match()` or `search()` in bounded time; what is no pattern matches nothing."""
    from jsonpath.function_extensions import (  # noqa: PLC0415 - see above
        ExpressionType,
        FilterFunction,
    )

    @lru_cache(maxsize=100)
    def compiled(source: str) -> Pattern | None:
        try:
            return compile_pattern(source, whole=whole)
        except PatternError:
            return None

    class Matching(FilterFunction):
        arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's
        return_type = ExpressionType.LOGICAL

        def __call__(self, value: object, source: object) -> bool:
            if not isinstance(value, str) or not isinstance(source, str):
                return False
            pattern = compiled(source)
            return pattern is not None and pattern.is_in(value)

    return Matching()
