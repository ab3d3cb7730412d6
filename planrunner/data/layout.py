"""How a file of rows is laid out, where the file itself can't say."""

from __future__ import annotations

from typing import Final

from planrunner.errors import PlanrunnerError
from planrunner.values import dataclass

__all__ = ["PLAIN", "Layout", "LayoutFault", "comment_of", "delimiter_of"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a plan says of a text file with columns.

    Attributes:
        columns: The names of its columns; empty when the first row has them.
        delimiter: The character between two values.
        comment: What lines begin with that are no rows; empty when all are.
    """

    columns: tuple[str, ...] = ()
    delimiter: str = ","
    comment: str = ""


PLAIN: Final = Layout()


class LayoutFault(PlanrunnerError):  # noqa: N818 - a fault of the plan
    """No file can be laid out like that."""


_NAMED: Final = {"tab": "\t", "\\t": "\t"}
_OTHER_WORDS: Final = {
    "comma": '","',
    "semicolon": '";"',
    "pipe": '"|"',
    "colon": '":"',
    "\\u0009": "tab",
    "\\x09": "tab",
}


def delimiter_of(text: str) -> str:
    """Return the character that a plan means.

    Raises:
        LayoutFault: It is none that can stand between values.
    """
    mark = _NAMED.get(text.lower(), text)
    if mark == " ":
        message = "a space can't separate values, because spaces around values are dropped"
        raise LayoutFault(message, hint="separate the values by commas or tabs")
    if mark in ('"', "\r", "\n", "\0"):
        raise LayoutFault("a quote or a line end can't separate values", hint='write `","`')
    if len(mark) != 1:
        other = _OTHER_WORDS.get(text.lower())
        hint = f"write `{other}`" if other else "write one character such as `;`, or `tab`"
        raise LayoutFault(f"the delimiter is one character, got `{text}`", hint=hint)
    return mark


def comment_of(text: str, delimiter: str) -> str:
    """Return what lines begin with that are no rows.

    Raises:
        LayoutFault: Rows begin with it too.
    """
    if text[:1] in (delimiter, '"', " ", "\r", "\n", ""):
        message = "lines with values begin with that too" if text else "the mark is empty"
        raise LayoutFault(message, hint='write a mark that no row begins with: `comment: "#"`')
    return text
