"""HTML and JSONPath: what scripts look for in replies → `extract`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import JsPart, JsReply, JsUnknown, JsValue
from planrunner.importers.formats.k6.steps.params import plain_text
from planrunner.importers.javascript.reply_values import json_path

__all__ = ["DOCUMENTS"]


def _html(call: NativeCall) -> JsValue:
    """Read `res.html()`, with a selector or without."""
    assert isinstance(call.of, JsReply), "a method of a reply"
    return JsPart(call.of, "html", tuple(str(plain_text(one)) for one in call.arguments))


def _parse(call: NativeCall) -> JsValue:
    """Read `parseHTML(res.body)`."""
    body = call.argument(0)
    if isinstance(body, JsUnknown):
        return body
    if not isinstance(body, JsPart) or body.kind != "body":
        raise NoStepSays("HTML of something else than a reply")
    return JsPart(body.reply, "html")


def _own(call: NativeCall) -> JsPart:
    assert isinstance(call.of, JsPart), "a method of a document"
    return call.of


def _find(call: NativeCall) -> JsValue:
    of = _own(call)
    inner = str(plain_text(call.argument(0)))
    path = f"{of.path[0]} {inner}" if of.path else inner
    return JsPart(of.reply, "html", (path,))


def _first(call: NativeCall) -> JsValue:
    """The first of what is found, which an extraction takes anyway."""
    return _own(call)


def _attribute(call: NativeCall) -> JsValue:
    name = "value" if call.name == "val" else str(plain_text(call.argument(0)))
    return _css(_own(call), f"::attr({name})")


def _text(call: NativeCall) -> JsValue:
    return _css(_own(call), "::text")


def _css(of: JsPart, what: str) -> JsPart:
    if not of.path:
        raise NoStepSays("the text of a whole document: see `extract` with `css`")
    return JsPart(of.reply, "css", (f"{of.path[0]}{what}",))


def _query(call: NativeCall) -> JsValue:
    """Read `jsonpath.query(value, path)` and `jsonpath.value`."""
    of = call.argument(0)
    if isinstance(of, JsUnknown):
        return of
    if not isinstance(of, JsPart) or of.kind != "json":
        raise NoStepSays("JSONPath in something else than a reply: see `extract`")
    path = str(plain_text(call.argument(1)))
    whole = json_path(of.path) + path.removeprefix("$")
    return JsPart(of.reply, "query" if call.name == "query" else "first", (whole,))


DOCUMENTS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "Reply.html": _html,
    "html.parseHTML": _parse,
    **dict.fromkeys(("Html.find", "Html.children"), _find),
    **dict.fromkeys(("Html.first", "Html.toArray"), _first),
    **dict.fromkeys(("Html.attr", "Html.val"), _attribute),
    "Html.text": _text,
    **dict.fromkeys(("jsonpath.query", "jsonpath.value"), _query),
}
