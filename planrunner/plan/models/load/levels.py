"""How much load: numbers of users and rates, for all classes together or class by class."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault, error
from planrunner.language.fields.types import Count, RateField

__all__ = ["RateLevel", "UserLevel"]


def _no_list(data: object) -> object:
    if isinstance(data, list):
        names = ", ".join(str(name) for name in data)
        raise error(
            Fault(
                Code.WRONG_TYPE,
                "a list does not say how many users each class has",
                f"write a number, `{{Class: 10}}`, or select with `only: {{users: [{names}]}}`",
            )
        )
    return data


def _level_shape(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<number>"


UserLevel = Annotated[
    Annotated[Count, Tag("<number>")]
    | Annotated[dict[str, Count], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_level_shape),
    BeforeValidator(_no_list),
]

RateLevel = Annotated[
    Annotated[RateField, Tag("<number>")]
    | Annotated[dict[str, RateField], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_level_shape),
    BeforeValidator(_no_list),
]
