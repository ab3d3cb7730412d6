"""What an XPath uses, found in its text: lxml says so only when it meets it in a reply."""

from __future__ import annotations

from typing import Final

from planrunner.errors import PlanrunnerError
from planrunner.late_pattern import late_pattern
from planrunner.protocols.rules import shorten

__all__ = ["MarkupError", "check_xpath", "prefixes_in"]

_FUNCTIONS: Final = frozenset(
    """
    last position count id local-name namespace-uri name string concat starts-with contains
    substring-before substring-after substring string-length normalize-space translate boolean
    not true false lang number sum floor ceiling round
    """.split()  # noqa: SIM905 - a list of 27 strings would be a page
)
"""XPath 1.0 has these and no others."""

_BEFORE_PARENTHESIS: Final = frozenset(
    ["comment", "text", "processing-instruction", "node", "and", "or", "div", "mod"]
)
"""Words before a parenthesis that call nothing."""

_LITERAL: Final = late_pattern(r"\"[^\"]*\"|'[^']*'")
_NAME: Final = r"[^\W\d][\w.-]*"
_CALL: Final = late_pattern(rf"({_NAME}(?::{_NAME})?)(\s*\()?")
"""Any name, whether called or not: each is read once, so that a long one takes no longer."""
_PREFIX: Final = late_pattern(rf"(?:(?<=::)|(?<![\w.:-]))({_NAME})\s*:(?!:)\s*(?:\*|{_NAME})")
_VARIABLE: Final = late_pattern(rf"\$\s*{_NAME}")


class MarkupError(PlanrunnerError):
    """A text is no CSS selector or XPath."""


def check_xpath(expression: str, shown: str) -> None:
    """Refuse what XPath 1.0 hasn't.

    Raises:
        MarkupError: A function that isn't there, or a variable.
    """
    bare = _LITERAL.sub("''", expression)
    if found := _VARIABLE.search(bare):
        hint = "write the value; `${name}` puts a param there"
        raise MarkupError(
            f"`{shown}` uses `{found[0]}`, and XPath here has no variables", hint=hint
        )
    for found in _CALL.finditer(bare):
        name = found[1]
        if found[2] is None:
            continue
        # `child::text()` and `a:b` are told apart by what stands before and between.
        if name not in _FUNCTIONS and name not in _BEFORE_PARENTHESIS:
            hint = "XPath 1.0 has `contains`, `starts-with`, `translate` and `substring`, and no "
            hint += "regular expressions: use `extract: {regex: …}` for these"
            raise MarkupError(
                f"`{shown}` calls `{shorten(name, 60)}`, which XPath 1.0 doesn't have", hint=hint
            )


def prefixes_in(expression: str) -> frozenset[str]:
    """Return the prefixes that names in an XPath have; what they stand for, replies say."""
    return frozenset(_PREFIX.findall(_LITERAL.sub("''", expression))) - {"xml"}
