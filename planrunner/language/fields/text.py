"""Text with `${…}` in it, and values that contain such texts.

Only `${` is special; `$${` writes it. A text that is exactly one expression keeps its value's type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import (
    NO_CONSTANTS,
    EvaluationError,
    Expression,
    ExpressionError,
    Lowered,
    Reference,
    Scope,
    parse,
    to_text,
)
from planrunner.language.expressions.values import Evaluate, check_size, constant
from planrunner.language.fields.pieces import merge_constants
from planrunner.late_pattern import late_pattern
from planrunner.values import dataclass

__all__ = ["Evaluate", "PlanValue", "Text", "lower_value", "parse_text", "parse_value"]

PlanValue = object
"""What `parse_value` makes of YAML data: the same, with a `Text` for each string with `${`."""


@dataclass(frozen=True, slots=True)
class Text:
    """A parsed text.

    Attributes:
        source: As the plan has it.
        parts: Literal text, unescaped, and expressions; never two literals in a row.
        offsets: Where each part starts in `source`; for an expression, after its `${`.
    """

    source: str
    parts: tuple[str | Expression, ...]
    offsets: tuple[int, ...]

    @property
    def plain(self) -> str | None:
        """What it says when no expression is in it, as in most texts; else None."""
        only = self.parts[0]
        return only if len(self.parts) == 1 and isinstance(only, str) else None

    @property
    def is_constant(self) -> bool:
        """True when no expression is in it."""
        return self.plain is not None

    @property
    def is_single(self) -> bool:
        """True when it is exactly one expression and nothing else."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Expression)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The names that its expressions read; offsets count from the start of `source`."""
        if self.plain is not None:
            return ()
        return tuple(
            Reference(name.root, name.path, offset + name.offset, name.optional)
            for part, offset in zip(self.parts, self.offsets, strict=True)
            if isinstance(part, Expression)
            for name in part.references
        )

    def lower(self, constants: Mapping[str, object] = NO_CONSTANTS) -> Lowered:
        """Return the text as a closure; a single expression gives its value, else a str.

        Raises:
            ExpressionError: A part that depends on constants only has no value.
        """
        if (plain := self.plain) is not None:
            return constant(plain)
        if self.is_single:
            return self._lower_parts(constants)[0]
        parts = self._merged(constants)
        if all(isinstance(part, str) for part in parts):
            return constant("".join(part for part in parts if isinstance(part, str)))
        return Lowered(_joined(parts))

    def lower_parts(
        self, constants: Mapping[str, object] = NO_CONSTANTS
    ) -> tuple[str | Evaluate, ...]:
        """Return the text as pieces: constants, merged, and closures that give a str each."""
        if (plain := self.plain) is not None:
            return (plain,) if plain else ()
        return self._merged(constants)

    def _lower_parts(self, constants: Mapping[str, object]) -> list[Lowered]:
        lowered = []
        for part, offset in zip(self.parts, self.offsets, strict=True):
            try:
                lowered.append(constant(part) if isinstance(part, str) else part.lower(constants))
            except ExpressionError as error:
                raise error.moved(offset) from None
        return lowered

    def _merged(self, constants: Mapping[str, object]) -> tuple[str | Callable[[Scope], str], ...]:
        return merge_constants((piece for piece in self._rendered(constants) if piece != ""), str)

    def _rendered(self, constants: Mapping[str, object]) -> list[str | Callable[[Scope], str]]:
        rendered: list[str | Callable[[Scope], str]] = []
        lowered = self._lower_parts(constants)
        constant_size = 0
        for part, offset, piece in zip(self.parts, self.offsets, lowered, strict=True):
            if not piece.is_constant:
                rendered.append(_render(piece.evaluate, part))
                continue
            try:
                written = to_text(piece.value)
                constant_size += len(written)
                if not isinstance(part, str):
                    check_size(constant_size)
                rendered.append(written)
            except EvaluationError as error:
                raise ExpressionError(
                    error.message, hint=error.hint, offset=offset, code=Code.EXPRESSION_FAILED
                ) from None
        return rendered


def _render(evaluate: Evaluate, part: str | Expression) -> Callable[[Scope], str]:
    source = part if isinstance(part, str) else part.source.strip()

    def render(scope: Scope) -> str:
        value = evaluate(scope)
        if value.__class__ is str:
            return value
        if value.__class__ is int:
            return str(value)
        try:
            return to_text(value)
        except EvaluationError as error:
            raise EvaluationError(f"{error.message} in `{source}`", hint=error.hint) from None

    return render


def _joined(parts: tuple[str | Callable[[Scope], str], ...]) -> Evaluate:
    """Return a closure for a text with at least one expression; most paths have just one."""
    dynamic = [part for part in parts if not isinstance(part, str)]
    if len(dynamic) == 1 and len(parts) <= 3:
        at = parts.index(dynamic[0])
        before, after = ("".join(map(str, side)) for side in (parts[:at], parts[at + 1 :]))
        return _around(before, dynamic[0], after)
    pieces = [_literal(part) if isinstance(part, str) else part for part in parts]
    return lambda scope: "".join([piece(scope) for piece in pieces])


def _around(before: str, render: Callable[[Scope], str], after: str) -> Evaluate:
    if after:
        return lambda scope: before + render(scope) + after
    return lambda scope: before + render(scope)


def _literal(text: str) -> Callable[[Scope], str]:
    return lambda _: text


# --- parsing ------------------------------------------------------------------------------------

_MAX_PARTS: Final = 2_000
_SPECIAL: Final = late_pattern(r"\$\$\{|\$\{|\{\{\s*[A-Za-z_]")
_INSIDE: Final = late_pattern(r"[{}]|'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?", re.DOTALL)


def parse_text(source: str) -> Text:
    """Parse one string of a plan.

    Raises:
        ExpressionError: An expression in it is wrong or not closed, or it has `{{ name }}`.
    """
    parts: list[str | Expression] = []
    offsets: list[int] = []
    literal, start, position = "", 0, 0
    while found := _SPECIAL.search(source, position):
        if found[0] == "$${":
            literal += source[position : found.start()] + "${"
            position = found.end()
            continue
        if found[0] != "${":
            raise _wrong_braces(source, found.start())
        literal += source[position : found.start()]
        if literal:
            parts.append(literal)
            offsets.append(start)
        end = _end_of_expression(source, found.end())
        try:
            parts.append(parse(source[found.end() : end]))
        except ExpressionError as error:
            raise error.moved(found.end()) from None
        offsets.append(found.end())
        if len(parts) > _MAX_PARTS:
            raise ExpressionError("a text has too many expressions", offset=found.start())
        literal, start = "", end + 1
        position = start
    literal += source[position:]
    if literal or not parts:
        parts.append(literal)
        offsets.append(start)
    return Text(source, tuple(parts), tuple(offsets))


def _end_of_expression(source: str, start: int) -> int:
    """Return where the `}` stands that closes the expression, past inner braces and texts."""
    depth = 0
    for found in _INSIDE.finditer(source, start):
        if found[0][0] in "'\"" and (len(found[0]) == 1 or found[0][0] != found[0][-1]):
            raise ExpressionError(
                "a text in the expression is not closed",
                hint=f"add the `{found[0][0]}`",
                offset=found.start(),
            )
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            if depth == 0:
                return found.start()
            depth -= 1
    raise ExpressionError(
        "`${` is not closed", hint="add the `}`; write `$${` for a plain `${`", offset=start - 2
    )


def _wrong_braces(source: str, start: int) -> ExpressionError:
    end = source.find("}}", start)
    inside = source[start + 2 : end].strip() if end > 0 else ""
    if not inside or len(inside) > 60 or "{" in inside:
        inside = "name"
    return ExpressionError(
        "an expression is written `${…}`, not `{{ … }}`",
        hint=f"write `${{{inside}}}`",
        offset=start,
        code=Code.WRONG_BRACES,
    )


# --- values -------------------------------------------------------------------------------------


def parse_value(data: object) -> PlanValue:
    """Parse every string inside plain YAML data.

    Raises:
        ExpressionError: With `path` leading to the first string that is wrong.
    """
    if isinstance(data, str):
        text = parse_text(data)
        return text.lower().value if text.is_constant else text
    if isinstance(data, Mapping):
        return {key: _parse_at(key, item) for key, item in data.items()}
    if isinstance(data, list):
        return [_parse_at(index, item) for index, item in enumerate(data)]
    return data


def _parse_at(key: str | int, item: object) -> PlanValue:
    try:
        return parse_value(item)
    except ExpressionError as error:
        raise error.moved(key=key) from None


def lower_value(value: PlanValue, constants: Mapping[str, object] = NO_CONSTANTS) -> Lowered:
    """Return a parsed value as a closure; only what has expressions in it is built anew each time.

    Raises:
        ExpressionError: With `path` leading to the text whose constants have no value.
    """
    if isinstance(value, Text):
        return value.lower(constants)
    if isinstance(value, Mapping):
        return _lower_items(dict(value), list(value.items()), constants)
    if isinstance(value, list):
        return _lower_items(list(value), list(enumerate(value)), constants)
    return constant(value)


def _lower_items(
    shape: dict[Any, object] | list[object],
    items: list[tuple[Any, PlanValue]],
    constants: Mapping[str, object],
) -> Lowered:
    dynamic: list[tuple[Any, Evaluate]] = []
    for key, item in items:
        try:
            lowered = lower_value(item, constants)
        except ExpressionError as error:
            raise error.moved(key=key) from None
        if lowered.is_constant:
            shape[key] = lowered.value
        else:
            shape[key] = None
            dynamic.append((key, lowered.evaluate))
    if not dynamic:
        return constant(shape)

    def evaluate(scope: Scope) -> object:
        built = shape.copy()
        for key, evaluate_item in dynamic:
            built[key] = evaluate_item(scope)
        return built

    return Lowered(evaluate)
