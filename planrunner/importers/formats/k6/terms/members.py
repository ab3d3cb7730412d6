"""Members of values: `res.status`, `data.token`, `rows[0].name`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.objects import JsChoice, JsExpectation, JsForm
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsClass,
    JsConst,
    JsEnv,
    JsExpr,
    JsFile,
    JsFunction,
    JsMetric,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsRows,
    JsStore,
    JsText,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.operators import shadow
from planrunner.importers.formats.k6.terms.texts import expression, part_name, wrapped

__all__ = ["member", "row", "status_name"]

_REPLY: Final = {
    "status": "status",
    "statusCode": "status",
    "body": "body",
    "url": "url",
    "status_text": "reason",
    "error": "error",
    "error_code": "error",
    "headers": "headers",
    "cookies": "cookies",
    "timings": "timings",
    "message": "json",
}
_EXECUTION: Final[dict[str, JsValue]] = {
    "exec.vu.idInTest": JsOp("+", [JsExpr("user.id", "number"), JsConst(1)]),
    "exec.vu.idInInstance": JsOp("+", [JsExpr("user.id", "number"), JsConst(1)]),
    "exec.vu.iterationInScenario": JsExpr("user.iteration", "number"),
    "exec.vu.iterationInInstance": JsExpr("user.iteration", "number"),
    "exec.scenario.iterationInTest": JsExpr("iteration", "number"),
    "exec.scenario.iterationInInstance": JsExpr("iteration", "number"),
    "exec.scenario.name": JsExpr("phase.name", "text"),
}
_TIMES: Final = {
    "duration": "time",
    "waiting": "ttfb",
    "connecting": "connect",
    "phases": "timings",
    "total": "time",
    "firstByte": "ttfb",
}


def member(of: JsValue, key: JsValue, machine: K6Machine) -> JsValue:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return a property or an item of a value."""
    if isinstance(of, JsUnknown):
        return of
    try:
        name = plain(key)
    except LookupError:
        return _computed(of, key, machine)
    match of:
        case JsObject():
            return _of_object(of, str(name))
        case JsStore():
            return of.read(str(name))
        case JsClass():
            return of.statics.get(str(name), UNDEFINED)
        case JsReply():
            return _of_reply(of, str(name))
        case JsPart(kind="json", path=path) if "*" in path and isinstance(name, int):
            return JsExpr(f"{part_name(of, machine)}[{name}]")
        case JsPart():
            return _of_part(of, name)
        case JsNative(path="__ENV"):
            return JsEnv(str(name))
        case JsNative() if name == "default":  # of a module that was required
            return of
        case JsNative() if of.path.startswith("grpc") and str(name).startswith("Status"):
            return JsConst(status_name(str(name)))
        case JsNative():
            return _EXECUTION.get(f"{of.path}.{name}") or JsNative(f"{of.path}.{name}")
        case JsArray() if not of.name:
            return _of_array(of, name)
        case JsRows():
            return _of_rows(of, key, name)
        case JsConst(value=str() as text):
            return JsConst(len(text)) if name == "length" else _item_of_text(text, name)
        case JsFile(kind="csv") if name == "data":
            return of
        case JsFile(kind="json"):
            return member(_rows_of_file(of, machine), key, machine)
        case JsConst():
            return UNDEFINED
        case JsForm():
            return _of_form(of, str(name))
        case JsExpectation():
            return machine.expectation_word(of, str(name))
        case JsMetric():
            return JsUnknown(f"`{name}` of a metric: a plan doesn't read its own metrics")
        case _:
            return _of_expression(of, name, machine)


def status_name(name: str) -> str:
    """Return what gRPC calls a status: `NOT_FOUND` for `StatusNotFound`."""
    words = name.removeprefix("Status")
    return "OK" if words == "OK" else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).upper()


def _of_object(of: JsObject, name: str) -> JsValue:
    if name in of.entries:
        return JsExpr(f"{of.name}.{name}") if of.name else of.entries[name]
    if of.made_by is not None and (found := of.made_by.method(name)) is not None:
        return found
    return JsExpr(f"{of.name}.{name}") if of.name else UNDEFINED


def _of_array(of: JsArray, name: object) -> JsValue:
    if name == "length":
        return JsConst(len(of.items))
    if isinstance(name, int) and 0 <= name < len(of.items):
        return of.items[name]
    return UNDEFINED


def _item_of_text(text: str, name: object) -> JsValue:
    if isinstance(name, int) and 0 <= name < len(text):
        return JsConst(text[name])
    return UNDEFINED


def _of_form(of: JsForm, name: str) -> JsValue:
    if name == "searchParams" and of.kind == "url":
        of.query = of.query or JsForm("query")
        return of.query
    if name == "boundary":
        return JsConst("boundary")
    if name == "href":
        return of
    return JsUnknown(f"`{name}` of a form or URL")


def _of_reply(of: JsReply, name: str) -> JsValue:
    kind = _REPLY.get(name)
    return JsPart(of, kind) if kind else JsUnknown(f"`{name}` of a reply")


def _of_part(of: JsPart, name: object) -> JsValue:  # noqa: C901, PLR0911 - a table
    if name == "length":
        return JsOp("length", [of])
    if of.kind == "json" and isinstance(name, str | int):
        return JsPart(of.reply, "json", (*of.path, name))
    if of.kind == "headers":
        return JsPart(of.reply, "header", (str(name),))
    if of.kind == "cookies":
        return JsPart(of.reply, "cookie", (str(name),))
    if of.kind == "cookie" and name in (0, "value"):
        return of
    if of.kind == "timings":
        return JsPart(of.reply, _TIMES.get(str(name), "other_time"))
    if of.kind == "regex" and name == 1:
        return of
    if of.kind == "query" and name == 0:
        return JsPart(of.reply, "first", of.path)
    return JsUnknown(f"`{name}` of a reply's {of.kind}")


def _of_rows(of: JsRows, key: JsValue, name: object) -> JsValue:
    if name == "length":
        return JsOp("length", [of])
    if name == "data":
        return of
    del key
    return (
        row(of, "sequential", "user") if name == 0 else JsUnknown("one row of data by its number")
    )


def _rows_of_file(file: JsFile, machine: K6Machine) -> JsRows:
    """Return the rows of a JSON file that is read without `SharedArray`."""
    for name, known in machine.data.items():
        if isinstance(known, dict) and known.get("json") == file.name:
            return JsRows(name, known)
    name = machine.name(PurePosixPath(file.name).stem)
    spec: Keys = {"json": file.name}
    machine.data[name] = spec
    return JsRows(name, spec)


def row(of: JsRows, order: str, per: str) -> JsValue:
    """Return a row that users draw from a source, in a given order."""
    before = (of.spec.get("order", order), of.spec.get("per", per))
    if before != (order, per) and "order" in of.spec:
        order, per = str(before[0]), str(before[1])
    of.spec.update({"order": order, "per": per})
    return JsExpr(of.name, "row")


def _of_expression(of: JsValue, name: object, machine: K6Machine) -> JsValue:
    if name == "length":
        known = shadow(of)
        unset = member(known, JsConst("length"), machine) if isinstance(known, JsConst) else None
        return JsOp("length", [of], unset)
    inner = wrapped(of, machine)
    if isinstance(of, JsExpr) and of.kind == "row":
        machine.columns.setdefault(of.text, {})[str(name)] = None
    if isinstance(name, str) and name.isidentifier():
        return JsExpr(f"{inner}.{name}")
    return JsExpr(f"{inner}[{expression(JsConst(name), machine)}]")  # type: ignore[arg-type]


def _computed(of: JsValue, key: JsValue, machine: K6Machine) -> JsValue:  # noqa: PLR0911 - a table
    """Return an item whose key is known only when the plan runs."""
    if isinstance(of, JsNative) and of.path == "__ENV":
        return JsUnknown("a variable of the environment whose name is computed")
    if isinstance(of, JsFile) and of.kind == "json":
        of = _rows_of_file(of, machine)
    if isinstance(of, JsRows):
        return _row_at(of, " ".join(_leaves(key)))
    if isinstance(of, JsArray) and any(isinstance(one, JsFunction) for one in of.items):
        return _one_function(of, expression(key, machine))
    index = expression(key, machine)
    if isinstance(of, JsConst) and index == f"rand.int(0, {len(str(of.value)) - 1})":
        return JsExpr(f"rand.choice({expression(of, machine)})", "text", draws=True)
    known = shadow(key)
    if isinstance(of, JsObject) and isinstance(known, JsConst):
        return _chosen(of, key, known, machine)
    if index.startswith("rand.int(0, "):
        return JsExpr(f"rand.choice({expression(of, machine)})", draws=True)
    return JsExpr(f"{wrapped(of, machine)}[{index}]")


def _one_function(of: JsArray, index: str) -> JsValue:
    """Return one of several functions: drawn, where the index is."""
    if index == f"rand.int(0, {len(of.items) - 1})":
        return JsChoice(of.items)
    return JsUnknown("one of several functions, which only the run knows: see `switch`")


def _leaves(value: JsValue) -> Iterator[str]:
    """Yield the expressions that an index is computed from."""
    match value:
        case JsExpr(text=text):
            yield text
        case JsOp(operands=below) | JsText(parts=below):
            for one in below:
                yield from _leaves(one)
        case _:
            pass


def _row_at(of: JsRows, index: str) -> JsValue:
    if "rand." in index:
        return row(of, "random", "iteration")
    if "user.id" in index and "iteration" not in index:
        return row(of, "sequential", "user")
    return row(of, "sequential", "iteration")


def _chosen(of: JsObject, key: JsValue, known: JsConst, machine: K6Machine) -> JsValue:
    """Return the item that the environment chooses: all of them if a plan can say them."""
    found = of.entries.get(str(known.value), UNDEFINED)
    try:
        text = f"{wrapped(of, machine)}[{expression(key, machine)}]"
    except Exception:  # noqa: BLE001 - only how it is said differs
        return found
    return JsExpr(text, unset=found) if isinstance(found, JsConst) else found
