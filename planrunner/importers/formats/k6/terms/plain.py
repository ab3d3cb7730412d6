"""Plain data, of files and literals, as values of a script."""

from __future__ import annotations

from planrunner.importers.formats.k6.state.values import JsArray, JsConst, JsObject, JsValue

__all__ = ["from_plain"]


def from_plain(value: object) -> JsValue:
    """Return a value of Python as one of a script."""
    if isinstance(value, dict):
        return JsObject({str(key): from_plain(one) for key, one in value.items()})
    if isinstance(value, list):
        return JsArray([from_plain(one) for one in value])
    return JsConst(value)  # type: ignore[arg-type]
