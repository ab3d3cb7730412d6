"""`FormData`, `URLSearchParams` and `URL`, of JavaScript or of jslib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.code.expressions import text_value
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsForm
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsObject,
    JsOp,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.steps.params import plain_text
from planrunner.importers.javascript.constants import js_text

__all__ = ["FORMS"]


def _form(call: NativeCall) -> JsValue:
    del call
    return JsForm("form")


def _query(call: NativeCall) -> JsValue:
    """Read `new URLSearchParams(…)` of nothing, an object or pairs."""
    given = call.argument(0)
    made = JsForm("query")
    if isinstance(given, JsObject) and not given.name:
        made.pairs = list(given.entries.items())
    elif isinstance(given, JsArray) and not given.name:
        for one in given.items:
            if not isinstance(one, JsArray) or len(one.items) != 2:
                raise NoStepSays("parameters that only the run knows: see `query`")
            made.pairs.append((str(plain_text(one.items[0])), one.items[1]))
    elif not isinstance(given, JsConst) or given.value:
        raise NoStepSays("parameters that are read from a text: see `query`")
    return made


def _url(call: NativeCall) -> JsValue:
    """Read `new URL(url, base)`."""
    given, base = call.argument(0), call.argument(1)
    for one in (given, base):
        if isinstance(one, JsUnknown):
            return one
    is_alone = isinstance(base, JsConst) and base.value is None
    return JsForm("url", base=given if is_alone else text_value([base, given]))


def _own(call: NativeCall) -> JsForm:
    assert isinstance(call.of, JsForm), "a method of a form"
    return call.of


def _append(call: NativeCall) -> JsValue:
    form, name, value = _own(call), str(plain_text(call.argument(0))), call.argument(1)
    if isinstance(value, JsUnknown):
        raise NoStepSays(value.why)
    if call.name == "set":
        form.pairs = [pair for pair in form.pairs if pair[0] != name]
    form.pairs.append((name, value))
    return UNDEFINED


def _body(call: NativeCall) -> JsValue:
    return _own(call)


def _text(call: NativeCall) -> JsValue:
    """Read `toString()`: the parameters as they stand in a URL."""
    form = _own(call)
    if form.kind == "url":
        query = _pairs(form.query.pairs) if form.query is not None else []
        return text_value([form.base, *([JsConst("?"), *query] if query else [])])
    return text_value(_pairs(form.pairs))


def _pairs(pairs: list[tuple[str, JsValue]]) -> list[JsValue]:
    parts: list[JsValue] = []
    for name, value in pairs:
        parts.append(JsConst(f"{'&' if parts else ''}{quote(name)}="))
        is_known = isinstance(value, JsConst)
        known = quote(js_text(value.value), safe="") if isinstance(value, JsConst) else ""
        parts.append(JsConst(known) if is_known else JsOp("urlencode", [value]))
    return parts


FORMS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **dict.fromkeys(("FormData", "formdata.FormData"), _form),
    **dict.fromkeys(("URLSearchParams", "url.URLSearchParams"), _query),
    **dict.fromkeys(("URL", "url.URL"), _url),
    **{f"{kind}.{name}": _append for kind in ("form", "query") for name in ("append", "set")},
    "form.body": _body,
    **{f"{kind}.toString": _text for kind in ("query", "url")},
}
