"""The items of a Drill plan → steps."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import DraftParam, DraftPlan, DraftStep, Keys
from planrunner.importers.formats.drill.replies import AssignedReply, paths_read, templates_of
from planrunner.importers.formats.drill.templates import DrillTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out
from planrunner.importers.reading.expressions import inline, literal_value
from planrunner.importers.reading.headers import sendable
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.reading.paths import json_path
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.sources import SourceFile

__all__ = ["DrillItems"]

_WITH: Final = ("with_items", "with_items_range", "with_items_from_csv", "with_items_from_file")
_MOST_ROWS: Final = 1000
_LONGEST: Final = 120
_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})


_STEP: Final = re.compile(r"\[(\d+)\]|\.?([\w-]+)")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'")


class DrillItems:
    """Reads the items of a plan, in order: each knows what those before it have assigned."""

    def __init__(
        self,
        templates: DrillTemplates,
        draft: DraftPlan,
        main: SourceFile,
        files: Sequence[SourceFile],
    ) -> None:
        self.templates, self.draft, self.main, self.files = templates, draft, main, files
        self.names = templates.names
        self.assigned: dict[str, AssignedReply] = {}
        self.last: Keys = {}

    def steps(self, items: list[SourceNode]) -> list[DraftStep]:
        """Return the steps of all items."""
        found: list[DraftStep] = []
        for number, item in enumerate(items):
            found += self._item(item, items[number + 1 :])
            for one in item.entries or []:
                if one.construct.fate is None:
                    leave_out(one, "Drill's items have no such key")
        return found

    def _item(self, item: SourceNode, later: list[SourceNode]) -> list[DraftStep]:
        name = item.entry("name")
        if name is not None:
            name.construct.translated()
        tags = item.take_whole("tags")
        words = [str(one) for one in tags if "$" not in str(one)] if isinstance(tags, list) else []
        if "never" in words:
            for one in item.entries or []:
                leave_out(one, "Drill runs it only with `--tags`: write it when you need it")
            return []
        request = item.entry("request")
        if request is not None:
            return self._request(item, request, [one for one in words if one != "always"], later)
        for key, read in _ITEMS.items():
            entry = item.entry(key)
            if entry is not None and entry.node.is_mapping:
                entry.construct.translated()
                return read(self, entry, item)
        return []

    def _request(
        self, item: SourceNode, request: SourceEntry, tags: list[str], later: list[SourceNode]
    ) -> list[DraftStep]:
        loop = self._loop(item)
        name = item.get("name")
        keys = self._keys(request, name.text() if name is not None else "")
        if tags:
            keys["tags"] = tags
        self.last = keys if loop is None else {}
        step = DraftStep(keys, origin=request.construct.place)
        after = self._assign(item, keys, later)
        steps = [step, *([DraftStep({"set": after})] if after else [])]
        if loop is None:
            return steps
        return [*loop[0], DraftStep({"foreach": loop[1], "do": steps})]

    def _keys(self, request: SourceEntry, name: str) -> Keys:
        request.construct.translated()
        node = request.node
        url, method, body = node.entry("url"), node.take("method"), node.entry("body")
        verb = method.text().lower() if method is not None else "get"
        if verb not in _VERBS:
            node.entry("method").construct.left_out(  # type: ignore[union-attr]
                f"planrunner sends no `{verb.upper()}`"
            )
            verb = "get"
        if url is not None:
            url.construct.translated()
        where = self.templates.text(url.node.text(), url.construct) if url is not None else "/"
        self._give_default(where)
        is_whole = where.startswith(("/", "http://", "https://", "${"))
        keys: Keys = {verb: where if is_whole else f"/{where}"}
        if name:
            keys["name"] = self.templates.text(name, request.construct)
        headers = node.entry("headers")
        if headers is not None:
            headers.construct.translated()
            taken: Keys = {one.key: self._taken(one) for one in headers.node.entries or []}
            keys["headers"] = sendable(taken, headers.construct)
        if body is not None:
            self._body(body, keys)
        return keys

    def _give_default(self, where: str) -> None:
        """Let a param that is a whole URL have a value that can be one."""
        param = self.names.params.get(where[2:].partition("}")[0])
        if where.startswith("${") and param is not None and isinstance(param.spec, dict):
            param.spec = {**param.spec, "default": param.spec.get("default") or "/"}

    def _taken(self, one: SourceEntry) -> str:
        one.construct.translated()
        return self.templates.text(one.node.text(), one.construct)

    def _body(self, body: SourceEntry, keys: Keys) -> None:
        body.construct.translated()
        file, raw = body.node.entry("file"), body.node.entry("hex")
        if file is not None:
            file.construct.translated()
            path = neighbour(file.node.text(), self.main, self.files)
            if path is None:
                file.construct.needs_you(f"put `{file.node.text()}` beside the plan: `body_file:`")
                return
            self.draft.files[path.name] = path
            keys["body_file"] = path.name
        elif raw is not None:
            raw.construct.left_out("put these bytes into a file, and send it with `body_file:`")
        else:
            keys["body"] = self.templates.text(body.node.text(), body.construct)

    def _assign(self, item: SourceNode, keys: Keys, later: list[SourceNode]) -> Keys:
        """Extract what later items read of the reply; returns what is set after the request."""
        entry = item.entry("assign")
        if entry is None:
            return {}
        entry.construct.translated()
        name = entry.node.text()
        reply = self.assigned[name] = AssignedReply(keys)
        extract, after = Keys(), Keys()
        for path in paths_read(name, later):
            kind, _, rest = path.partition(".")
            found = self.names.assign(f"{name}.{path}" if path else name)
            if kind.startswith("body") and (place := json_path(f"${path[4:]}")):
                extract[found] = place
            elif kind == "headers" and rest:
                extract[found] = {"header": rest}
            elif kind == "status":
                after[found] = "${status}"
            else:
                after[found] = "${body}"
            reply.names[path] = found
        if extract:
            keys["extract"] = extract
        return after

    def _loop(self, item: SourceNode) -> tuple[list[DraftStep], str] | None:
        """Return what `foreach` says, and steps before it, for an item with several values."""
        for key in _WITH:
            entry = item.entry(key)
            if entry is not None:
                entry.construct.translated()
                return self._foreach(item, self._values(entry))
        return None

    def _foreach(self, item: SourceNode, values: str) -> tuple[list[DraftStep], str]:
        shuffle, pick = item.entry("shuffle"), item.take_whole("pick")
        if shuffle is not None:
            shuffle.construct.translated()
            if shuffle.node.scalar is True:
                values = self._shuffled(values, shuffle)
        if isinstance(pick, int):
            values = f"({values})[:{pick}]"
        if "index" in templates_of(item):
            number, rows = self.names.reserve("index"), self.names.reserve("rows")
            self.names.mean("index", number)
            self.names.mean("item", f"{rows}[{number}]")
            drawn = DraftStep({"set": {rows: f"${{{values}}}"}})
            return [drawn], f"{number} in range({rows} | length)"
        element = self.names.reserve("item")
        self.names.mean("item", element)
        return [], f"{element} in {values}"

    def _shuffled(self, values: str, shuffle: SourceEntry) -> str:
        """Return values in one random order for the whole run, as Drill draws it."""
        if set(_WORD.findall(_QUOTED.sub("", values))) - {"range", "list", "true", "false", "none"}:
            shuffle.construct.changed("each iteration has an order of its own")
            return f"rand.shuffle({values})"
        name = self.names.reserve("shuffled")
        place = shuffle.construct.place
        step = DraftStep({"set": {name: f"${{rand.shuffle({values})}}"}}, origin=place)
        self.draft.setup.append(step)
        return name

    def _values(self, entry: SourceEntry) -> str:
        node = entry.node
        if entry.key == "with_items_range":
            numbers = [node.take_whole(key) for key in ("start", "stop", "step")]
            if not all(one is None or isinstance(one, int) for one in numbers):
                entry.construct.suspicious("Drill takes whole numbers here, and ends")
                return "[]"
            start, stop, step = (int(str(one or 0)) for one in numbers)
            return f"range({start}, {stop + 1}, {max(1, step)}) | list"
        if entry.key == "with_items":
            return self._listed(node.whole())
        file = node.take("file_name") if node.is_mapping else node
        quote = str(node.take_whole("quote_char") or '"')[-1:]
        path = neighbour(file.text() if file else "", self.main, self.files)
        if path is None:
            entry.construct.needs_you(f"import it together with `{file.text() if file else ''}`")
            return "[]"
        text = SourceFile(path, path.name).text
        rows: list[object] = list(text.splitlines())
        if entry.key == "with_items_from_csv":
            rows = list(csv.DictReader(text.splitlines(), quotechar=quote or '"'))
        if len(rows) > _MOST_ROWS:
            entry.construct.changed(f"only the first {_MOST_ROWS} rows are taken: use `data:`")
        return self._listed(rows[:_MOST_ROWS])

    def _listed(self, values: object) -> str:
        written = inline(values)
        if len(written) <= _LONGEST and "${" not in written and "{{" not in written:
            return written
        name = self.names.reserve("items")
        self.names.params[name] = DraftParam({"type": "list", "default": literal_value(values)})
        return name

    def set_step(self, entry: SourceEntry, item: SourceNode) -> list[DraftStep]:
        key, value = entry.node.take("key"), entry.node.entry("value")
        if key is None or value is None:
            return []
        text = self._taken(value)
        name = self.names.assign(key.text())
        return [DraftStep({"set": {name: text}}, origin=entry.construct.place)]

    def delay_step(self, entry: SourceEntry, item: SourceNode) -> list[DraftStep]:
        total = Fraction(0)
        for unit, size in (("seconds", 1), ("milliseconds", 1000), ("microseconds", 1_000_000)):
            total += (read_seconds(entry.node.take_whole(unit)) or Fraction(0)) / size
        return [DraftStep({"think": seconds(total)}, origin=entry.construct.place)]

    def exec_step(self, entry: SourceEntry, item: SourceNode) -> list[DraftStep]:
        command = entry.node.entry("command")
        if command is None:
            return []
        keys: Keys = {"run": f"sh -c {shlex.quote(self._taken(command))}"}
        assigned = item.take("assign")
        if assigned is not None:
            keys["as"] = self.names.assign(assigned.text())
        return [DraftStep({"exec": keys}, origin=entry.construct.place)]

    def assert_step(self, entry: SourceEntry, item: SourceNode) -> list[DraftStep]:
        key, value = entry.node.take("key"), entry.node.entry("value")
        if key is None or value is None:
            return []
        value.construct.translated()
        name, _, path = key.text().partition(".")
        reply = self.assigned.get(name)
        if reply is not None and self._expect(reply, path, value):
            if reply.step is self.last:
                wrong = _differs(path, value)
                return [DraftStep({"stop": "plan", "when": wrong}, origin=entry.construct.place)]
            entry.construct.changed("a reply that differs fails; it does not end the run")
            return []
        left = self.templates.path(key.text(), entry.construct)
        right = self._taken(value)
        wrong = f"({left}) | string != {inline(right)}"
        if "${" in right:
            wrong = f"({left}) | string != ({right.removeprefix('${').removesuffix('}')}) | string"
        note = [f"`{key.text()}` must be {value.node.text()}"]
        then = [DraftStep({"stop": "plan"})]
        return [DraftStep({"if": wrong, "then": then}, origin=entry.construct.place, notes=note)]

    def _expect(self, reply: AssignedReply, path: str, value: SourceEntry) -> bool:
        """Add what a reply must be to its request."""
        expect = reply.step.setdefault("expect", {})
        assert isinstance(expect, dict)
        text = value.node.text()
        if path == "status" and text.isdigit():
            expect["status"] = int(text)
            return True
        place = json_path(f"${path[4:]}") if path.startswith("body") else None
        if place is None or "{{" in text:
            if not expect:
                del reply.step["expect"]
            return False
        rules = expect.setdefault("json", {})
        number = read_seconds(value.node.scalar)
        rules[place] = {"in": [int(text), text]} if number is not None and text.isdigit() else text
        return True


def _differs(path: str, value: SourceEntry) -> str:
    """Return the condition under which the reply just got is not what it must be."""
    text = value.node.text()
    if path == "status":
        return f"status != {int(text)}"
    found = "json"
    for step in _STEP.finditer(path[len("body") :]):
        key = step[1] or inline(step[2])
        found = f"({found}[{key}] | default({{}}))"
    return f"{found} | string != {inline(text)}"


_ITEMS: Final[dict[str, Callable[[DrillItems, SourceEntry, SourceNode], list[DraftStep]]]] = {
    "assign": DrillItems.set_step,
    "delay": DrillItems.delay_step,
    "exec": DrillItems.exec_step,
    "assert": DrillItems.assert_step,
}
