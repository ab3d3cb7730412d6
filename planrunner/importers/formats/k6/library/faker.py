"""Made-up values: `faker` of npm and of the extension, as `fake.…` of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.values import JsArray, JsExpr, JsNative, JsValue
from planrunner.importers.formats.k6.terms.texts import expression
from planrunner.importers.reading.made_up import made_up_value

__all__ = ["FAKER", "made_up"]


def made_up(call: NativeCall) -> JsValue:
    """Read `faker.person.firstName()` and its like, by the last word."""
    word = call.name.replace("_", "").lower()
    if word in ("intrange", "number", "int", "intbetween") and len(call.arguments) == 2:
        low, high = (expression(one, call.machine) for one in call.arguments)
        return JsExpr(f"rand.int({low}, {high})", "number", draws=True)
    if word in ("arrayelement", "randomstring", "oneof") and call.arguments:
        items = call.argument(0)
        if isinstance(items, JsArray):
            return JsExpr(f"rand.choice({expression(items, call.machine)})", draws=True)
    said = made_up_value(word)
    if said is None:
        call.change(f"it is `fake.word()`, not a made-up `{call.name}`")
        said = "fake.word()"
    return JsExpr(said, "text", draws=True)


def _faker(call: NativeCall) -> JsValue:
    """Read `new Faker(seed)`: the values of a plan come from its own seed."""
    del call
    return JsNative("faker")


FAKER: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "faker.*": made_up,
    "faker.Faker": _faker,
    "faker.default.Faker": _faker,
}
