"""What YAML scalars mean: the core schema of YAML 1.2 and nothing more.

So `yes`, `on`, `1:30`, `1_000` and dates are text, and nothing becomes an object.
"""

from __future__ import annotations

import re

__all__ = ["CORE_TAGS", "plain_value", "tagged_value"]

# Source: YAML 1.2.2, 10.3.2 "Tag Resolution" of the core schema.
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# More digits than any number of a plan has; int() takes quadratic time.
_MAX_DIGITS = 100

CORE_TAGS = {
    f"tag:yaml.org,2002:{name}": name
    for name in ("str", "int", "float", "bool", "null", "map", "seq")
}


def plain_value(text: str) -> object:
    """Return what an unquoted scalar means: null, a boolean, a number or the text itself.

    Raises:
        ValueError: It is a number with more digits than a plan can mean.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits is more than a plan can mean")
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


_PYTHON_TYPES = {"int": int, "float": float, "bool": bool, "null": type(None)}


def tagged_value(name: str, text: str) -> object:
    """Return the value of a scalar with the explicit core tag `name`, such as `!!int 5`.

    Raises:
        ValueError: The text isn't of that type.
    """
    if name == "str":
        return text
    value = plain_value(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _PYTHON_TYPES.get(name):
        raise ValueError(f"`!!{name}` doesn't fit this value")
    return value
