"""Files that a script opens: data sources of the plan."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    JsArray,
    JsConst,
    JsFile,
    JsObject,
    JsRows,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.plain import from_plain
from planrunner.importers.formats.k6.terms.texts import plan_value

__all__ = ["DATA", "json_of"]

_SHORT: Final = 20
_LARGE: Final = 5_000_000


def _open(call: NativeCall) -> JsValue:
    """Read `open(path)`: the file is copied beside the plan."""
    try:
        name = str(plain(call.argument(0), unset=True))
    except LookupError:
        raise NoStepSays("a file whose name only the run knows") from None
    modules = call.machine.modules
    found = modules.opened(name, call.scope.module.file)
    if found is None:
        construct = call.scope.module.construct(call.node)
        if construct is not None:
            construct.needs_you(f"add the file `{Path(name).name}` to the import")
        modules_name = Path(name).name
        call.machine.missing.add(modules_name)
        return JsFile(modules_name)
    call.machine.files[found.name] = found
    return JsFile(found.name)


def json_of(call: NativeCall, file: JsFile) -> JsValue:
    """Return the content of a JSON file: known if it is small and an object, else its rows."""
    rows = JsFile(file.name, "json")
    path = call.machine.files.get(file.name)
    if path is None or path.stat().st_size > _LARGE:
        return rows
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        _judge_rows(call, rows)
        return rows
    return rows if isinstance(found, list) else from_plain(found)


def _shared(call: NativeCall) -> JsValue:
    """Read `new SharedArray(name, function)`."""
    value = call.run(call.argument(1), [])
    name = call.argument(0)
    wanted = str(name.value) if isinstance(name, JsConst) else "rows"
    return rows_of(call, value, wanted)


def rows_of(call: NativeCall, value: JsValue, wanted: str) -> JsValue:
    """Return a list as a data source of the plan, where it is one."""
    if isinstance(value, JsFile) and value.kind in ("json", "csv"):
        _judge_rows(call, value)
        return _source(call, wanted, {value.kind: value.name})
    if isinstance(value, JsArray) and not value.name and len(value.items) > _SHORT:
        return _source(call, wanted, {"list": plan_value(value, call.machine)})
    if isinstance(value, (JsArray, JsRows, JsUnknown)):
        return value
    raise NoStepSays("rows that are computed: write them to a file, and read it with `data:`")


def _judge_rows(call: NativeCall, file: JsFile) -> None:
    """Ask for another file where no data source reads this one."""
    machine = call.machine
    path = machine.files.get(file.name)
    if path is None or file.name in machine.missing:
        return
    why = _fault_of(path, file.kind)
    if why:
        machine.missing.add(file.name)
        machine.finding("file", file.name, call.scope.module.place(call.node), "needs_you", why)


def _fault_of(path: Path, kind: str) -> str:
    """Return what is wrong with the rows of a file; empty for nothing, or for a large file."""
    if path.stat().st_size > _LARGE:
        return ""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if kind == "json":
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError):
            return "it is not JSON: correct it, and import the script again"
        is_list = isinstance(rows, list) and rows
        return "" if is_list else "it is not a list of rows: read a list with `data:`"
    lines = [row for row in csv.reader(text.splitlines()) if row]
    if len(lines) < 2:
        return "it has no rows: add some"
    if any(len(row) != len(lines[0]) for row in lines):
        return "its rows differ in length from its header: correct it"
    return ""


def _source(call: NativeCall, wanted: str, spec: Keys) -> JsRows:
    machine = call.machine
    for name, known in machine.data.items():
        if isinstance(known, dict) and spec.items() <= known.items():
            return JsRows(name, known)
    made = machine.name(wanted)
    machine.data[made] = spec
    return JsRows(made, spec)


def _csv(call: NativeCall) -> JsValue:
    """Read `papaparse.parse(open(file), {header: true})`."""
    value = call.argument(0)
    if isinstance(value, JsUnknown):
        return value
    if not isinstance(value, JsFile):
        raise NoStepSays("CSV that is computed")
    options = call.argument(1)
    header = options.entries.get("header") if isinstance(options, JsObject) else None
    if not (isinstance(header, JsConst) and header.value):
        raise NoStepSays("rows without a header: name the `columns` of a `data:` source")
    return JsFile(value.name, "csv")


DATA: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "open": _open,
    "data.SharedArray": _shared,
    "papaparse.parse": _csv,
}
