"""Validates pieces of plans and shows what is wrong with them, as data."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple

import pytest
from pydantic import ValidationError

from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.yaml.document import parse

__all__ = ["Found", "found_in", "plain", "subclasses"]


class Found(NamedTuple):
    """One fault: its code, the key it is at, what it says, and where the mapping is."""

    code: str
    key: str
    message: str
    hint: str
    where: tuple[object, ...]


def plain(text: str) -> object:
    """Return the data of a piece of YAML."""
    document = parse("piece:\n" + indent(text, "  "), "plan.yaml")
    assert not document.faults
    return document.data["piece"]


def found_in(model: type[PlanMapping], text: str) -> list[Found]:
    """Return what is wrong with a piece of a plan; fails when nothing is."""
    with pytest.raises(ValidationError) as failed:
        model.model_validate(plain(text))
    faults = []
    for fault in failed.value.errors(include_url=False):
        context = fault.get("ctx", {})
        key = str(context.get("key", ""))
        hint = str(context.get("hint", ""))
        faults.append(Found(fault["type"], key, fault["msg"], hint, fault["loc"]))
    return faults


def subclasses(model: type[PlanMapping]) -> Iterator[type[PlanMapping]]:
    """Yield every kind of mapping that is loaded."""
    for child in model.__subclasses__():
        yield child
        yield from subclasses(child)
