"""Locust: a class for each class of users, with the same tasks, waits, checks and extractions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from planrunner.exporters.contract import Exporter, ExportRequest, WrittenTest
from planrunner.exporters.scripts.called_functions import used_helpers
from planrunner.exporters.scripts.languages.python_code import HELPERS, plain_name
from planrunner.exporters.scripts.pauses import seconds_of
from planrunner.exporters.scripts.requests import attempt
from planrunner.exporters.scripts.sections import WrittenTask
from planrunner.exporters.tools.locust_load import (
    class_sizes,
    is_counted,
    pace_s,
    write_judge,
    write_load,
)
from planrunner.exporters.tools.locust_steps import USER_NAMES, LocustSteps
from planrunner.graph.data import DataNode, Order
from planrunner.graph.run_graph import Renewal, UserProgram
from planrunner.loss.source_nodes import SourceNode
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_S

__all__ = ["EXPORTER", "write"]

_LOCUST: Final = ("HttpUser", "LoadTestShape", "between", "constant", "constant_pacing", "events")
_PARTS: Final = {
    "clients": ("HttpSession",),
    "event": ("EventHook",),
    "exception": ("RescheduleTask", "RescheduleTaskImmediately", "StopUser"),
}
_MODULES: Final = (
    *("base64", "csv", "hashlib", "json", "os", "random", "re", "string", "time", "uuid"),
)
_NAMES: Final = {
    "pairwise": "itertools",
    "count": "itertools",
    "cycle": "itertools",
    "takewhile": "itertools",
    "partial": "functools",
    "ceil": "math",
    "Path": "pathlib",
    "quote": "urllib.parse",
}


def write(request: ExportRequest) -> WrittenTest:
    """Return a locustfile."""
    return WrittenTest(_LocustWriter(request).text(), ("locust --headless -f FILE",))


class _LocustWriter(LocustSteps):
    def text(self) -> str:
        """Return the whole file."""
        setup = self._part(self._write_setup)
        classes = [self._part(partial(self._write_class, one)) for one in self.request.classes]
        load = self._part(lambda: write_load(self))
        judge = self._part(lambda: write_judge(self, self.series))
        body = [line for part in (setup, *classes, load, judge) for line in part]
        title = [*self.title()]
        head = ['"""' + title[0].replace("\\", "\\\\").replace('"""', "'''") + '."""', ""]
        head[1:1] = [f"# {one}" for one in title[1:]]
        constants = [*self.param_lines, *self.data_lines]
        if setup:
            constants.append("shared = {}  # names of the test")
        if any("HERE" in line for line in [*constants, *body]):
            constants.insert(0, "HERE = Path(__file__).parent")
        if any("next(iterations)" in line for line in body):
            constants.append("iterations = count()")
        helpers = [
            line
            for helper in used_helpers([*body, *constants], HELPERS)
            for line in ["", *helper.rstrip("\n").split("\n"), ""]
        ]
        imports = [*_imports("\n".join([*constants, *helpers, *body]))]
        lines = [*head, *imports, "", *constants, *helpers, *body]
        return "\n".join(_spaced(lines)) + "\n"

    def _part(self, write: Callable[[], None]) -> list[str]:
        """Return the lines that something writes, with two empty ones around."""
        self.lines = []
        write()
        return ["", *self.lines, ""] if self.lines else []

    def _write_setup(self) -> None:
        node = self.tree.take_way("setup")
        if node is None:
            return
        entry = self.tree.root.entry("setup")
        assert entry is not None
        self.names.in_setup, self.client = True, "client"
        self.line("@events.test_start.add_listener")
        with self.indented("def setup(environment, **_):", ""):
            self.line('"""Run once, before the load; nothing counts it."""')
            self.line(f"client = HttpSession({self.http.base_url}, EventHook(), None)")
            if self.http.headers:
                self.line(f"client.headers.update({self.mapping(self.http.headers)})")
            self.steps(node)
            names = sorted(self.names.shared)
            self.line(f"shared.update({', '.join(f'{name}={plain_name(name)}' for name in names)})")
        entry.construct.changed("a step of it that fails does not keep the load from starting")
        self.names.in_setup, self.client = False, "self.client"

    def _write_class(self, program: UserProgram) -> None:
        node, plan_http = self.class_node(program), self.http
        self.names.of_class = program
        self.functions = {*self.names.state, *USER_NAMES}
        for key in ("weight", "count", "session"):
            node.take_whole(key)
        self.http = self.scope(node.take("http"), plan_http)
        tasks = self.tasks_of(program, node)
        with self.remarked(node), self.indented(f"class {program.name}(HttpUser):", ""):
            base, is_literal = self.http.base_url, self.http.base_url.startswith(('"', "'"))
            self.line(f"host = {base}" if is_literal else f'host = {base}.rstrip("/")')
            for name, number in class_sizes(self.request, program):
                self.line(f"{name} = {number}")
            self._write_wait(program, node)
            self._write_begin(program, node)
            for task in tasks:
                self._write_tags(task)
                self._write_method(program, task.function, partial(self.write_task, task))
            if not tasks:
                self.line("@task")
                steps = node.take("steps")
                self._write_method(program, "flow", lambda: self.steps(steps))
            stop = node.entry("on_stop")
            if stop is not None:
                self._write_plain("on_stop", partial(self.steps, stop.node))
                stop.construct.changed("its requests count in Locust's figures, here they do not")
        self.http, self.names.of_class = plan_http, None

    def function_of(self, *words: str) -> str:
        return super().function_of(words[-1].lower())

    def _write_tags(self, task: WrittenTask) -> None:
        self.task_node = task.node
        tags = task.node.get("tags")
        if tags is not None:
            plain = tags.whole()
            listed = (
                [f"{key}={value}" for key, value in plain.items()]
                if isinstance(plain, dict)
                else plain
                if isinstance(plain, list)
                else [plain]
            )
            self.line(f"@tag({', '.join(self.language.literal(str(one)) for one in listed)})")
        self.line("@task" if task.weight == 1 else f"@task({task.weight})")

    def _write_method(self, program: UserProgram, name: str, write: Callable[[], None]) -> None:
        """Write an iteration."""

        def whole() -> None:
            if self._renews(program):
                self.line("self.begin()")
            if program.uses_iteration:
                self.line("iteration = next(iterations)")
            for one in program.data:
                self._write_row(one.partition("#")[0], per_user=False)
            write()

        self._write_plain(name, whole)

    def _write_plain(self, name: str, write: Callable[[], None]) -> None:
        """Write a method; a reply that it never looks at has no name."""
        at = len(self.lines)
        with self.indented(f"def {name}(self):", ""):
            write()
        self.line()
        if not _reads_reply(self.lines[at:]):
            self.lines[at:] = [line.replace("reply = self.", "self.") for line in self.lines[at:]]

    def _renews(self, program: UserProgram) -> bool:
        return any(
            one.name == program.name and one.renewal(phase.load) is not Renewal.NOTHING
            for phase in self.request.phases
            for one in self.request.graph.programs_of(phase)
        )

    def _write_begin(self, program: UserProgram, node: SourceNode) -> None:
        self.line()
        start = "begin" if self._renews(program) else "on_start"
        self._claim_first(start)
        with self.indented(f"def {start}(self):", ""):
            self.line(
                f"self.client.request = partial(HttpSession.request, self.client, "
                f"timeout={self.http.timeout_s:g})"
            )
            if start == "begin":
                self.line("self.client.cookies.clear()")
            if self.http.headers:
                self.line(f"self.client.headers.update({self.mapping(self.http.headers)})")
            if not self.http.verify:
                self.line("self.client.verify = False")
            state = node.take("state")
            for one in (state.entries or ()) if state is not None else ():
                attempt(one, partial(self._write_state, one.key))
            for name in program.data:
                self._write_row(name.partition("#")[0], per_user=True)
            entry = node.entry("on_start")
            if entry is not None:
                self.steps(entry.node)
                entry.construct.changed("its requests count in Locust's figures, here they do not")
            if is_counted(self.request) and start == "on_start":
                self.line("claim(self)")
        self.line()

    def _claim_first(self, start: str) -> None:
        """Count the first iteration where what begins a user is done in each of them."""
        if is_counted(self.request) and start == "begin":
            with self.indented("def on_start(self):", ""):
                self.line("claim(self)")
            self.line()

    def _write_state(self, name: str, value: SourceNode) -> None:
        self.write_set(name, self.language.value(value.whole()))

    def _write_wait(self, program: UserProgram, node: SourceNode) -> None:
        """Write how long a user waits between iterations."""
        for key in ("wait", "pace"):
            node.take_whole(key)
        pace = pace_s(self.request) or program.pace_ns / NS_PER_S
        if is_counted(self.request):
            pause = seconds_of(self.language, program.wait) if program.wait else "0"
            self.line()
            with self.indented("def wait_time(self):", ""):
                self.line("claim(self)")
                self.line(f"return constant_pacing({pace:g})(self)" if pace else f"return {pause}")
        elif pace:
            self.line(f"wait_time = constant_pacing({pace:g})")
        elif program.wait is not None:
            self._write_pause(program.wait)

    def _write_pause(self, wait: Pause) -> None:
        first, second = wait.first / NS_PER_S, wait.second / NS_PER_S
        if wait.kind is PauseKind.CONSTANT:
            self.line(f"wait_time = constant({first:g})")
        elif wait.kind is PauseKind.UNIFORM:
            self.line(f"wait_time = between({first:g}, {second:g})")
        else:
            self.line()
            with self.indented("def wait_time(self):", ""):
                self.line(f"return {seconds_of(self.language, wait)}")

    # -- params and rows

    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        quoted = self.language.literal(variable)
        if is_secret:
            code = f"os.environ[{quoted}]"
        elif isinstance(value, bool):
            code = f'os.environ.get({quoted}, "{str(value).lower()}") == "true"'
        elif isinstance(value, int | float):
            code = f'{type(value).__name__}(os.environ.get({quoted}, "{value}"))'
        else:
            code = f"os.environ.get({quoted}, {self.language.literal(value)})"
        if is_secret or isinstance(value, str):
            self.language.texts.add(name.upper())
        elif isinstance(value, int) and not isinstance(value, bool):
            self.language.numbers.add(name.upper())
        self.param_lines.append(f"{name.upper()} = {code}")

    def write_rows(self, node: DataNode, file: str) -> None:
        path = f"(HERE / {self.language.literal(file)})"
        match node.kind:
            case "list":
                rows = self.language.literal(list(node.rows))
            case "csv":
                rows = f'list(csv.DictReader({path}.open(newline="")))'
                place = f"self.{node.name}" if node.per_user else plain_name(node.name)
                self.language.texts.add(f"{place}[")
            case "json":
                rows = f"json.loads({path}.read_text())"
            case _:
                rows = f"[json.loads(line) for line in {path}.read_text().splitlines()]"
        rows = f"cycle({rows})" if node.order is Order.SEQUENTIAL else rows
        self.data_lines.append(f"{node.name}_rows = {rows}")

    def _write_row(self, name: str, *, per_user: bool) -> None:
        node = next(one for one in self.request.graph.data if one.name == name)
        if node.per_user is per_user and name in self.names.rows:
            draw = "next" if node.order is Order.SEQUENTIAL else "random.choice"
            self.write_set(name, f"{draw}({name}_rows)")


def _reads_reply(lines: Sequence[str]) -> bool:
    """Return whether a method reads a reply after it has looked at it."""
    inside = 0
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth <= inside:
            inside = 0
        if not inside and line.lstrip().startswith("with "):
            inside = depth
        elif not inside and re.search(r"\breply\b(?! = self)", line):
            return True
    return False


def _spaced(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines with two empty ones before each definition of the file."""
    empty, last = 0, ""
    for line in lines:
        if not line:
            empty += 1
            continue
        begins = line.startswith(("def ", "class ", "@")) and not last.startswith("@")
        yield from [""] * (2 if begins and not last.startswith("#") else min(empty, 2))
        yield line
        empty, last = 0, line


def _imports(written: str) -> Iterator[str]:
    """Yield the imports that a file needs, as formatters sort them."""
    lines = [f"import {name}" for name in _MODULES if f"{name}." in written]
    found: dict[str, list[str]] = {}
    for name, module in _NAMES.items():
        if re.search(rf"\b{name}\b[(.]?", written):
            found.setdefault(module, []).append(name)
    yield from sorted(lines)
    yield from (f"from {name} import {', '.join(sorted(found[name]))}" for name in sorted(found))
    yield ""
    used = [name for name in _LOCUST if re.search(rf"\b{name}\b", written)]
    used += [name for name in ("tag", "task") if f"@{name}" in written]
    yield f"from locust import {', '.join(used)}"
    for module, names in _PARTS.items():
        if shown := [name for name in names if re.search(rf"\b{name}\b", written)]:
            yield f"from locust.{module} import {', '.join(shown)}"


EXPORTER: Final = Exporter(
    name="locust",
    title="a locustfile",
    comment="#",
    writer="planrunner.exporters.tools.locust:write",
)
