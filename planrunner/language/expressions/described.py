"""What expressions can use without a plan declaring it, as the reference describes it."""

from __future__ import annotations

from planrunner.values import dataclass

__all__ = ["Described"]


@dataclass(frozen=True, slots=True)
class Described:
    """A name, helper, filter, test or form of the syntax.

    Attributes:
        name: What is looked up.
        form: How it is written; arguments with their names and what they are when left out.
        meaning: What it gives, without a full stop. In Markdown.
        example: An expression; a test evaluates it.
        result: The example's value as text; empty for what is drawn or depends on the moment.
    """

    name: str
    form: str
    meaning: str
    example: str
    result: str = ""
