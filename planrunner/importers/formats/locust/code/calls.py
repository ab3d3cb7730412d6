"""Calls of Python's library and of built-in functions, in the words of a plan."""

from __future__ import annotations

import ast
import re
from typing import Final

from planrunner.importers.formats.locust.code.draws import random_letters
from planrunner.importers.formats.locust.code.mappings import source_of
from planrunner.importers.formats.locust.code.names import LocustNames, Say, Unsayable, wrapped

__all__ = ["formatted", "library_call", "method"]

_KINDS: Final = {"dict": "mapping", "str": "string", "int": "integer", "float": "float",
                 "list": "sequence", "bool": "boolean"}  # fmt: skip
_FILTERS: Final = {"list": "list", "set": "unique", "sorted": "sort", "tuple": "list"}
_METHODS: Final = {"upper": "upper", "lower": "lower", "strip": "trim", "title": "title",
                   "capitalize": "capitalize", "isoformat": "", "copy": ""}  # fmt: skip
"""What filters are called that do as methods of text do; empty for what changes nothing here."""

_NOW: Final = ("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.now",
               "datetime.datetime.today")  # fmt: skip
_TODAY: Final = ("datetime.date.today", "date.today")
_SECONDS: Final = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1, "weeks": 604800}


def library_call(node: ast.Call, name: str, names: LocustNames, say: Say) -> str | None:
    """Return a call as an expression of a plan; None where it has no form here."""
    for known in (_drawn, _date, _built_in):
        found = known(node, name, names, say)
        if found is not None:
            return found
    return None


def _drawn(  # noqa: PLR0911 - a table
    node: ast.Call, name: str, names: LocustNames, say: Say
) -> str | None:
    match name, node.args:
        case "random.randrange", [stop]:
            return f"rand.int(0, {say(stop, names)} - 1)"
        case "random.randrange", [start, stop]:
            return f"rand.int({say(start, names)}, {say(stop, names)} - 1)"
        case "random.choices", [items, *_]:
            return _choices(node, items, names, say)
        case "secrets.choice", [items]:
            return f"rand.choice({say(items, names)})"
        case "random.getrandbits", [ast.Constant(value=int() as bits)] if bits <= 62:
            return f"rand.int(0, {2**bits - 1})"
        case (("secrets.token_hex" | "secrets.token_urlsafe"), [length]):
            names.module.change("`rand.text` draws letters and digits", node)
            factor = " * 2" if name.endswith("hex") else " * 4 // 3"
            return f"rand.text({say(length, names)}{factor})"
        case (("time.time_ns" | "time.perf_counter" | "time.monotonic"), []):
            return "(now() * 1000000000) | int" if name.endswith("ns") else "now()"
        case _:
            return None


def _choices(node: ast.Call, items: ast.expr, names: LocustNames, say: Say) -> str | None:
    """Return `random.choices(items, weights, k=n)` as a list of draws."""
    given = {one.arg: one.value for one in node.keywords}
    count, weights = given.get("k", ast.Constant(value=1)), given.get("weights")
    if weights is None and node.args[1:]:
        weights = node.args[1]
    if not (isinstance(count, ast.Constant) and isinstance(count.value, int)):
        return None
    draw = f"rand.choice({say(items, names)})"
    if weights is not None:
        pairs = _weighted(source_of(items, names), source_of(weights, names), names, say)
        if pairs is None:
            return None
        draw = f"rand.weighted({{{pairs}}})"
    return f"[{', '.join([draw] * min(count.value, 50))}]" if count.value <= 50 else None


def _weighted(items: ast.expr, weights: ast.expr, names: LocustNames, say: Say) -> str | None:
    match items, weights:
        case (
            (ast.List(elts=keys) | ast.Tuple(elts=keys)),
            (ast.List(elts=numbers) | ast.Tuple(elts=numbers)),
        ) if len(keys) == len(numbers) and all(isinstance(one, ast.Constant) for one in keys):
            return ", ".join(
                f"{say(key, names)}: {say(number, names)}"
                for key, number in zip(keys, numbers, strict=True)
            )
        case _:
            return None


def _date(  # noqa: C901, PLR0911, PLR0912 - a table
    node: ast.Call, name: str, names: LocustNames, say: Say
) -> str | None:
    """Return today, now, and both with an offset, as text."""
    if name in _NOW and not _is_local(node):
        return "date()"
    if name in _TODAY:
        return "date('%Y-%m-%d')"
    func = node.func
    if not isinstance(func, ast.Attribute):
        return None
    moment = _moment(func.value, names, say)
    if moment is None:
        return None
    default, offset = moment
    match func.attr, node.args:
        case "strftime", [pattern]:
            return f"date({say(pattern, names)}{offset})"
        case "isoformat", _:
            return f"date({default}{offset})"
        case "timestamp", []:
            return f"(now(){' + ' + offset.removeprefix(', ') if offset else ''})"
        case "date", []:
            return f"date('%Y-%m-%d'{offset})"
        case _:
            return None


def _is_local(node: ast.Call) -> bool:
    return len(node.args) > 1


def _moment(  # noqa: PLR0911 - a table
    node: ast.expr, names: LocustNames, say: Say
) -> tuple[str, str] | None:
    """Return the format of a date, and how far it is from now, as an argument."""
    match node:
        case ast.Call():
            full = names.module.full_name(node.func)
            if full in _NOW:
                return "'ISO'", ""
            if full in _TODAY:
                return "'%Y-%m-%d'", ""
            if isinstance(node.func, ast.Attribute) and node.func.attr == "date":
                below = _moment(node.func.value, names, say)
                return None if below is None else ("'%Y-%m-%d'", below[1])
            return None
        case ast.BinOp(left=left, op=op, right=ast.Call(args=arguments, keywords=parts) as far) if (
            names.module.full_name(far.func).endswith("timedelta")
            and isinstance(op, ast.Add | ast.Sub)
        ):
            before = _moment(left, names, say)
            known = [(one.arg or "", one.value) for one in parts]
            known += [("days", one) for one in arguments[:1]]
            if before is None or any(unit not in _SECONDS for unit, _ in known):
                return None
            terms = [f"({say(one, names)}) * {_SECONDS[unit]}" for unit, one in known]
            sign = "-" if isinstance(op, ast.Sub) else ""
            return before[
                0
            ], f"{before[1] + ' + ' if before[1] else ', '}{sign}({' + '.join(terms)})"
        case _:
            return None


def _built_in(  # noqa: C901, PLR0911, PLR0912 - a table
    node: ast.Call, name: str, names: LocustNames, say: Say
) -> str | None:
    match name, node.args:
        case (("min" | "max"), [_, _, *_]):
            inner = ", ".join(say(one, names) for one in node.args)
            return f"([{inner}] | {name})"
        case "round", [number, digits]:
            return f"(({say(number, names)}) | round({say(digits, names)}))"
        case "range", [_, *_]:
            return f"range({', '.join(say(one, names) for one in node.args)})"
        case "isinstance", [inner, ast.Name(id=kind)] if kind in _KINDS:
            tested = f"({say(inner, names)}) is {_KINDS[kind]}"
            return (
                f"{tested} and {tested.rpartition(' is ')[0]} is not string"
                if kind == "list"
                else tested
            )
        case (("list" | "set" | "sorted" | "tuple"), [inner]) if not node.keywords:
            return f"(({say(inner, names)}) | {_FILTERS[name]})"
        case (("list" | "dict"), []):
            return "[]" if name == "list" else "{}"
        case "bool", [inner]:
            return f"(true if {say(inner, names)} else false)"
        case "hasattr", [ast.Name(id=own), ast.Constant(value=str() as key)] if own == names.own:
            return f"({names.name_state(key)} is not none)"
        case "getattr", [ast.Name(id=own), ast.Constant(value=str() as key), other] if (
            own == names.own
        ):
            state = names.name_state(key)
            return f"({state} if {state} is not none else {say(other, names)})"
        case (("json.loads" | "ujson.loads"), [inner]) if say(inner, names) == "body":
            return "json"
        case _:
            return None


def _text_method(  # noqa: C901, PLR0911, PLR0912 - a table
    before: str, word: str, arguments: list[ast.expr], names: LocustNames, say: Say
) -> str | None:
    """Return a method of text, of a list or of a mapping; None where it has no form."""
    match word, arguments:
        case "startswith", [ast.Constant(value=str() as start)]:
            return f"({before}[:{len(start)}] == {say(arguments[0], names)})"
        case "endswith", [ast.Constant(value=str() as end)] if end:
            return f"({before}[-{len(end)}:] == {say(arguments[0], names)})"
        case (("encode" | "decode"), _):
            return before
        case "strip", [chars]:
            return f"({before} | trim({say(chars, names)}))"
        case "items", []:
            return f"({before} | items)"
        case "keys", []:
            return f"({before} | list)"
        case "values", []:
            return f"({before} | items | map('last') | list)"
        case "hex", []:
            return f"({before} | replace('-', ''))"
        case _:
            return None


def formatted(node: ast.FormattedValue, names: LocustNames, say: Say) -> str:
    """Return `{number:.2f}` and its like.

    Raises:
        Unsayable: The format isn't one of `%`.
    """
    inner = say(node.value, names)
    match node.format_spec:
        case None:
            return inner
        case ast.JoinedStr(values=[ast.Constant(value=str() as spec)]) if re.fullmatch(
            r"[-+ 0]?\d*(\.\d+)?[dfxXeEgGs]|0?\d+", spec
        ):
            kind = "" if spec[-1].isalpha() else "d" if spec[0] == "0" else "s"
            return f"('%{spec}{kind}' | format({inner}))"
        case ast.JoinedStr(values=[ast.Constant(value=str() as spec)]) if "%" in spec:
            if inner == "date()":
                return f"date('{spec}')"
            raise Unsayable(node, "a date that is formatted; see `date`")
        case _:
            raise Unsayable(node, "a number that is formatted")


def method(  # noqa: PLR0911 - a table
    node: ast.Call, func: ast.Attribute, names: LocustNames, say: Say
) -> str:
    inner, arguments = func.value, node.args
    if isinstance(inner, ast.Name) and inner.id in names.replies and func.attr == "json":
        return "json"
    if isinstance(inner, ast.Constant) and func.attr == "join" and len(arguments) == 1:
        return _join(node, names, say)
    dated = library_call(node, "", names, say)
    if dated is not None:
        return dated
    before = wrapped(say(inner, names))
    if func.attr == "get" and arguments:
        return _get(before, arguments, names, say)
    if func.attr == "replace" and len(arguments) == 2:
        old, new = (say(one, names) for one in arguments)
        return f"({before} | replace({old}, {new}))"
    if func.attr in _METHODS and not arguments:
        word = _METHODS[func.attr]
        return f"({before} | {word})" if word else before
    known = _text_method(before, func.attr, arguments, names, say)
    if known is not None:
        return known
    raise Unsayable(node, f"the method `{func.attr}`; write it as a function of a hook")


def _get(before: str, arguments: list[ast.expr], names: LocustNames, say: Say) -> str:
    """Return `.get(key)` or `.get(key, default)` of a mapping."""
    key, *default = arguments
    is_name = isinstance(key, ast.Constant) and str(key.value).isidentifier()
    below = f"{before}.{getattr(key, 'value', '')}" if is_name else f"{before}[{say(key, names)}]"
    return f"({below} | default({say(default[0], names)}))" if default else below


def _join(node: ast.Call, names: LocustNames, say: Say) -> str:
    """Return `sep.join(…)`: random letters, or a list."""
    letters = random_letters(node.args[0], names, say)
    if letters is not None:
        return letters
    assert isinstance(node.func, ast.Attribute), "the caller has looked"
    return f"({wrapped(say(node.args[0], names))} | join({say(node.func.value, names)}))"
