"""Patterns of a JSON Schema: matched as those of the plan are, so that no reply holds up the run.

jsonschema searches with Python's `re`. Here its keywords that do so are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.patterns.pattern import Pattern, compile_pattern
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["match_patterns"]

_VALUES: Final = frozenset({"const", "default", "enum", "examples"})
"""What stands below these is no schema."""

_JudgeKeyword = Callable[[Any, Any, Any, Any], Iterator[Any]]


def match_patterns(validator: Any, schema: object, lowering: Lowering, path: SpecPath) -> Any:  # noqa: ANN401 - jsonschema's classes
    """Return the validator class with bounded patterns; broken ones leave faults."""
    import jsonschema  # noqa: PLC0415 - the caller has imported it already

    found = dict.fromkeys(_patterns(schema))
    if not found:
        return validator
    patterns = {source: lowering.pattern(source, path) for source in found}
    if _is_out_of_reach(schema, found):
        lowering.fault(
            path,
            Code.NOT_ALLOWED,
            "`unevaluatedProperties` beside a `patternProperties` that repeats twice can't be "
            "matched in bounded time",
            "use `additionalProperties`, or simpler patterns",
        )
    known = {source: pattern for source, pattern in patterns.items() if pattern is not None}
    return jsonschema.validators.extend(validator, _Keywords(known).table())  # type: ignore[no-untyped-call]  # it has no types


def _patterns(schema: object) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        if not isinstance(item, dict):
            continue
        if isinstance(pattern := item.get("pattern"), str):
            yield pattern
        if isinstance(named := item.get("patternProperties"), dict):
            yield from named
        waiting += [value for key, value in item.items() if key not in _VALUES]


def _is_out_of_reach(schema: object, patterns: Mapping[str, None]) -> bool:
    """Say whether jsonschema itself would match a pattern that may take long.

    With `unevaluatedProperties` it looks for the names that `patternProperties` has covered. A
    pattern that repeats once takes at most the square of a name's length.
    """
    text = str(schema)
    return (
        "'unevaluatedProperties'" in text
        and "'patternProperties'" in text
        and any(sum(map(pattern.count, "*+{")) > 1 for pattern in patterns)
    )


class _Keywords:
    """The keywords of a schema that has patterns, in jsonschema's signature."""

    def __init__(self, patterns: Mapping[str, Pattern]) -> None:
        from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see above

        self._patterns = patterns
        self._error = ValidationError

    def table(self) -> dict[str, _JudgeKeyword]:
        return {
            "pattern": self._pattern,
            "patternProperties": self._pattern_properties,
            "additionalProperties": self._additional_properties,
        }

    def _is_in(self, source: str, text: str) -> bool:
        pattern = self._patterns.get(source)
        return (compile_pattern(source) if pattern is None else pattern).is_in(text)

    def _pattern(self, validator: Any, source: Any, text: Any, _: Any) -> Iterator[Any]:  # noqa: ANN401 - as `jsonschema` has it
        if validator.is_type(text, "string") and not self._is_in(source, text):
            yield self._error("no match")

    def _pattern_properties(
        self,
        validator: Any,  # noqa: ANN401 - as `jsonschema` has it
        named: Any,  # noqa: ANN401 - as `jsonschema` has it
        value: Any,  # noqa: ANN401 - as `jsonschema` has it
        _: Any,  # noqa: ANN401 - as `jsonschema` has it
    ) -> Iterator[Any]:
        if not validator.is_type(value, "object"):
            return
        pairs = ((pair, key) for pair in named.items() for key in value)
        for (source, inner), key in pairs:
            if self._is_in(source, key):
                yield from validator.descend(value[key], inner, path=key, schema_path=source)

    def _additional_properties(
        self,
        validator: Any,  # noqa: ANN401 - as `jsonschema` has it
        inner: Any,  # noqa: ANN401 - as `jsonschema` has it
        value: Any,  # noqa: ANN401 - as `jsonschema` has it
        schema: Any,  # noqa: ANN401 - as `jsonschema` has it
    ) -> Iterator[Any]:
        if not validator.is_type(value, "object"):
            return
        for key in self._further(value, schema):
            if inner is False:
                yield self._error("an additional property")
            else:
                yield from validator.descend(value[key], inner, path=key)

    def _further(self, value: Any, schema: Any) -> Iterator[str]:  # noqa: ANN401 - as `jsonschema` has it
        named, listed = schema.get("patternProperties", ()), schema.get("properties", ())
        for key in value:
            if key not in listed and not any(self._is_in(source, key) for source in named):
                yield key
