"""Files of rows, `payload` of Artillery → data sources."""

from __future__ import annotations

import csv
import re
from pathlib import Path, PurePosixPath

from planrunner.importers.draft import Keys
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceNode
from planrunner.importers.reading.documents import leave_out, suspect_the_rest
from planrunner.importers.reading.neighbours import neighbour

__all__ = ["read_payload"]


def read_payload(node: SourceNode, test: ArtilleryTest) -> None:
    """Add the data source of one payload; its fields are known from here on."""
    entry = node.entry("path")
    if entry is None:
        return
    entry.construct.translated()
    path = entry.node.text()
    found = neighbour(path, test.main, test.request.files)
    fields = node.take_whole("fields")
    columns = [str(one) for one in fields] if isinstance(fields, list) else []
    named = node.take("name")
    source = test.names.reserve(named.text() if named else PurePosixPath(path).stem or "rows")
    if found is None:
        entry.construct.needs_you(f"put `{path}` beside the plan, and read it with `csv:`")
    for column in columns:
        if test.names.find(column) is None:
            test.names.mean(column, f"{source}.{_column(column)}")
    test.draft.data[source] = _source(node, found, columns, test)
    options = node.entry("options")
    if options is not None:
        leave_out(options, "say it at the source of `data`")
    suspect_the_rest(node, "Artillery reads no such key of a payload")
    loads = node.entry("loadAll")
    if loads is not None and loads.node.scalar is True:
        loads.construct.changed(f"each visit has one row of `{source}`, not all of them")


def _source(node: SourceNode, found: Path | None, fields: list[str], test: ArtilleryTest) -> Keys:
    skips, order = node.take_whole("skipHeader"), node.take_whole("order")
    delimiter = str(node.take_whole("delimiter") or ",")
    for name in ("cast", "skipEmptyLines", "bom", "loadAll"):
        node.take_whole(name)
    columns = [_column(one) for one in fields]
    rest: Keys = {} if order == "sequence" else {"order": "random"}
    rest["per"] = "user"
    if found is None:
        return {"list": [dict.fromkeys(columns or ["value"], "")], **rest}
    keys: Keys = {"csv": found.name}
    is_header = _header(found, delimiter) == columns
    if columns and not is_header:
        keys["columns"] = columns
    if delimiter != ",":
        keys["delimiter"] = "tab" if delimiter == "\t" else delimiter
    cuts = bool(skips) and not is_header
    test.draft.files[found.name] = found.read_bytes().partition(b"\n")[2] if cuts else found
    return {**keys, **rest}


def _header(path: Path, delimiter: str) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(65536)
    try:
        row = next(csv.reader([first], delimiter=delimiter), [])
    except (csv.Error, TypeError):
        return []
    return [one.strip() for one in row]


def _column(name: str) -> str:
    return re.sub(r"\W", "_", name) or "value"
