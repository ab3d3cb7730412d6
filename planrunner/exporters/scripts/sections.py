"""The sections of a plan around its steps: HTTP settings, params, rows, classes and tasks."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from typing import Final

from planrunner import __version__
from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.remarks import on_one_line, remark
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.requests import VERBS, WrittenRequest, attempt, auth_headers
from planrunner.exporters.scripts.steps import StepWriter
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.graph.run_graph import UserProgram
from planrunner.loss.source_nodes import SourceNode
from planrunner.units import NS_PER_S, parse_duration
from planrunner.values import dataclass

__all__ = ["ScriptHttp", "ScriptWriter", "WrittenTask"]

_COMPUTED: Final = re.compile(r"\$\{[^}]*[^\w.}][^}]*\}")
"""Expressions that are more than a name."""

_ROWS: Final = ("csv", "json", "jsonl", "list")


@dataclass(frozen=True, slots=True)
class ScriptHttp:
    """What requests start from: the plan's, then the class's."""

    base_url: str = '""'
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0
    follows: bool = True
    verify: bool = True


@dataclass(frozen=True, slots=True)
class WrittenTask:
    """A task: what it is called in the script, and its steps."""

    name: str
    function: str
    weight: int
    node: SourceNode


class ScriptWriter(StepWriter):
    """A `StepWriter` that knows the plan around the steps.

    Attributes:
        functions: Names of functions that are taken.
        tasks: Those of the class that is written.
    """

    def __init__(self, request: ExportRequest, names: PlanNames, language: ScriptLanguage) -> None:
        super().__init__(request, names, language)
        language.folder = request.folder
        language.url_params = tuple(
            f"${{{name}}}" for name, param in request.plan.params.items() if param.type == "url"
        )
        language.environ = request.environ
        self.functions: set[str] = set()
        self.tasks: Sequence[WrittenTask] = ()
        self._execs: dict[str, str] = {}
        self.param_lines: list[str] = []
        self.data_lines: list[str] = []
        self.write_params()
        unasked = {name: language.literal(value) for name, value in request.headers.items()}
        self.http = self.scope(self.tree.take_way("http"), ScriptHttp(headers=unasked))
        self.write_data()

    @abstractmethod
    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        """Write a param that an environment variable may set."""

    @abstractmethod
    def write_rows(self, node: DataNode, file: str) -> None:
        """Write what holds the rows of a data source.

        Raises:
            CanNotWrite: The tool can't read such rows.
        """

    def leave_out(self, keys: Sequence[str], why: str, node: SourceNode | None = None) -> None:
        """Leave out keys of the plan, or of a node, and all that is in them."""
        for key in keys:
            entry = (node or self.tree.root).entry(key)
            if entry is None:
                continue
            entry.construct.left_out(why)
            for one in self.tree.constructs_below(entry.node):
                one.left_out(f"with `{key}`")

    def title(self) -> Iterator[str]:
        """Yield what stands at the top: the plan, how to run it, and losses without a place."""
        graph = self.request.graph
        yield on_one_line(f"{graph.name}, from {graph.source} by planrunner {__version__}")
        yield from (on_one_line(line) for line in graph.description.splitlines() if line.strip())
        for one in self.losses(self.tree.constructs_below(self.tree.root)):
            yield remark(one)

    def function_of(self, *words: str) -> str:
        """Return a name for a function that no other has."""
        said = (_COMPUTED.sub("", one) for one in words)
        plain = "_".join(
            filter(None, (re.sub(r"[^A-Za-z0-9]+", "_", one).strip("_") for one in said))
        )
        plain = plain if plain[:1].isalpha() else f"t_{plain}"
        found, number = plain, 1
        while found in self.functions:
            number += 1
            found = f"{plain}_{number}"
        self.functions.add(found)
        return found

    def exec_of(self, program: UserProgram) -> str:
        """Return the name of the function that is an iteration of a class."""
        if program.name not in self._execs:
            self._execs[program.name] = self.function_of(program.name)
        return self._execs[program.name]

    # -- http

    def scope(self, node: SourceNode | None, outer: ScriptHttp) -> ScriptHttp:
        """Return what `http` of the plan or of a class says, over what stands around it."""
        if node is None:
            return outer
        found = outer

        def put(**values: object) -> None:
            nonlocal found
            found = replace(found, **values)  # type: ignore[arg-type]

        def headers(one: SourceNode) -> None:
            said = dict(found.headers)
            for entry in one.entries or ():
                entry.construct.translated()
                said[entry.key] = self.language.secret_header(entry) or self.language.text(
                    entry.node.text()
                )
            put(headers=said)

        def tags(one: SourceNode) -> None:
            plain = one.whole()
            pairs = plain if isinstance(plain, dict) else dict.fromkeys(_listed(plain), "true")
            said = {key: self.language.text(str(value)) for key, value in pairs.items()}
            put(tags={**found.tags, **said})

        for key, write in (
            ("base_url", lambda one: put(base_url=self.language.text(one.text().rstrip("/")))),
            ("headers", headers),
            (
                "auth",
                lambda one: put(headers={**found.headers, **auth_headers(one, self.language)}),
            ),
            ("tags", tags),
            ("timeout", lambda one: put(timeout_s=parse_duration(one.text()) / NS_PER_S)),
            ("follow_redirects", lambda one: put(follows=bool(one.scalar))),
            ("verify", lambda one: put(verify=bool(one.scalar))),
        ):
            attempt(node.entry(key), write)
        return found

    # -- params and rows

    def write_params(self) -> None:
        section = self.tree.take_way("params")
        for entry in (section.entries or ()) if section is not None else ():
            param = self.request.plan.params.get(entry.key)
            if param is None:
                continue
            entry.node.whole()
            variable = entry.node.get("env")
            name = entry.key.upper() if variable is None else variable.text()
            name = re.sub(r"\W", "_", name, flags=re.ASCII)
            self.write_param(entry.key, param.value, name, is_secret=param.secret)
            if param.secret:
                entry.construct.needs_you(self.language.secret_hint.format(name))
                self.request.environ[name] = str(param.value)
            else:
                entry.construct.translated()

    def write_data(self) -> None:
        section = self.tree.take_way("data")
        nodes = {node.name: node for node in self.request.graph.data}
        for entry in (section.entries or ()) if section is not None else ():
            node = nodes.get(entry.key)
            if node is None or node.kind not in _ROWS:
                entry.construct.left_out("write these rows to a CSV file with `planrunner data`")
                self.language.lost.add(entry.key)
                continue
            file = node.file and f"{self.request.folder}/{node.file}"
            try:
                self.write_rows(node, file.removeprefix("./"))
            except CanNotWrite as error:
                entry.construct.left_out(error.message)
                self.language.lost.add(entry.key)
                continue
            entry.construct.translated()
            entry.node.whole()
            if node.order is Order.SHUFFLE:
                entry.construct.changed("rows are drawn at random, and may come again")
            elif sum(node.key in one.data for one in self.request.classes) > 1:
                entry.construct.changed("each class begins with the first row")
            self.names.rows[entry.key] = node.per_user
            for key in ("unique", "on_end", "delimiter", "columns", "comment", "secret"):
                found = entry.node.entry(key)
                if found is not None and not (key == "on_end" and node.on_end is OnEnd.CYCLE):
                    found.construct.left_out("rows are taken in turn or at random, and again")

    # -- classes

    def class_node(self, program: UserProgram) -> SourceNode:
        """Return the keys of a class."""
        found = self.tree.take_way("users", program.name)
        assert found is not None
        return found

    def tasks_of(self, program: UserProgram, node: SourceNode) -> Sequence[WrittenTask]:
        """Return the tasks of a class that run."""
        listed, found = node.take("tasks"), list[WrittenTask]()
        picked = {task.name for task in program.tasks}
        for one in (listed.items or ()) if listed is not None else ():
            verb = next((key for key in VERBS if one.get(key) is not None), "")
            named = one.take("task") if one.get("task") is not None else one.get("name")
            name = named.text() if named is not None else f"{verb.upper()} {_text(one, verb)}"
            if name not in picked:
                continue
            weight = one.take_whole("weight")
            tags = one.entry("tags") if one.get("task") is not None else None
            if tags is not None:
                tags.construct.translated()
            function = self.function_of(program.name, name)
            found.append(WrittenTask(name, function, weight if isinstance(weight, int) else 1, one))
        self.tasks = found
        return found

    def write_task(self, task: WrittenTask) -> None:
        """Write the steps of a task, with its tags on each request."""
        before = self.http
        if task.node.get("task") is None:
            with self.remarked(task.node):
                attempt(task.node.entry("needs"), partial(self._needs, task))
                self.step(task.node)
            return
        tags = task.node.get("tags")
        if tags is not None:
            plain = tags.plain()
            pairs = plain if isinstance(plain, dict) else dict.fromkeys(_listed(plain), "true")
            said = {key: self.language.literal(str(value)) for key, value in pairs.items()}
            self.http = replace(self.http, tags={**self.http.tags, **said})
        with self.under(task.node):
            attempt(task.node.entry("needs"), partial(self._needs, task))
            self.steps(task.node.take("steps"))
        self.http = before

    def _needs(self, task: WrittenTask, node: SourceNode) -> None:
        plain = node.whole()
        said = plain if isinstance(plain, dict) else {"is": plain}
        otherwise = str(said.get("else", "skip"))
        known = {one.name: one.function for one in self.tasks}
        if otherwise not in ("skip", "repick", *known):
            raise CanNotWrite("the task that runs instead is not exported")
        other = {"skip": None, "repick": ""}.get(otherwise, known.get(otherwise))
        self.write_needs(self.language.condition(str(said["is"])), other, task)

    def write_needs(self, test: str, otherwise: str | None, task: WrittenTask) -> None:
        """Write what makes a task run under a condition only.

        Args:
            test: Code of the condition.
            otherwise: The function that runs instead; None for nothing, empty for another pick.
            task: The one that is written.
        """
        del test, otherwise
        raise CanNotWrite(f"`{task.name}` is picked whatever it needs")

    @contextmanager
    def under(self, node: SourceNode) -> Iterator[None]:
        outer = self.http
        self.http = self.scope(node.take("http") if node.is_mapping else None, outer)
        yield
        self.http = outer

    def target(self, made: WrittenRequest) -> str:
        """Return the URL of a request with its query."""
        if made.query is None:
            return made.url
        glue = "&" if made.has_query else "?"
        return self.language.appended(made.url, glue, made.query)

    def headers_of(self, made: WrittenRequest) -> dict[str, str]:
        """Return all headers of a request."""
        kept = {name: code for name, code in self.http.headers.items() if not _among(made, name)}
        return {**kept, **self.type_of(made), **made.headers}

    def type_of(self, made: WrittenRequest) -> dict[str, str]:
        """Return the header that says what its body is, unless the plan says it."""
        said = (*self.http.headers, *made.headers, *made.without)
        if not made.content_type or any(name.lower() == "content-type" for name in said):
            return {}
        return {"Content-Type": self.language.text(made.content_type)}


def _among(made: WrittenRequest, name: str) -> bool:
    return name.lower() in {one.lower() for one in made.without}


def _listed(plain: object) -> list[str]:
    return [str(one) for one in plain] if isinstance(plain, list) else [str(plain)]


def _text(node: SourceNode, key: str) -> str:
    found = node.get(key)
    return "" if found is None else found.text()
