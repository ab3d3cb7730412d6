"""Dates: `new Date(…)`, what moves it, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from planrunner.importers.formats.k6.code.assignments import settled
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsDate, JsDatePart, JsDateText
from planrunner.importers.formats.k6.state.values import (
    JsConst,
    JsExpr,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.dates import (
    CLOCK,
    ISO,
    TEXT,
    date_said,
    is_now,
    of_constant,
    terms_of,
)
from planrunner.importers.formats.k6.terms.operators import binary
from planrunner.importers.formats.k6.terms.texts import draws, is_text, wrapped

__all__ = ["DATES", "clock", "moved"]

_DAY: Final = 86_400_000
_HOUR: Final = 3_600_000
_MINUTE: Final = 60_000
_PARTS: Final = {
    "FullYear": ("%Y", 0, 0),
    "Month": ("%m", -1, 0),
    "Date": ("%d", 0, _DAY),
    "Day": ("%w", 0, 0),
    "Hours": ("%H", 0, _HOUR),
    "Minutes": ("%M", 0, _MINUTE),
    "Seconds": ("%S", 0, 1000),
}
_FORMS: Final = {
    "toString": TEXT,
    "toDateString": "%a %b %d %Y",
    "toUTCString": "%a, %d %b %Y %H:%M:%S GMT",
}
_READ: Final = "a date that is read from a text: write it as a function of a hook"
_MOVED: Final = "a date that is moved so: write it as a function of a hook"


def clock(call: NativeCall) -> JsValue:
    """Return the milliseconds since 1970."""
    machine = call.machine
    began = (machine.lists[-1], len(machine.lists[-1])) if machine.lists else None
    return JsExpr(CLOCK, "clock", draws=True, sent=machine.sent, began=began)


def moved(call: NativeCall, by: JsValue) -> JsDate:
    """Return now, moved by milliseconds."""
    return JsDate(binary("+", clock(call), by), call.machine.depth)


def _date(call: NativeCall) -> JsValue:
    """Read `new Date(…)`."""
    if len(call.arguments) > 1:
        return JsDate(_of_parts(call), call.machine.depth)
    value = call.argument(0)
    if not call.arguments:
        value = clock(call)
    elif isinstance(value, JsDate):
        value = value.milliseconds
    elif isinstance(value, JsConst) and isinstance(value.value, str):
        value = _parsed(value.value)
    elif isinstance(value, JsUnknown) or is_text(value) or not _is_number(value):
        raise NoStepSays(value.why if isinstance(value, JsUnknown) else _READ)
    return JsDate(value, call.machine.depth)


def _is_number(value: JsValue) -> bool:
    is_unknown_kind = isinstance(value, JsExpr) and not value.kind
    return not is_unknown_kind and (not isinstance(value, JsConst) or _is_moment(value))


def _is_moment(value: JsConst) -> bool:
    try:
        of_constant(value, ISO)
    except (ValueError, OverflowError, OSError):
        return False
    return not isinstance(value.value, bool) and value.value is not None


def _of_parts(call: NativeCall) -> JsValue:
    """Read `new Date(2024, 0, 31)`."""
    try:
        year, month, *rest = (int(plain(one)) for one in call.arguments)
        day, hour, minute, second, milli = [*rest, *(1, 0, 0, 0, 0)[len(rest) :]]
        first = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        more = timedelta(day - 1, second, 0, milli, minute, hour)
        return _milliseconds(first + more)
    except (LookupError, TypeError, ValueError, OverflowError):
        raise NoStepSays(_MOVED) from None


def _milliseconds(moment: datetime) -> JsConst:
    return JsConst(round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)))


def _parsed(text: str) -> JsConst:
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NoStepSays(_READ) from None
    return _milliseconds(read if read.tzinfo else read.replace(tzinfo=UTC))


def _parse(call: NativeCall) -> JsValue:
    """Read `Date.parse(text)`."""
    return _parsed(str(plain(call.argument(0))))


def _own(call: NativeCall) -> JsDate:
    assert isinstance(call.of, JsDate), "a method of a date"
    return call.of


def _said(call: NativeCall, form: str) -> str:
    return date_said(_own(call).milliseconds, form, lambda one: wrapped(one, call.machine))


def _text(call: NativeCall) -> JsValue:
    """Read `toISOString()` and its like."""
    value, form = _own(call).milliseconds, _FORMS.get(call.name, ISO)
    if isinstance(value, JsConst):
        return JsConst(of_constant(value, form))
    said = _said(call, form)
    if form == ISO:
        return JsDateText(said, "text", draws=draws(value), of=value)
    return JsExpr(said, "text", draws=draws(value))


def _local(call: NativeCall) -> JsValue:
    """Read `toLocaleDateString('en-CA')`, which is how dates are written in few places."""
    forms = {"en-CA": "%Y-%m-%d", "sv-SE": "%Y-%m-%d", "en-GB": "%d/%m/%Y"}
    form = forms.get(str(plain(call.argument(0)))) if len(call.arguments) == 1 else None
    if form is None:
        raise NoStepSays("a date as it is written somewhere: see `date(format, offset)`")
    return JsExpr(_said(call, form), "text", draws=draws(_own(call).milliseconds))


def _number(call: NativeCall) -> JsValue:
    """Read `getTime()`."""
    return _own(call).milliseconds


def _part(call: NativeCall) -> JsValue:
    """Read `getDate()` and its like."""
    form, more, unit = _PARTS[call.name.removeprefix("get").removeprefix("UTC")]
    value = _own(call).milliseconds
    if isinstance(value, JsConst):
        return JsConst(int(of_constant(value, form)) + more)
    said = f"{_whole(_said(call, form))} | int"
    said = f"({said}) - {-more}" if more else said
    return JsDatePart(said, "number", draws=draws(value), of=value, unit=unit)


def _whole(said: str) -> str:
    return said if said.startswith("date(") else f"({said})"


def _move(call: NativeCall) -> JsValue:
    """Read `d.setDate(d.getDate() + 7)` and its like, and `d.setHours(0, 0, 0, 0)`."""
    date = _own(call)
    name = call.name.removeprefix("set").removeprefix("UTC")
    value = _midnight(date, call) if name == "Hours" and len(call.arguments) > 2 else None
    value = _by_parts(date, _PARTS[name][2], call) if value is None else value
    return _moved(date, value, call)


def _midnight(date: JsDate, call: NativeCall) -> JsValue:
    try:
        hour, minute, second, milli = [int(plain(one)) for one in [*call.arguments, JsConst(0)][:4]]
    except (LookupError, TypeError, ValueError):
        raise NoStepSays(_MOVED) from None
    begun = binary("-", date.milliseconds, binary("%", date.milliseconds, JsConst(_DAY)))
    return binary("+", begun, JsConst(hour * _HOUR + minute * _MINUTE + second * 1000 + milli))


def _by_parts(date: JsDate, unit: int, call: NativeCall) -> JsValue:
    """Return a date moved by how much more of a part it gets."""
    value = date.milliseconds
    terms = terms_of(call.argument(0))
    own = [one for sign, one in terms if sign == "+" and _is_part(one, value, unit)]
    if len(call.arguments) != 1 or len(own) != 1 or not unit:
        raise NoStepSays(_MOVED)
    rest = [one for one in terms if one[1] is not own[0]]
    for sign, more in rest:
        value = binary(sign, value, binary("*", more, JsConst(unit)))
    return value


def _is_part(one: JsValue, value: JsValue, unit: int) -> bool:
    if not isinstance(one, JsDatePart) or one.unit != unit:
        return False
    return one.of is value or (is_now(one.of) and is_now(value))


def _set_time(call: NativeCall) -> JsValue:
    """Read `setTime(milliseconds)`."""
    date = _own(call)
    return _moved(date, call.argument(0), call)


def _moved(date: JsDate, value: JsValue, call: NativeCall) -> JsValue:
    """Move a date; what is drawn for that is set first, as several parts of it may be read."""
    if date.depth != call.machine.depth:
        raise NoStepSays("a date that a branch moves: write it as a function of a hook")
    date.milliseconds = value
    settled(date, "moment", call.node, call.scope, call.machine)
    return date.milliseconds


def _iso(call: NativeCall) -> JsValue:
    """Read `toISOString()` of a clock that has a name."""
    if isinstance(call.of, JsExpr) and call.of.kind == "clock":
        return JsExpr("date()", "text", draws=True)
    raise NoStepSays("a date that is computed: see `date(format, offset)`")


def _same(call: NativeCall) -> JsValue:
    return call.of


_NAMES: Final = [f"{utc}{name}" for name in _PARTS for utc in ("", "UTC")]
_DateNatives = dict[str, Callable[[NativeCall], JsValue]]
DATES: Final[_DateNatives] = {
    "Date": _date,
    "Date.now": clock,
    "Date.parse": _parse,
    **dict.fromkeys((f"Date.{one}" for one in ("toISOString", "toJSON", *_FORMS)), _text),
    "Date.toLocaleDateString": _local,
    **dict.fromkeys(("Date.getTime", "Date.valueOf"), _number),
    **{f"Date.get{name}": _part for name in _NAMES},
    **{f"Date.set{name}": _move for name in _NAMES if "Day" not in name},
    "Date.setTime": _set_time,
    "Value.toISOString": _iso,
    **dict.fromkeys(("Value.getTime", "Value.valueOf"), _same),
}
