"""Made-up values: `faker` of npm and of the extension, as `fake.…` of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.library.dates import moved
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsNative,
    JsObject,
    JsOp,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.reading.made_up import made_up_value

__all__ = ["FAKER", "made_up"]

_YEAR: Final = 365 * 86_400
_DAY: Final = 86_400
_MOST_DIGITS: Final = 15
_LARGEST: Final = {"int": 2**53 - 1, "number": 99_999}


def made_up(call: NativeCall) -> JsValue:
    """Read `faker.person.firstName()` and its like: by the last two words, or by the last."""
    word = call.name.replace("_", "").lower()
    of = call.of.path.rpartition(".")[2].lower() if isinstance(call.of, JsNative) else ""
    for name in (f"{of}.{word}", word):
        read = _DRAWN.get(name)
        value = read(call) if read is not None else None
        if value is not None:
            return value
    said = made_up_value(f"{of}.{word}") or made_up_value(word)
    if said is None:
        call.change(f"it is `fake.word()`, not a made-up `{call.name}`")
        said = "fake.word()"
    return JsExpr(said, "text", draws=True)


def _given(call: NativeCall, name: str, number: int = 0) -> JsValue:
    """Return an argument that may stand in an object of options."""
    first = call.argument(0)
    if isinstance(first, JsObject):
        return first.entries.get(name, UNDEFINED)
    return call.argument(number)


def _ends(call: NativeCall, low: float, high: float) -> str:
    """Return the ends of a range: two arguments, or those of an object of options."""
    given = ((_given(call, "min"), low), (_given(call, "max", 1), high))
    found = (JsConst(default) if one is UNDEFINED else one for one, default in given)
    return ", ".join(expression(one, call.machine) for one in found)


def _whole(call: NativeCall) -> JsValue | None:
    """Read `number.int({min, max})`, `number(9)`, `intRange(1, 9)`."""
    first = call.argument(0)
    if len(call.arguments) == 1 and not isinstance(first, JsObject):
        said = f"0, {expression(first, call.machine)}"
    else:
        said = _ends(call, 0, _LARGEST.get(call.name, 999))
    return JsExpr(f"rand.int({said})", "number", draws=True)


def _fraction(call: NativeCall) -> JsValue | None:
    """Read `number.float({min, max, fractionDigits})`."""
    digits = _given(call, "fractionDigits", 2)
    rounded = "" if digits is UNDEFINED else f" | round({expression(digits, call.machine)})"
    return JsExpr(f"rand.float({_ends(call, 0, 1)}){rounded}", "number", draws=True)


def _price(call: NativeCall) -> JsValue | None:
    """Read `commerce.price()` and `finance.amount()`: a text with two digits of a fraction."""
    digits = _given(call, "dec", 2)
    if digits is not UNDEFINED and not (isinstance(digits, JsConst) and digits.value == 2):
        return None
    lowest = 1 if call.name == "price" else 0
    return JsExpr(f"'%.2f' % rand.float({_ends(call, lowest, 1000)})", "text", draws=True)


def _digits(call: NativeCall) -> JsValue | None:
    """Read `string.numeric(4)`: digits, with zeros before them."""
    length = _length(call, 8 if call.name == "accountNumber" else 1)
    if length is None or not 1 <= length <= _MOST_DIGITS:
        return None
    return JsExpr(f"'%0{length}d' % rand.int(0, {10**length - 1})", "text", draws=True)


def _length(call: NativeCall, default: int) -> int | None:
    given = _given(call, "length")
    try:
        found = default if given is UNDEFINED else plain(given)
    except LookupError:
        return None
    return found if isinstance(found, int) else None


def _letters(call: NativeCall) -> JsValue | None:
    """Read `string.alphanumeric(10)` and `string.alpha({length, casing})`."""
    length = _length(call, 1)
    if length is None or length < 0:
        return None
    casing = _given(call, "casing") if isinstance(call.argument(0), JsObject) else UNDEFINED
    cased = {"lower": " | lower", "upper": " | upper"}.get(str(getattr(casing, "value", "")), "")
    if call.name == "alpha":
        if not cased:
            return None
        upper = " | upper" if "upper" in cased else ""
        return JsExpr(f"rand.lower({length}){upper}", "text", draws=True)
    return JsExpr(f"rand.text({length}){cased}", "text", draws=True)


def _item(call: NativeCall) -> JsValue | None:
    """Read `helpers.arrayElement(items)`."""
    items = call.argument(0)
    if not call.arguments or (isinstance(items, JsArray) and not items.items):
        return None
    return JsExpr(f"rand.choice({expression(items, call.machine)})", draws=True)


def _items(call: NativeCall) -> JsValue | None:
    """Read `helpers.arrayElements(items, 2)` and `helpers.shuffle(items)`."""
    items = expression(call.argument(0), call.machine)
    if call.name == "shuffle":
        return JsExpr(f"rand.shuffle({items})", draws=True)
    count = call.argument(1)
    if not isinstance(count, JsConst) or not isinstance(count.value, int):
        return None
    return JsExpr(f"rand.sample({items}, {count.value})", draws=True)


def _moment(call: NativeCall) -> JsValue | None:
    """Read `date.past()`, `date.soon({days: 3})`: a date within years or days from now."""
    is_days = call.name in ("recent", "soon")
    given = _given(call, "days" if is_days else "years")
    try:
        count = 1 if given is UNDEFINED else int(plain(given))
    except (LookupError, TypeError, ValueError):
        return None
    if count < 1:
        return None
    seconds = JsExpr(f"rand.int(1, {count * (_DAY if is_days else _YEAR)})", "number", draws=True)
    sign = -1 if call.name in ("past", "recent") else 1
    return moved(call, JsOp("*", [seconds, JsConst(sign * 1000)]))


def _faker(call: NativeCall) -> JsValue:
    """Read `new Faker(seed)`: the values of a plan come from its own seed."""
    del call
    return JsNative("faker")


_DRAWN: Final[dict[str, Callable[[NativeCall], JsValue | None]]] = {
    **dict.fromkeys(("number.int", "datatype.number", "random.number", "faker.number"), _whole),
    **dict.fromkeys(("intrange", "int", "intbetween"), _whole),
    **dict.fromkeys(("number.float", "datatype.float", "random.float"), _fraction),
    **dict.fromkeys(("commerce.price", "finance.amount"), _price),
    **dict.fromkeys(("numeric", "finance.accountnumber"), _digits),
    **dict.fromkeys(("alphanumeric", "string.alpha", "random.alpha"), _letters),
    **dict.fromkeys(("arrayelement", "randomstring", "oneof"), _item),
    **dict.fromkeys(("arrayelements", "helpers.shuffle"), _items),
    **{f"date.{name}": _moment for name in ("past", "future", "recent", "soon")},
}
FAKER: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "faker.*": made_up,
    "faker.Faker": _faker,
    "faker.default.Faker": _faker,
}
