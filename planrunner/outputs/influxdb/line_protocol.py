"""InfluxDB's line protocol: points as text, whatever names hold.

Source: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/ and what
1.6 makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["FieldValue", "line", "tag_text", "tags_text"]

FieldValue = int | float | str

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPECIAL: Final = re.compile(r"([,= ])")

_AMBIGUOUS: Final = re.compile(r"\\+(?=[,= ]|$)")
"""Backslashes before what is escaped by one, or at the end."""


def tag_text(text: str) -> str:
    r"""Return a tag's key or value as it stands in a line.

    The protocol can't carry a line break, so control characters become `\ufffd`; nor a backslash
    before a comma, an equals sign or a space, or at the end, so that becomes a slash.
    """
    if text.isalnum():
        return text
    text = _CONTROL.sub("\ufffd", text)
    text = _AMBIGUOUS.sub(lambda found: "/" * len(found[0]), text)
    return _SPECIAL.sub(r"\\\1", text)


def tags_text(tags: Mapping[str, str]) -> str:
    """Return tags as they follow a measurement, sorted; those without a value are left out."""
    return "".join(f",{tag_text(key)}={tag_text(tags[key])}" for key in sorted(tags) if tags[key])


def line(measurement: str, tags: str, fields: Mapping[str, FieldValue], at_ns: int) -> str:
    """Return a point.

    Args:
        measurement: A name without special characters.
        tags: What `tags_text` made.
        fields: By name, without special characters; at least one.
        at_ns: Since 1970.
    """
    written = ",".join(f"{name}={_field(value)}" for name, value in fields.items())
    return f"{measurement}{tags} {written} {at_ns}"


def _field(value: FieldValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case float():
            return repr(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
