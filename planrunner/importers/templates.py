"""Other tools' templates in text → `${…}`, and other tools' names → names of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import Final

from planrunner.language.expressions.expression import RESERVED

__all__ = ["BRACES", "identifier", "literal", "translate"]

BRACES: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
"""`{{ name }}`, as Artillery, Postman, Insomnia, Drill and others write it."""

_BRACES_OF_NAME: Final = re.compile(r"\{\{(?=\s*[A-Za-z_])")
"""What a plan takes for a template of another tool."""

_RESERVED: Final = RESERVED | {
    *("and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "user"),
    *("iteration", "phase", "services", "json", "body", "headers", "status", "run", "event"),
    *("line", "files", "env", "data", "setup"),
}


def literal(text: str) -> str:
    """Return text so that a plan takes it as it stands."""
    return _BRACES_OF_NAME.sub("${'{{'}", text.replace("${", "$${"))


def translate(text: str, pattern: re.Pattern[str], resolve: Callable[[str], str]) -> str:
    """Return text whose templates are expressions of a plan.

    Args:
        text: Of the other tool.
        pattern: Of a template; its first group is what stands inside.
        resolve: Returns the text for what stands inside: `${name}`, or a literal.
    """
    parts, end = [], 0
    for found in pattern.finditer(text):
        parts += [literal(text[end : found.start()]), resolve(found[1])]
        end = found.end()
    return "".join([*parts, literal(text[end:])])


def identifier(name: str, taken: Container[str] = ()) -> str:
    """Return a name that expressions of a plan can say: snake case, neither reserved nor taken."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip())
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "value"
    if plain[0].isdigit():
        plain = f"v_{plain}"
    if plain in _RESERVED:
        plain = f"{plain}_value"
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    return found
