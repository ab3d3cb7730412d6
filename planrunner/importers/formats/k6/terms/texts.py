"""Values of a script as expressions, texts and values of a plan."""

from __future__ import annotations

import json
import re
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.objects import JsDate
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsConst,
    JsEnv,
    JsExpr,
    JsFile,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsRows,
    JsSpan,
    JsText,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.dates import ISO, date_said, is_now, terms_of
from planrunner.importers.javascript.constants import js_text
from planrunner.importers.javascript.reply_values import json_path
from planrunner.importers.templates import literal

__all__ = [
    "draws",
    "env_param",
    "expression",
    "is_number",
    "is_text",
    "json_name",
    "part_name",
    "plan_text",
    "plan_value",
]

_SIMPLE: Final = re.compile(r"-?[\w.]+(?:\([^()]*\))?(?:\.\w+|\[[^\[\]]*\])*|'[^']*'|\([^()]*\)")
_SECRET: Final = re.compile(r"TOKEN|SECRET|PASSW|API_?KEY|CREDENTIAL", re.IGNORECASE)
_EXTRACTED: Final = frozenset(
    {"json", "status", "body", "header", "cookie", "regex", "css", "query", "first", "form"}
)
_WORDS: Final = {
    "length": "length", "string": "string", "int": "int", "float": "float", "json": "json",
    "lower": "lower", "upper": "upper", "trim": "trim", "b64": "b64", "urlencode": "urlencode",
    "floor": "round(0, 'floor') | int", "ceil": "round(0, 'ceil') | int", "round": "round | int",
    "abs": "abs", "last": "last",
}  # fmt: skip


_NUMBERS: Final = frozenset(
    {"-", "*", "/", "%", "**", "neg", "length", "int", "float", "floor", "ceil", "round", "abs"}
)


def expression(value: JsValue, machine: K6Machine) -> str:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return a value as an expression of the plan.

    Raises:
        NoStepSays: No expression says it.
    """
    match value:
        case JsConst(value=known):
            return _constant(known)
        case JsExpr(text=text):
            return text
        case JsEnv(name=name):
            return env_param(name, None, machine)
        case JsText(parts=parts):
            return " ~ ".join(wrapped(one, machine) for one in parts) or "''"
        case JsOp():
            return _operation(value, machine)
        case JsPart():
            return part_name(value, machine)
        case JsObject() | JsArray():
            return _collection(value, machine)
        case JsDate(milliseconds=moment):
            return date_said(moment, ISO, lambda one: wrapped(one, machine))
        case JsRows(name=name):
            raise NoStepSays(f"all rows of `{name}` at once: read one row with `data:`")
        case JsSpan():
            raise NoStepSays("the time of several requests, which no expression has")
        case JsReply():
            raise NoStepSays("a whole reply: read a part of it")
        case JsFile(name=name):
            raise NoStepSays(f"the content of `{name}`: see `body_file` and `data`")
        case JsUnknown(why=why):
            raise NoStepSays(why)
        case _:
            raise NoStepSays("a function as a value: write it as a function of a hook")


def wrapped(value: JsValue, machine: K6Machine) -> str:
    """Return an expression that can stand beside an operator."""
    text = expression(value, machine)
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def _constant(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    if isinstance(value, str):
        if "{{" in value or "${" in value:
            raise NoStepSays("a text with braces in an expression")
        return f"'{value}'" if re.fullmatch(r"[^'\\\x00-\x1f]*", value) else json.dumps(value)
    return repr(value)


def _collection(value: JsObject | JsArray, machine: K6Machine) -> str:
    if value.name:
        return value.name
    if isinstance(value, JsArray):
        return "[" + ", ".join(expression(one, machine) for one in value.items) + "]"
    pairs = (f"{_constant(key)}: {expression(one, machine)}" for key, one in value.entries.items())
    return "{" + ", ".join(pairs) + "}"


def _operation(value: JsOp, machine: K6Machine) -> str:  # noqa: PLR0911 - a table
    sign, operands = value.sign, value.operands
    if sign == "?":
        test, then, other = (wrapped(one, machine) for one in operands)
        return f"{then} if {test} else {other}"
    if sign == "not":
        return f"not {wrapped(operands[0], machine)}"
    if sign in _WORDS:
        return f"{wrapped(operands[0], machine)} | {_WORDS[sign]}"
    if sign == "neg":
        return f"-{wrapped(operands[0], machine)}"
    if sign in ("type", "every", "matches", "starts", "ends", "checked"):
        return _test(value, machine)
    if sign in ("==", "!=") and isinstance(operands[1], JsConst) and operands[1].value is None:
        return f"{wrapped(operands[0], machine)} is {'' if sign == '==' else 'not '}none"
    return f" {sign} ".join(wrapped(one, machine) for one in operands)


def _test(value: JsOp, machine: K6Machine) -> str:
    first = wrapped(value.operands[0], machine)
    if value.sign == "checked":
        return expression(value.operands[0], machine)
    second = value.operands[1]
    assert isinstance(second, JsConst), "made so"
    if value.sign == "type":
        tests = {"array": "is sequence", "object": "is mapping", "string": "is string",
                 "number": "is number", "boolean": "is boolean"}  # fmt: skip
        if str(second.value) not in tests:
            raise NoStepSays(f"a test for the type `{second.value}` in a condition")
        return f"{first} {tests[str(second.value)]}"
    if value.sign == "starts":
        return f"{first}[:{len(str(second.value))}] == {_constant(second.value)}"
    if value.sign == "ends":
        return f"{first}[-{len(str(second.value))}:] == {_constant(second.value)}"
    raise NoStepSays("a pattern or all items of a list in a condition: write it as a hook")


def env_param(name: str, default: object, machine: K6Machine) -> str:
    """Return the param of a variable of the environment."""
    kinds = {bool: "bool", int: "int", float: "float"}
    spec: Keys = {"type": kinds.get(type(default), "str"), "env": name}
    if _SECRET.search(name) and default is None:
        spec["secret"] = True
    else:
        spec["default"] = literal(default) if isinstance(default, str) else default
        if default is None:
            spec["default"] = ""
    return machine.param(name, spec)


def part_name(part: JsPart, machine: K6Machine, wanted: str = "") -> str:
    """Return what the plan calls a part of a reply; it is extracted, or set after the request."""
    reply, key = part.reply, (part.kind, *part.path)
    if key in reply.extracted:
        return reply.extracted[key]
    is_last = machine.last is reply
    direct = {"status": "status", "body": "body"}.get(part.kind)
    if is_last and direct:
        return direct
    if is_last and (said := _fresh(part)):
        return said
    if machine.part == "init":
        raise NoStepSays("a reply before the test begins")
    if part.kind not in _EXTRACTED or (
        part.kind not in ("json", "status", "body") and not part.path
    ):
        raise NoStepSays(f"no expression of a plan gives the {part.kind} of a reply")
    words = [str(one) for one in part.path if isinstance(one, str)]
    words = [_word_of(words[0])] if part.kind in ("css", "query", "first") else words
    name = machine.name(wanted or "_".join(words[-1:]) or f"{part.kind}_value")
    for one in reply.each:
        if direct:
            _set_after(one, name, direct, machine)
        else:
            _extract(part, one, name)
    reply.extracted[key] = name
    return name


def _fresh(part: JsPart) -> str:
    """Return how an expression reads a part of the last reply itself; empty where it can't."""
    if part.kind == "header":
        return f"headers['{part.path[0]}']"
    return json_name(part.path) if part.reply.action == "grpc.call" and part.kind == "json" else ""


def _word_of(selector: str) -> str:
    """Return what a selector or a path is about, in a word."""
    named = re.search(r"name=['\"]?([\w-]+)", selector)
    words = re.findall(r"[A-Za-z_][\w-]*", selector.partition("::")[0])
    return named[1] if named else words[-1] if words else "found"


def json_name(path: tuple[str | int, ...]) -> str:
    """Return how an expression reads a part of the last reply's JSON."""
    found = "json"
    for one in path:
        is_plain = isinstance(one, str) and one.isidentifier()
        found += f".{one}" if is_plain else f"[{_constant(one)}]"
    return found


def _extract(part: JsPart, reply: JsReply, name: str) -> None:
    extract = reply.body.setdefault("extract", {})
    assert isinstance(extract, dict), "only this writes it"
    rule: Keys
    if part.kind == "json":
        rule = {"jsonpath": json_path(part.path), "required": False}
        if "*" in part.path:
            rule["index"] = "all"
        if reply.action == "grpc.call":
            del rule["required"]
    elif part.kind == "regex":
        rule = {"regex": part.path[0], "required": False}
    elif part.kind in ("query", "first"):
        which = "first" if part.kind == "first" else "all"
        rule = {"jsonpath": part.path[0], "index": which, "required": False}
    else:
        rule = {part.kind: part.path[0], "required": False}
    if rule.pop("required", True) is False:
        rule["default"] = None  # a condition on what a reply lacks is false, and no failure
    extract[name] = rule


def _set_after(reply: JsReply, name: str, said: str, machine: K6Machine) -> None:
    from planrunner.importers.draft import DraftStep  # noqa: PLC0415

    if reply.is_beside:
        raise NoStepSays("a part of one of several requests side by side: see `extract`")
    lists = [reply.steps, *(inner for outer, inner in machine.moved if outer is reply.steps)]
    for steps in lists:
        for number, one in enumerate(steps):
            if one is reply.step:
                steps.insert(number + 1, DraftStep({"set": {name: f"${{{said}}}"}}))
                return
    raise NoStepSays("a part of an earlier reply: `set` it after its request")


def plan_text(value: JsValue, machine: K6Machine) -> str:
    """Return a value as text of the plan."""
    match value:
        case JsConst(value=known):
            return literal(js_text(known)) if known is not None else "null"
        case JsText(parts=parts):
            return "".join(plan_text(one, machine) for one in parts)
        case _:
            return f"${{{expression(value, machine)}}}"


def plan_value(value: JsValue, machine: K6Machine) -> object:
    """Return a value as the plan has it: a literal, a text with `${…}`, a collection."""
    match value:
        case JsConst(value=known):
            return literal(known) if isinstance(known, str) else known
        case JsObject(name="", entries=entries):
            return {literal(key): plan_value(one, machine) for key, one in entries.items()}
        case JsArray(name="", items=items):
            return [plan_value(one, machine) for one in items]
        case _:
            return plan_text(value, machine)


def is_text(value: JsValue) -> bool:
    """Say whether a value is surely text."""
    match value:
        case JsConst(value=str()) | JsText() | JsExpr(kind="text") | JsEnv():
            return True
        case JsPart(kind="body" | "header" | "url"):
            return True
        case _:
            return False


def is_number(value: JsValue) -> bool:
    """Say whether a value is surely a number."""
    match value:
        case JsConst(value=known):
            return isinstance(known, int | float) and not isinstance(known, bool)
        case JsExpr(kind="number" | "clock"):
            return True
        case JsOp(sign="+", operands=operands):
            return all(is_number(one) for one in operands)
        case JsOp(sign=sign):
            return sign in _NUMBERS
        case _:
            return False


def draws(value: JsValue) -> bool:
    """Say whether a value is something else each time it is read; a clock may be, in a date."""
    match value:
        case JsExpr(draws=found):
            return found
        case JsOp(operands=below) | JsText(parts=below) | JsArray(name="", items=below):
            return any(draws(one) for one in below)
        case JsObject(name="", entries=entries):
            return any(draws(one) for one in entries.values())
        case JsDate(milliseconds=moment):
            return any(draws(one) and not is_now(one) for _, one in terms_of(moment))
        case _:
            return False
