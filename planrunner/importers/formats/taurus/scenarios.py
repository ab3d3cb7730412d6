"""A scenario of Taurus → a user class, with its settings and data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from planrunner.importers.draft import DraftClass, DraftPlan, Keys
from planrunner.importers.formats.taurus.requests import TaurusRequests
from planrunner.importers.formats.taurus.settings import TaurusSettings
from planrunner.importers.formats.taurus.templates import TaurusTemplates
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.sources import SourceFile

__all__ = ["TaurusScenarios"]

_CACHE: Final = "planrunner has no cache of a browser: each request is sent"
_RESOURCES: Final = "write the requests for what the page embeds"


class TaurusScenarios(TaurusSettings):
    """Reads scenarios into user classes."""

    def __init__(
        self,
        templates: TaurusTemplates,
        draft: DraftPlan,
        files: tuple[SourceFile, ...],
        scenarios: dict[str, SourceNode],
    ) -> None:
        super().__init__(templates)
        self.draft, self.files = draft, files
        self.requests = TaurusRequests(templates, draft, files, scenarios)

    def user_class(self, name: str, node: SourceNode) -> DraftClass | None:
        """Return the class of a scenario; None where nothing of it is left."""
        self.templates.names.begin_class()
        found = DraftClass(name, origin=node.place)
        http: Keys = {}
        first = ("variables", "data-sources")
        for one in sorted(node.entries or [], key=lambda one: one.key not in first):
            read = _KEYS.get(one.key)
            if read is not None:
                one.construct.translated()
                read(self, one, http)
        self.requests.replies.expect(node, http)
        if http:
            found.keys["http"] = http
        requests = node.entry("requests")
        if requests is not None:
            found.steps = self.requests.steps(requests)
        for one in node.unjudged():
            one.construct.left_out("planrunner has nothing like it, or Taurus does not know it")
        return found if found.steps else None

    def address(self, one: SourceEntry, http: Keys) -> None:
        text = self.templates.text(one.node.text(), one.construct)
        self._give_host(text)
        if text:
            http["base_url"] = (
                text if "://" in text or text.startswith("${") else f"http://{text}"
            ).rstrip("/")

    def _give_host(self, address: str) -> None:
        """Let params that stand where a host does have one."""
        for name, param in self.templates.names.params.items():
            spec, written = param.spec, f"${{{name}}}"
            if written in address and isinstance(spec, dict) and not spec.get("default"):
                host = "http://localhost:8000" if address.startswith(written) else "localhost"
                param.spec = {**spec, "default": host}

    def keepalive(self, one: SourceEntry, http: Keys) -> None:
        if one.node.scalar is False:
            http["pool"] = {"keepalive": False}

    def cache(self, one: SourceEntry, http: Keys) -> None:
        if one.node.scalar is not False:
            one.construct.left_out(_CACHE)

    def resources(self, one: SourceEntry, http: Keys) -> None:
        if one.node.scalar is not False:
            one.construct.left_out(_RESOURCES)

    def nothing(self, one: SourceEntry, http: Keys) -> None:
        one.node.whole()

    def cookies(self, one: SourceEntry, http: Keys) -> None:
        pairs = []
        for node in one.node.each():
            pairs.append(f"{node.take_whole('name')}={node.take_whole('value')}")
            node.whole()
        headers = http.setdefault("headers", {})
        assert isinstance(headers, dict)
        headers["Cookie"] = "; ".join(pairs)

    def variables(self, one: SourceEntry, http: Keys) -> None:
        for below in one.node.entries or []:
            below.construct.translated()
            value = self.templates.value(below.node, below.construct)
            if self.templates.names.find(below.key) is None and not isinstance(value, dict):
                kind = {bool: "bool", int: "int", float: "float", list: "list"}.get(
                    type(value), "str"
                )
                spec: Keys = {"type": kind, "default": "" if value is None else value}
                self.templates.names.param(below.key, spec)

    def data(self, one: SourceEntry, http: Keys) -> None:
        for node in one.node.each():
            self._source(one, node)

    def _source(self, one: SourceEntry, node: SourceNode) -> None:
        entry = node.entry("path") if node.is_mapping else None
        at = entry or one
        at.construct.translated()
        name = at.node.text() if entry is not None else node.text()
        path = neighbour(name, self.files[0], self.files)
        variables = node.take_whole("variable-names") if node.is_mapping else None
        delimiter = str(node.take_whole("delimiter") or ",") if node.is_mapping else ","
        loops = node.take_whole("loop") if node.is_mapping else True
        is_random = node.take_whole("random-order") is True if node.is_mapping else False
        if node.is_mapping:
            node.take_whole("quoted")
            node.take_whole("encoding")
        given = [str(each).strip() for each in _listed(variables)]
        columns = given or _columns(path, delimiter)
        source = self.templates.names.reserve(PurePosixPath(name).stem or "rows")
        keys: Keys = {"csv": path.name} if path is not None else {}
        if path is None:
            at.construct.needs_you(f"put `{name}` beside the plan, and read it with `csv:`")
            keys = {"list": [dict.fromkeys(columns or ["value"], "")]}
        else:
            self.draft.files[path.name] = path
            keys |= {"columns": given} if given else {}
            keys |= {"delimiter": delimiter} if delimiter != "," else {}
        keys |= {"order": "random"} if is_random else {}
        keys |= {"on_end": "stop_user"} if loops is False else {}
        self.draft.data[source] = keys
        for column in columns:
            if self.templates.names.find(column) is None:
                self.templates.names.mean(
                    column,
                    f"{source}.{column}" if column.isidentifier() else f"{source}['{column}']",
                )


_KEYS: Final[dict[str, Callable[[TaurusScenarios, SourceEntry, Keys], None]]] = {
    "default-address": TaurusScenarios.address,
    "headers": TaurusScenarios.headers,
    "think-time": TaurusScenarios.pause,
    "timeout": TaurusScenarios.timeout,
    "follow-redirects": TaurusScenarios.redirects,
    "keepalive": TaurusScenarios.keepalive,
    "store-cache": TaurusScenarios.cache,
    "store-cookie": TaurusScenarios.nothing,
    "use-dns-cache-mgr": TaurusScenarios.nothing,
    "retrieve-resources": TaurusScenarios.resources,
    "concurrent-pool-size": TaurusScenarios.nothing,
    "force-parent-sample": TaurusScenarios.nothing,
    "variables": TaurusScenarios.variables,
    "data-sources": TaurusScenarios.data,
    "cookies": TaurusScenarios.cookies,
}


def _listed(value: object) -> list[object]:
    if isinstance(value, str):
        return list(value.split(","))
    return value if isinstance(value, list) else []


def _columns(path: Path | None, delimiter: str) -> list[str]:
    if path is None:
        return []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(65536)
    try:
        row = next(csv.reader([first], delimiter="\t" if delimiter == "tab" else delimiter), [])
    except (csv.Error, TypeError):
        return []
    return [one.strip() for one in row if one.strip()]
