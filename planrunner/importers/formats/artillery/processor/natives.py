"""What processors are given, and what they import: callbacks, counters, made-up values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from planrunner.importers.formats.artillery.processor.machine import ProcessorMachine
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.natives import NATIVES, native_module
from planrunner.importers.formats.k6.program import read_module
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsMetric,
    JsNative,
    JsObject,
    JsUnknown,
    JsValue,
    K6Module,
    Variable,
    plain,
)
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.plain import from_plain
from planrunner.importers.formats.k6.terms.texts import expression, wrapped
from planrunner.importers.templates import identifier
from planrunner.metrics.measures import MEASURES

__all__ = ["CALLBACK", "EVENTS", "PROCESSOR_NATIVES", "read_processor"]

CALLBACK: Final = "artillery.next"
EVENTS: Final = "artillery.events"
_LATER: Final = "a value that is computed after the reply: `record` takes one of the reply itself"
_LONGEST_KEY: Final = 64
_KINDS: Final = {"counter": "Counter", "histogram": "Trend", "rate": "Counter"}


def read_processor(module: K6Module, machine: ProcessorMachine) -> dict[str, JsValue]:
    """Read a module of Node.js; returns what it exports."""
    env = JsObject({"env": JsNative("__ENV")})
    for name in ("module", "exports", "Buffer"):
        module.scope.names[name] = Variable(JsNative(name), is_global=True)
    module.scope.names["process"] = Variable(env, is_global=True)
    machine.part = "init"
    read_module(module, machine)
    whole = module.exports.get("exports")
    named = {key: one for key, one in module.exports.items() if key != "exports"}
    return {**whole.entries, **named} if isinstance(whole, JsObject) else named


def _callback(call: NativeCall) -> JsValue:
    """Read `done()`: with an error it ends the visit; the condition of a loop is its answer."""
    machine, value = call.machine, call.argument(0)
    assert isinstance(machine, ProcessorMachine), "only such machines have this callback"
    if machine.asks:
        machine.answer = value
    elif truth(value) is not False:
        machine.emit({"stop": "iteration"}, call.node, call.scope)
    return UNDEFINED


def _nothing(call: NativeCall) -> JsValue:
    """Read `process.on('exit', …)`: what runs when the test has ended is no load."""
    for construct in call.scope.module.within(call.node):
        construct.translated()
    return UNDEFINED


def _error(call: NativeCall) -> JsValue:
    return JsObject({"message": call.argument(0)})


def _emit(call: NativeCall) -> JsValue:
    """Read `events.emit('counter', name, 1)`: a value that the request records."""
    kind, name = call.argument(0), call.argument(1)
    known = _KINDS.get(str(kind.value)) if isinstance(kind, JsConst) else None
    if known is None or not isinstance(name, JsConst):
        raise NoStepSays("an event of Artillery: `record:` a value at a request")
    value = call.argument(2) if len(call.arguments) > 2 else JsConst(1)
    said = str(name.value)
    said = f"{said}_of_reply" if identifier(said) in MEASURES else said
    metric = replace(call, of=JsMetric(known, said), arguments=[value], name="add")
    assert isinstance(call.machine, ProcessorMachine), "only such machines have it"
    try:
        if isinstance(value, JsExpr) and value.text in call.machine.results:
            raise NoStepSays(_LATER)
        return NATIVES["Metric.add"](metric)
    except NoStepSays as fault:
        for construct in call.scope.module.within(call.node):
            construct.left_out(fault.why)
            call.machine.uncounted.add(construct)
        return UNDEFINED


def _keyed(call: NativeCall) -> JsValue:
    """Read `crypto.createHmac('sha256', key)` and `createHash`, and what follows them."""
    made = call.of.of if isinstance(call.of, JsNative) else None
    if not isinstance(made, JsArray):
        return JsNative(f"artillery.{call.name}", JsArray([*call.arguments]))
    if call.name == "update":
        assert isinstance(call.of, JsNative), "seen above"
        return JsNative(call.of.path, JsArray([*made.items, call.argument(0)]))
    kind, data = str(plain(made.items[0])), made.items[-1]
    is_hmac = call.of.path == "artillery.createHmac"  # type: ignore[attr-defined]
    if plain(call.argument(0)) != "hex" or (is_hmac and kind != "sha256"):
        raise NoStepSays("a digest that is not SHA-256 in hexadecimal")
    if len(made.items) != (3 if is_hmac else 2):
        raise NoStepSays("a digest of several pieces")
    said = wrapped(data, call.machine)
    if not is_hmac:
        return JsExpr(f"{said} | hash('{kind}')", "text")
    return JsExpr(f"{said} | hmac({expression(made.items[1], call.machine)})", "text")


def _random_bytes(call: NativeCall) -> JsValue:
    """Read `crypto.randomBytes(8)`, and `toString('hex')` behind it."""
    made = call.of.of if isinstance(call.of, JsNative) else None
    if not isinstance(made, JsConst):
        length = call.argument(0)
        if not isinstance(length, JsConst) or not isinstance(length.value, int):
            raise NoStepSays("random bytes whose number only the run knows")
        return JsNative("artillery.bytes", length)
    number, coding = int(made.value or 0), str(plain(call.argument(0)))
    if coding == "hex" and 0 < number <= _LONGEST_KEY:
        drawn = " ~ ".join(["rand.uuid()"] * -(-number // 16))
        said = f"(({drawn}) | replace('-', ''))[:{2 * number}]"
    elif coding in ("base64", "base64url") and 0 < number <= _LONGEST_KEY:
        said = f"rand.text({number}) | b64"
    else:
        raise NoStepSays("random bytes: write it as a function of a hook")
    return JsExpr(said, "text", draws=True)


def _buffer(call: NativeCall) -> JsValue:
    """Read `Buffer.from(text, encoding)`, and `toString(encoding)` behind it."""
    made = call.of.of if isinstance(call.of, JsNative) else None
    coding = call.argument(0 if isinstance(made, JsArray) else 1)
    name = "utf8" if coding is UNDEFINED else str(plain(coding)).replace("-", "").lower()
    if not isinstance(made, JsArray):
        return JsNative("artillery.buffer", JsArray([call.argument(0), JsConst(name)]))
    value, before = made.items
    change = (str(plain(before)), name)
    if change == ("utf8", "base64"):
        return NATIVES["btoa"](replace(call, arguments=[value], name="btoa"))
    if change == ("base64", "utf8"):
        return NATIVES["atob"](replace(call, arguments=[value], name="atob"))
    if change == ("utf8", "utf8"):
        return value
    raise NoStepSays("bytes that are written as text: write it as a function of a hook")


def _log(call: NativeCall) -> JsValue:
    """Read `console.log(…)`; what it can't show has no effect on the load."""
    try:
        return NATIVES["console.log"](call)
    except NoStepSays:
        return UNDEFINED


def _require(call: NativeCall) -> JsValue:
    """Read `require('…')`: a library, JSON, or another module of the processor."""
    machine, module = call.machine, call.scope.module
    assert isinstance(machine, ProcessorMachine), "only such machines have it"
    try:
        source = str(plain(call.argument(0)))
    except LookupError:
        return JsUnknown("a module whose name only the run knows")
    plain_name = source.removeprefix("node:")
    native = "crypto" if plain_name == "crypto" else native_module(plain_name)
    if native is not None:
        return JsNative(native)
    file = machine.modules.find(source, module.file)
    if file is None:
        return JsUnknown(f"`{source}` is not among the files of the import: add it")
    if file.suffix == ".json":
        try:
            return from_plain(json.loads(file.text))
        except (ValueError, RecursionError):
            return JsUnknown(f"`{source}` is not JSON")
    part = machine.part
    found = JsObject(read_processor(machine.modules.load(file), machine))
    machine.part = part
    return found


def _said(text: str, kind: str = "text") -> Callable[[NativeCall], JsValue]:
    return lambda call: JsExpr(text, kind, draws=True)


_Native = Callable[[NativeCall], JsValue]
PROCESSOR_NATIVES: Final[dict[str, _Native]] = {
    **NATIVES,
    **{f"console.{name}": _log for name in ("log", "info", "warn", "error", "debug")},
    **dict.fromkeys(("utils.v4", "utils.v1", "utils.default"), _said("rand.uuid()")),
    CALLBACK: _callback,
    f"{EVENTS}.emit": _emit,
    **{f"crypto.{name}": _keyed for name in ("createHmac", "createHash")},
    **{
        f"artillery.{name}.{method}": _keyed
        for name in ("createHmac", "createHash")
        for method in ("update", "digest")
    },
    **dict.fromkeys(("Buffer.from", "artillery.buffer.toString"), _buffer),
    **dict.fromkeys(("crypto.randomBytes", "artillery.bytes.toString"), _random_bytes),
    "require": _require,
    "Error": _error,
    **dict.fromkeys(("Object.on", "Object.once"), _nothing),
}
