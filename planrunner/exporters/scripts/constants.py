"""Values of a plan that a script needs not compute, as they are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from planrunner.exporters.scripts.language import CanNotWrite

__all__ = ["constant", "form_text", "is_constant", "query_text"]


def is_constant(data: object) -> bool:
    """Return whether a value has no expressions."""
    return "${" not in json.dumps(data)


def constant(data: object) -> object:
    """Return a value without expressions.

    Raises:
        CanNotWrite: It has one.
    """
    if not is_constant(data):
        raise CanNotWrite("what is computed has no translation; write the values yourself")
    return data


def query_text(values: object) -> str:
    """Return constant values as what stands behind the `?` of a URL.

    Raises:
        CanNotWrite: They are computed.
    """
    if not isinstance(values, dict):
        raise CanNotWrite("a query that is computed has no translation")
    given = {key: value for key, value in values.items() if value is not None}
    return urlencode(_texts(given), doseq=True, quote_via=quote)


def form_text(fields: Mapping[str, object]) -> str:
    """Return constant fields as a form sends them.

    Raises:
        CanNotWrite: They are computed.
    """
    return urlencode(_texts(fields), doseq=True)


def _texts(fields: Mapping[str, object]) -> dict[str, object]:
    constant(dict(fields))

    def text(value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    return {
        key: [text(one) for one in value] if isinstance(value, list) else text(value)
        for key, value in fields.items()
    }
