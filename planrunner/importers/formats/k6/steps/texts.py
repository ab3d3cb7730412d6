"""Methods of texts, numbers and lists, and functions of JavaScript about them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsDate, JsDateText
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsFile,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsRows,
    JsText,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.steps.data import json_of
from planrunner.importers.formats.k6.terms.dates import date_said
from planrunner.importers.formats.k6.terms.members import member
from planrunner.importers.formats.k6.terms.operators import negated
from planrunner.importers.formats.k6.terms.plain import from_plain
from planrunner.importers.formats.k6.terms.texts import draws, expression, wrapped
from planrunner.importers.javascript.constants import js_text

__all__ = ["TEXTS"]

_LONGEST: Final = 100_000
_NESTED: Final = re.compile(r"[+*}][^()]*\)\s*[+*{?]")
_OPEN_ENDED: Final = re.compile(r"[+*}]")
_NUMBER: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)")


def _stringify(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    try:
        text = json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)
    except LookupError:
        return JsOp("json", [value])
    return JsOp("json", [value]) if isinstance(value, (JsObject, JsArray)) else JsConst(text)


def _parse(call: NativeCall) -> JsValue:
    """Read `JSON.parse(…)` of a reply's body, a file, or a text."""
    value = call.argument(0)
    match value:
        case JsPart(kind="body", reply=reply):
            return JsPart(reply, "json")
        case JsOp(sign="or", operands=[JsPart(kind="body", reply=reply), _]):
            return JsPart(reply, "json")
        case JsFile():
            return json_of(call, value)
        case JsOp(sign="json", operands=[inner]):
            return inner
        case JsConst(value=str() as text):
            try:
                return from_plain(json.loads(text))
            except (ValueError, RecursionError):
                raise NoStepSays("a text that is not JSON") from None
        case JsUnknown():
            return value
        case _:
            raise NoStepSays("JSON that is computed: see `extract`")


def _number(call: NativeCall) -> JsValue:
    """Read `parseInt`, `parseFloat` and `Number`."""
    value = call.argument(0)
    kind = "int" if call.name == "parseInt" else "float"
    if isinstance(value, JsUnknown):
        return value
    if isinstance(value, JsDate):
        return value.milliseconds
    if isinstance(value, JsConst):
        found = _NUMBER.match(js_text(value.value)) if value.value is not None else None
        if found is None:
            return UNDEFINED
        number = float(found[1])
        return JsConst(int(number) if kind == "int" or number.is_integer() else number)
    known = getattr(value, "unset", None)
    unset = _number_of(known) if isinstance(known, JsConst) else None
    return JsOp(kind, [value], unset)


def _number_of(value: JsConst) -> JsConst:
    found = _NUMBER.match(str(value.value))
    number = float(found[1]) if found else 0.0
    return JsConst(int(number) if number.is_integer() else number)


def _string(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    return JsConst(js_text(value.value)) if isinstance(value, JsConst) else JsText([value])


def _to_string(call: NativeCall) -> JsValue:
    if isinstance(call.of, JsConst):
        return JsConst(js_text(call.of.value))
    if isinstance(call.of, JsExpr) and call.of.text.startswith("rand.float") and call.arguments:
        return JsExpr("rand.lower(11)", "text", draws=True)
    return JsText([call.of])


def _boolean(call: NativeCall) -> JsValue:
    return negated(negated(call.argument(0)))


def _is_array(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    if isinstance(value, JsPart):
        return JsOp("type", [value, JsConst("array")])
    return JsConst(isinstance(value, (JsArray, JsRows)))


def _includes(call: NativeCall) -> JsValue:
    wanted = call.argument(0)
    try:
        known, within = plain(wanted), plain(call.of)
        return JsConst(known in within)
    except (LookupError, TypeError):
        return JsOp("in", [wanted, call.of])


def _index_of(call: NativeCall) -> JsValue:
    """Read `x.indexOf(y)`, which scripts compare with -1."""
    wanted = call.argument(0)
    try:
        return JsConst(plain(call.of).find(plain(wanted)))
    except (LookupError, AttributeError, TypeError):
        return JsOp("in", [wanted, call.of])


def _starts(call: NativeCall) -> JsValue:
    wanted = plain_or_refuse(call.argument(0))
    sign = "starts" if call.name == "startsWith" else "ends"
    if isinstance(call.of, JsConst):
        text = str(call.of.value)
        return JsConst(text.startswith(wanted) if sign == "starts" else text.endswith(wanted))
    return JsOp(sign, [call.of, JsConst(wanted)])


def plain_or_refuse(value: JsValue) -> str:
    """Return a text that has to be known beforehand."""
    try:
        return str(plain(value))
    except LookupError:
        raise NoStepSays("a text that only the run knows") from None


def _pattern(value: JsValue) -> str | None:
    if isinstance(value, JsObject) and isinstance(value.entries.get("regex"), JsConst):
        return str(value.entries["regex"].value)  # type: ignore[attr-defined]
    return None


def _match(call: NativeCall) -> JsValue:
    """Read `body.match(/…(…)…/)`, whose first group is taken."""
    pattern = _pattern(call.argument(0))
    if pattern is None or not isinstance(call.of, JsPart) or call.of.kind != "body":
        raise NoStepSays("a pattern in a text: see `extract` with `regex`")
    return JsPart(call.of.reply, "regex", (pattern,))


def _exec(call: NativeCall) -> JsValue:
    """Read `/…(…)…/.exec(body)`."""
    pattern, body = _pattern(call.of), call.argument(0)
    if pattern is None or not isinstance(body, JsPart) or body.kind != "body":
        raise NoStepSays("a pattern in a text: see `extract` with `regex`")
    return JsPart(body.reply, "regex", (pattern,))


def _test(call: NativeCall) -> JsValue:
    """Read `/…/.test(text)`."""
    pattern = _pattern(call.of)
    if pattern is None:
        raise NoStepSays("a pattern that only the run knows")
    return JsOp("matches", [call.argument(0), JsConst(pattern)])


def _replaced(pattern: str, new: str, text: str) -> str:
    """Return a text with what a pattern finds replaced; those that might run long are refused."""
    is_short = len(pattern) < 80 and len(text) < 2000
    if not is_short or _NESTED.search(pattern) or len(_OPEN_ENDED.findall(pattern)) > 2:
        raise NoStepSays("a pattern that is replaced: write it as a function of a hook")
    try:
        return re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", new), text)
    except (re.error, IndexError):
        raise NoStepSays("a pattern that is not one of Python's: write it as a hook") from None


def _replace(call: NativeCall) -> JsValue:
    pattern = _pattern(call.argument(0))
    new = call.argument(1)
    if pattern is not None:
        if isinstance(call.of, JsConst) and isinstance(new, JsConst):
            return JsConst(_replaced(pattern, str(new.value), str(call.of.value)))
        raise NoStepSays("a pattern that is replaced: write it as a function of a hook")
    old = plain_or_refuse(call.argument(0))
    if isinstance(call.of, JsConst) and isinstance(new, JsConst):
        return JsConst(str(call.of.value).replace(old, str(new.value), 1))
    shown = ", ".join(expression(one, call.machine) for one in (JsConst(old), new))
    return JsExpr(f"{wrapped(call.of, call.machine)} | replace({shown})", "text")


def _filtered(call: NativeCall) -> JsValue:
    """Read `toUpperCase()` and its like."""
    name = {"toUpperCase": "upper", "toLowerCase": "lower", "trim": "trim"}[call.name]
    if isinstance(call.of, JsConst):
        return _changed(call.of, name)
    known = getattr(call.of, "unset", None)
    return JsOp(name, [call.of], _changed(known, name) if isinstance(known, JsConst) else None)


def _changed(value: JsConst, name: str) -> JsConst:
    text = js_text(value.value)
    changed = {"upper": text.upper(), "lower": text.lower(), "trim": text.strip()}
    return JsConst(changed[name])


def _split(call: NativeCall) -> JsValue:
    by = plain_or_refuse(call.argument(0))
    if isinstance(call.of, JsConst):
        text = str(call.of.value)
        return JsArray([JsConst(one) for one in (text.split(by) if by else list(text))])
    known = getattr(call.of, "unset", None)
    if isinstance(known, JsConst):
        call.change("it is split beforehand, as it is without the variable")
        return JsArray([JsConst(one) for one in str(known.value).split(by)])
    if isinstance(call.of, JsDateText) and by == "T":
        return JsArray([_written(call.of, form, call) for form in _AROUND_T])
    raise NoStepSays("a text that is split: write it as a function of a hook")


def _written(date: JsDateText, form: str, call: NativeCall) -> JsExpr:
    said = date_said(date.of, form, lambda one: wrapped(one, call.machine))
    return JsExpr(said, "text", draws=date.draws)


_AROUND_T: Final = ("%Y-%m-%d", "%H:%M:%S.000Z")


def _slice(call: NativeCall) -> JsValue:
    """Read `slice`, `substring` and `substr` of a text or list."""
    bounds = [plain_or_refuse(one) for one in call.arguments]
    try:
        numbers = [int(float(one)) for one in bounds if one != "None"]
    except (ValueError, OverflowError):
        raise NoStepSays("a piece of a text whose ends are not numbers") from None
    if call.name == "substr" and len(numbers) > 1:
        numbers[1] += numbers[0]
    first, last = [*numbers, 0][0], numbers[1] if len(numbers) > 1 else None
    if isinstance(call.of, JsConst):
        return JsConst(str(call.of.value)[first:last])
    if isinstance(call.of, JsArray) and not call.of.name:
        return JsArray(call.of.items[first:last])
    if isinstance(call.of, JsExpr) and call.of.text == "rand.lower(11)":
        length = (last if last is not None else 11) - first
        return JsExpr(f"rand.lower({max(1, length)})", "text", draws=True)
    shown = f"{first or ''}:{'' if last is None else last}"
    text = f"{wrapped(call.of, call.machine)}[{shown}]"
    return JsExpr(text, "text", draws=draws(call.of))


def _fixed(call: NativeCall) -> JsValue:
    digits = plain_or_refuse(call.argument(0)) if call.arguments else "0"
    if isinstance(call.of, JsConst):
        return JsConst(f"{float(call.of.value or 0):.{int(digits)}f}")
    text = f"'%.{int(digits)}f' % {wrapped(call.of, call.machine)}"
    return JsExpr(text, "text", draws=draws(call.of))


def _pad(call: NativeCall) -> JsValue:
    width = int(float(plain_or_refuse(call.argument(0))))
    fill = plain_or_refuse(call.argument(1))[:1] if len(call.arguments) > 1 else " "
    at_start = call.name == "padStart"
    if width > _LONGEST:
        raise NoStepSays("a text that grows without end")
    if isinstance(call.of, JsConst):
        text = js_text(call.of.value)
        return JsConst(text.rjust(width, fill) if at_start else text.ljust(width, fill))
    own = wrapped(call.of, call.machine)
    length = f"[{width}, {own} | string | length] | max"
    filled = expression(JsConst(fill * width), call.machine)
    said = f"({filled} ~ {own})[-({length}):]" if at_start else f"({own} ~ {filled})[:{length}]"
    return JsExpr(said, "text", draws=draws(call.of))


def _repeat(call: NativeCall) -> JsValue:
    count = int(float(plain_or_refuse(call.argument(0))))
    if isinstance(call.of, JsConst) and 0 <= count * len(str(call.of.value)) < _LONGEST:
        return JsConst(js_text(call.of.value) * count)
    return JsExpr(f"{wrapped(call.of, call.machine)} * {count}", "text", draws=draws(call.of))


def _char(call: NativeCall) -> JsValue:
    """Read `text.charAt(number)` and `text.at(number)`."""
    return member(call.of, call.argument(0), call.machine)


def _decoded(call: NativeCall) -> JsValue:
    """Read `encoding.b64decode(text)`."""
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    if isinstance(value, JsOp) and value.sign == "b64":
        return value.operands[0]
    try:
        raw = str(plain(value)).replace("-", "+").replace("_", "/")
        return JsConst(base64.b64decode(raw + "=" * (-len(raw) % 4)).decode())
    except (LookupError, ValueError):
        raise NoStepSays("Base64 that is decoded: write it as a function of a hook") from None


def _join(call: NativeCall) -> JsValue:
    by = plain_or_refuse(call.argument(0)) if call.arguments else ","
    if isinstance(call.of, JsArray) and not call.of.name:
        parts: list[JsValue] = []
        for one in call.of.items:
            parts += [JsConst(by), one] if parts else [one]
        return JsText(parts) if parts else JsConst("")
    return JsExpr(f"{wrapped(call.of, call.machine)} | join('{by}')", "text")


def _same(call: NativeCall) -> JsValue:
    return call.argument(0)


def _coded(call: NativeCall) -> JsValue:
    name = {"b64encode": "b64", "btoa": "b64"}.get(call.name, "urlencode")
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    return JsOp(name, [value])


def _has(call: NativeCall) -> JsValue:
    """Read `x.hasOwnProperty('key')`."""
    key = call.argument(0)
    found = member(call.of, key, call.machine)
    if isinstance(call.of, JsObject) and not call.of.name:
        return JsConst(not (isinstance(found, JsConst) and found.value is None))
    return JsOp("!=", [found, UNDEFINED])


def _object_test(call: NativeCall) -> JsValue:
    return _test(call) if call.name == "test" else _has(call)


def _body_json(call: NativeCall) -> JsValue:
    if isinstance(call.of, JsReply):
        return JsPart(call.of, "json")
    raise NoStepSays(f"`{call.name}` of something that is not a reply")


_TextNatives = dict[str, Callable[[NativeCall], JsValue]]
TEXTS: Final[_TextNatives] = {
    "JSON.stringify": _stringify,
    "JSON.parse": _parse,
    **dict.fromkeys(("parseInt", "parseFloat", "Number", "Number.parseInt"), _number),
    "Number.parseFloat": _number,
    "String": _string,
    "Boolean": _boolean,
    "Array.isArray": _is_array,
    "Object.freeze": _same,
    "Object.test": _object_test,
    "Object.exec": _exec,
    **{f"{kind}.hasOwnProperty": _has for kind in ("Object", "Value")},
    "Value.toString": _to_string,
    **{f"{kind}.includes": _includes for kind in ("Value", "List")},
    "Value.indexOf": _index_of,
    **{f"Value.{name}": _starts for name in ("startsWith", "endsWith")},
    "Value.match": _match,
    **{f"Value.{name}": _replace for name in ("replace", "replaceAll")},
    **{f"Value.{name}": _filtered for name in ("toUpperCase", "toLowerCase", "trim")},
    "Value.split": _split,
    **{f"Value.{name}": _slice for name in ("slice", "substring", "substr")},
    "List.slice": _slice,
    "Value.toFixed": _fixed,
    **dict.fromkeys(("Value.padStart", "Value.padEnd"), _pad),
    "Value.repeat": _repeat,
    **dict.fromkeys(("Value.charAt", "Value.at", "List.at"), _char),
    **dict.fromkeys(("encoding.b64decode", "atob"), _decoded),
    **{f"{kind}.join": _join for kind in ("Value", "List")},
    "encoding.b64encode": _coded,
    "btoa": _coded,
    "encodeURIComponent": _coded,
    "encodeURI": _same,
}
