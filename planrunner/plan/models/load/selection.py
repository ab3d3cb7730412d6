"""What a plan may write under `only:` and `skip:`: a part of its users and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault, PlanMapping

__all__ = ["SelectionModel"]


class SelectionModel(PlanMapping):
    """Which part of the plan a phase runs."""

    users: list[str] | None = Field(
        None, min_length=1, description="User classes.", examples=["[ApiUser]"]
    )
    tags: list[str] | None = Field(
        None, min_length=1, description="Tags of tasks.", examples=["[read]"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if not data:
            yield Fault(Code.MISSING_KEY, "nothing is selected", "add `users:` or `tags:`")
