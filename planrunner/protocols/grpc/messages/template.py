"""What a plan says of a message, lowered, before it is known which fields the message has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, Union

from planrunner.language.expressions.expression import Lowered
from planrunner.language.expressions.values import Scope, constant
from planrunner.language.fields.text import Text
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.values import dataclass

__all__ = [
    "Template",
    "TemplateList",
    "TemplateMapping",
    "TemplateValue",
    "as_template",
    "lower_template",
    "whole_value",
]


@dataclass(frozen=True, slots=True)
class TemplateValue:
    """Anything but a mapping or a list, unless an expression gives one."""

    lowered: Lowered


@dataclass(frozen=True, slots=True)
class TemplateMapping:
    """A mapping: each key as the plan has it and as it reads, and its value."""

    items: tuple[tuple[str | int, str, Template], ...]


@dataclass(frozen=True, slots=True)
class TemplateList:
    items: tuple[Template, ...]


Template: TypeAlias = Union[TemplateValue, TemplateMapping, TemplateList]  # noqa: UP007 - it is recursive


def lower_template(value: object, lowering: Lowering, path: SpecPath) -> Template:
    """Lower what stands at `path`; its texts that have no value leave faults."""
    if isinstance(value, Text):
        lowered = lowering.text(value, path)
        return as_template(lowered.value) if lowered.is_constant else TemplateValue(lowered)
    if isinstance(value, dict):
        return TemplateMapping(
            tuple(
                (key, lowering.key(key, (*path, key)), lower_template(item, lowering, (*path, key)))
                for key, item in value.items()
            )
        )
    if isinstance(value, list | tuple):
        return TemplateList(
            tuple(lower_template(item, lowering, (*path, at)) for at, item in enumerate(value))
        )
    return TemplateValue(constant(value))


def as_template(value: object) -> Template:
    """Return a value that is known as a template."""
    if isinstance(value, dict):
        return TemplateMapping(
            tuple((key, str(key), as_template(item)) for key, item in value.items())
        )
    if isinstance(value, list | tuple):
        return TemplateList(tuple(map(as_template, value)))
    return TemplateValue(constant(value))


def whole_value(template: Template) -> Lowered:
    """Return a template as one value, of which nothing but its shape is known."""
    if isinstance(template, TemplateValue):
        return template.lowered
    if isinstance(template, TemplateList):
        items = [whole_value(item) for item in template.items]
        if all(item.is_constant for item in items):
            return constant([item.value for item in items])
        return Lowered(lambda scope: [item.evaluate(scope) for item in items])
    pairs = [(key, whole_value(item)) for _, key, item in template.items]
    if all(item.is_constant for _, item in pairs):
        return constant({key: item.value for key, item in pairs})
    return Lowered(_mapping(pairs))


def _mapping(pairs: list[tuple[str, Lowered]]) -> Callable[[Scope], object]:
    return lambda scope: {key: item.evaluate(scope) for key, item in pairs}
