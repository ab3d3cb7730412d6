"""How a scalar is written: quotes only where they are needed, and `"` where they are."""

from __future__ import annotations

import re
from typing import Final

from planrunner.plan.formatting.written import WrittenLeaf
from planrunner.plan.yaml.nodes import plain_value

__all__ = ["OLD_LINE_END", "key_line", "quoted", "scalar_lines"]

OLD_LINE_END: Final = re.compile("[\x85\u2028\u2029]")
"""Of YAML 1.1: the parser ends a line there, other readers don't."""

_ESCAPES: Final = str.maketrans(
    {
        "\\": "\\\\",
        '"': '\\"',
        "\n": "\\n",
        "\t": "\\t",
        "\x85": "\\N",
        "\u2028": "\\L",
        "\u2029": "\\P",
    }
)


def scalar_lines(leaf: WrittenLeaf, *, in_flow: bool) -> list[str]:
    """Return the lines of a scalar outside of blocks; those after the first have no margin."""
    if OLD_LINE_END.search(leaf.raw):
        return [_anew(leaf, in_flow=in_flow)]
    if "\n" in leaf.raw:
        first, *rest = leaf.raw.split("\n")
        return [_trimmed(first), *(_trimmed(line.lstrip(" \t")) for line in rest)]
    return [_on_one_line(leaf, in_flow=in_flow)]


def key_line(leaf: WrittenLeaf, *, in_flow: bool) -> str:
    """Return a scalar that has to be one line, whatever it was."""
    if not leaf.is_block:
        lines = scalar_lines(leaf, in_flow=in_flow)
        if len(lines) == 1:
            return lines[0]
    return _anew(leaf, in_flow=in_flow)


def _anew(leaf: WrittenLeaf, *, in_flow: bool) -> str:
    """Return a scalar's value on one line, with nothing of how it was written."""
    if not leaf.properties and _is_plain(leaf.value, in_flow=in_flow):
        return leaf.value
    return quoted(leaf.value)


def quoted(value: str) -> str:
    """Return a value in double quotes, on one line."""
    return f'"{value.translate(_ESCAPES)}"'


def _on_one_line(leaf: WrittenLeaf, *, in_flow: bool) -> str:
    quote, raw, value = leaf.style, leaf.raw, leaf.value
    if quote not in ("'", '"') or (quote == '"' and "\\" in raw):  # escapes are the author's
        return raw
    if not leaf.properties and _is_plain(value, in_flow=in_flow):
        return value
    return raw if '"' in value or "\\" in value else f'"{value}"'


def _trimmed(line: str) -> str:
    """Return the line without blanks at its end, unless the first of them is escaped."""
    text = line.rstrip(" \t")
    backslashes = len(text) - len(text.rstrip("\\"))
    return line if backslashes % 2 and text != line else text


# Nothing that some reader of YAML 1.1 or 1.2 could take for something else than this text.
_PLAIN: Final = re.compile(
    r"""(?![\ ?:,\[\]{}\#&*!|>~'"%@`-]) (?!\.\.\.)   # what a value begins with that isn't text
        (?:[^\s:\#] | [ ]+(?![\s\#]) | :(?!\s|$) | (?<!\s)\#)+""",
    re.VERBOSE,
)
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
_OF_FLOW: Final = re.compile(r"[,\[\]{}?:]")

# Source: the types of YAML 1.1 (yaml.org/type), where 1.2 has none of them.
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "=", "<<"))
_NUMBER: Final = re.compile(r"[-+.]?[0-9][0-9a-fA-FoxX_,.:+-]*(?:[Tt \t][0-9:.TtZz \t+-]*)?")


def _is_plain(value: str, *, in_flow: bool) -> bool:
    """Whether `value` reads as this text without quotes."""
    return (
        _PLAIN.fullmatch(value) is not None
        and not value.endswith(" ")
        and not _UNPRINTABLE.search(value)
        and not (in_flow and _OF_FLOW.search(value))
        and value.lower() not in _WORDS
        and not _NUMBER.fullmatch(value)
        and isinstance(plain_value(value), str)
    )
