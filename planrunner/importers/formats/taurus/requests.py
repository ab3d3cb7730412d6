"""Requests of Taurus in their short and long forms, and blocks of them → steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.taurus.replies import TaurusReplies
from planrunner.importers.formats.taurus.settings import TaurusSettings
from planrunner.importers.formats.taurus.templates import TaurusTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.importers.sources import SourceFile

__all__ = ["TaurusRequests"]

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_FOREVER: Final = 1_000_000
_SCRIPT: Final = "scripts are never run: write an expression, or a `python:` step"
_DEEPEST: Final = 10


class TaurusRequests(TaurusSettings):
    """Reads lists of requests."""

    def __init__(
        self,
        templates: TaurusTemplates,
        draft: DraftPlan,
        files: tuple[SourceFile, ...],
        scenarios: dict[str, SourceNode],
    ) -> None:
        super().__init__(templates)
        self.draft, self.files, self.scenarios = draft, files, scenarios
        self.replies = TaurusReplies(templates)
        self.including: list[str] = []
        self.labels: set[str] = set()

    def steps(self, entry: SourceEntry) -> list[DraftStep]:
        """Return the steps of a list of requests."""
        entry.construct.translated()
        return [step for node in entry.node.each() for step in self._step(node, entry)]

    def _step(self, node: SourceNode, around: SourceEntry) -> list[DraftStep]:
        if not node.is_mapping:
            if node.scalar is None:
                return []
            url = self._url(self.templates.text(node.text(), around.construct))
            self.labels.add(node.text())
            return [DraftStep({"get": url}, origin=node.place)]
        for key, read in _BLOCKS.items():
            entry = node.entry(key)
            if entry is not None:
                entry.construct.translated()
                return read(self, entry, node)
        return [self._request(node)]

    def _url(self, url: str) -> str:
        param = self.templates.names.params.get(url[2:].partition("}")[0])
        if param is not None and url.startswith("${") and isinstance(param.spec, dict):
            is_whole = url.endswith("}") and url.count("}") == 1
            host = "/" if is_whole else "http://localhost:8000"
            param.spec = {**param.spec, "default": param.spec.get("default") or host}
        if re.match(r"https?://|/|\$\{", url, re.IGNORECASE):
            return url
        return f"http://{url}" if re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|$)", url) else f"/{url}"

    def _request(self, node: SourceNode) -> DraftStep:
        url, method = node.entry("url"), node.take("method")
        verb = method.text().lower() if method is not None and method.text() else "get"
        if method is not None and verb not in _VERBS:
            node.entry("method").construct.left_out(  # type: ignore[union-attr]
                f"planrunner sends no `{verb.upper()}`"
            )
            verb = "get"
        where = "/"
        if url is not None:
            url.construct.translated()
            where = self.templates.text(url.node.text() or "/", url.construct)
        step: Keys = {verb: self._url(where)}
        label = node.entry("label")
        if label is not None and label.node.text():
            label.construct.translated()
            step["name"] = self.templates.text(label.node.text(), label.construct)
            self.labels.add(label.node.text())
        for one in node.entries or []:
            read = _KEYS.get(one.key)
            if read is not None and one.construct.fate is None:
                one.construct.translated()
                read(self, one, step)
        self._body(node, verb, step)
        self.replies.expect(node, step)
        self.replies.extract(node, step)
        return DraftStep(step, origin=node.place)

    def _body(self, node: SourceNode, verb: str, step: Keys) -> None:
        entry = node.entry("body")
        if entry is None:
            return
        entry.construct.translated()
        value = self.templates.value(entry.node, entry.construct)
        headers = step.get("headers")
        kinds = [str(one) for key, one in headers.items()] if isinstance(headers, dict) else []
        if isinstance(value, dict) and not any("json" in one for one in kinds):
            step["query" if verb == "get" else "form"] = value
        elif isinstance(value, dict | list):
            step["json"] = value
        elif value is not None:
            step["body"] = str(value)

    def body_file(self, one: SourceEntry, step: Keys) -> None:
        path = neighbour(one.node.text(), self.files[0], self.files)
        if path is None:
            one.construct.needs_you(f"put `{one.node.text()}` beside the plan: `body_file:`")
            return
        self.draft.files[path.name] = path
        step["body_file"] = path.name

    def uploads(self, one: SourceEntry, step: Keys) -> None:
        parts: Keys = {}
        for node in one.node.each():
            name, kind = node.take_whole("param"), node.take_whole("mime-type")
            entry = node.entry("path")
            path = neighbour(entry.node.text(), self.files[0], self.files) if entry else None
            if entry is not None and path is None:
                entry.construct.needs_you(
                    f"put `{entry.node.text()}` beside the plan: `multipart:`"
                )
                parts[str(name or "file")] = {"text": "", "filename": "missing"}
            elif entry is not None and path is not None:
                entry.construct.translated()
                self.draft.files[path.name] = path
                parts[str(name or "file")] = {"file": path.name, **({"type": kind} if kind else {})}
        if parts:
            step["multipart"] = parts

    def script(self, one: SourceEntry, step: Keys) -> None:
        leave_out(one, _SCRIPT)

    def nothing(self, one: SourceEntry, step: Keys) -> None:
        one.node.whole()

    def _do(self, node: SourceNode, key: str = "do") -> list[DraftStep]:
        entry = node.entry(key)
        return self.steps(entry) if entry is not None else []

    def if_block(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        words = self._condition(entry)
        then, other = self._do(node, "then"), self._do(node, "else")
        if words is None:
            entry.construct.left_out(f"write the condition as `if:`: {entry.node.text()}")
            return [*then, *other]
        if not then and not other:
            return []
        keys: Keys = {"if": words, "then": then or [DraftStep({"log": "nothing"})]}
        if other:
            keys["else"] = other
        return [DraftStep(keys, origin=node.place)]

    def while_block(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        words, steps = self._condition(entry), self._do(node)
        if words is None:
            entry.construct.left_out(f"write the condition as `while:`: {entry.node.text()}")
            return steps
        return [DraftStep({"while": words, "do": steps}, origin=node.place)] if steps else []

    def loop_block(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        steps = self._do(node)
        if not steps:
            return []
        text = self.templates.text(entry.node.text(), entry.construct)
        if text == "forever":
            keys: Keys = {"while": "true", "max": _FOREVER}
        elif text.isdigit():
            keys = {"repeat": int(text)}
        else:
            keys = {"repeat": f"${{{text[2:-1]} | int}}" if text.startswith("${") else 1}
        return [DraftStep({**keys, "do": steps}, origin=node.place)]

    def foreach_block(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        name, _, rows = (one.strip() for one in entry.node.text().partition(" in "))
        values = self.templates.inner(rows, entry.construct)
        element = self.templates.names.reserve(name or "item")
        self.templates.names.mean(name, element)
        steps = self._do(node)
        entry.construct.changed("the list is a value of the plan, not `NAME_1`, `NAME_2` …")
        return [DraftStep({"foreach": f"{element} in {values}", "do": steps}, origin=node.place)]

    def group(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        node.take_whole("force-parent-sample")
        node.take_whole("include-timers")
        name = self.templates.text(entry.node.text(), entry.construct) or "transaction"
        self.labels.discard(entry.node.text())
        steps = self._do(node)
        return [DraftStep({"group": name, "do": steps}, origin=node.place)] if steps else []

    def once(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        steps = self.steps(entry)
        if not steps:
            return []
        return [DraftStep({"if": "user.iteration == 0", "then": steps}, origin=node.place)]

    def include(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        name = entry.node.text()
        found = self.scenarios.get(name)
        requests = found.entry("requests") if found is not None else None
        if requests is None:
            entry.construct.needs_you(
                f"the scenario `{name}` is not in the file, or has no requests"
            )
            return []
        if name in self.including or len(self.including) > _DEEPEST:
            entry.construct.suspicious("it includes itself, and never ends")
            return []
        self.including.append(name)
        steps = self.steps(requests)
        self.including.pop()
        return [DraftStep({"group": name, "do": steps}, origin=node.place)] if steps else []

    def action(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        kind, time = entry.node.text(), read_seconds(node.take_whole("pause-duration"))
        target = str(node.take_whole("target") or "")
        if kind == "pause" and time is not None:
            return [DraftStep({"think": seconds(time)}, origin=node.place)]
        if kind in ("stop", "stop-now"):
            what = "plan" if target == "all-threads" else "user"
            return [DraftStep({"stop": what}, origin=node.place)]
        if kind == "continue":
            return [DraftStep({"stop": "iteration"}, origin=node.place)]
        entry.construct.left_out(f"planrunner has no action `{kind}`")
        return []

    def variables(self, entry: SourceEntry, node: SourceNode) -> list[DraftStep]:
        values: Keys = {}
        for one in entry.node.entries or []:
            one.construct.translated()
            value = self.templates.value(one.node, one.construct)
            values[self.templates.names.assign(one.key)] = value
        return [DraftStep({"set": values}, origin=node.place)] if values else []

    def _condition(self, entry: SourceEntry) -> str | None:
        """Return a condition of JMeter that compares, or names a variable; None for JavaScript."""
        text = entry.node.text().strip()
        compared = re.fullmatch(
            r"""["']?\$\{(\w+)\}["']?\s*(===?|!==?|<=?|>=?)\s*(["']?)([\w .-]*)\3""", text
        )
        if compared is not None:
            name = self.templates.inner(compared[1], entry.construct)
            sign = compared[2][:2] if compared[2].startswith(("=", "!")) else compared[2]
            value = compared[4]
            if sign in ("==", "!="):
                return f"{name} | string {sign} '{value}'"
            return f"{name} | float {sign} {value}" if value.isdigit() else None
        single = re.fullmatch(r"\$\{(\w+)\}", text)
        if single is None:
            return None
        return f"{self.templates.inner(single[1], entry.construct)} | string == 'true'"


_BLOCKS: Final[dict[str, Callable[[TaurusRequests, SourceEntry, SourceNode], list[DraftStep]]]] = {
    "if": TaurusRequests.if_block,
    "once": TaurusRequests.once,
    "loop": TaurusRequests.loop_block,
    "while": TaurusRequests.while_block,
    "foreach": TaurusRequests.foreach_block,
    "transaction": TaurusRequests.group,
    "include-scenario": TaurusRequests.include,
    "action": TaurusRequests.action,
    "set-variables": TaurusRequests.variables,
}
_KEYS: Final[dict[str, Callable[[TaurusRequests, SourceEntry, Keys], None]]] = {
    "headers": TaurusRequests.headers,
    "think-time": TaurusRequests.pause,
    "timeout": TaurusRequests.timeout,
    "follow-redirects": TaurusRequests.redirects,
    "body-file": TaurusRequests.body_file,
    "upload-files": TaurusRequests.uploads,
    "jsr223": TaurusRequests.script,
    "keepalive": TaurusRequests.nothing,
    "use-random-host-ip": TaurusRequests.nothing,
    "random-source-ip": TaurusRequests.nothing,
}
