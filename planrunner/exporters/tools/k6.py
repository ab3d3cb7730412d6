"""k6: a scenario for each class of a phase, with the same requests, picks, checks and pauses."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import ClassVar, Final

from planrunner.exporters.contract import Exporter, ExportRequest, WrittenTest
from planrunner.exporters.scripts.called_functions import used_helpers
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.languages.javascript import HELPERS, JavaScript
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.pauses import pause_of, seconds_of
from planrunner.exporters.scripts.requests import WrittenRequest, attempt
from planrunner.exporters.scripts.sections import ScriptWriter, WrittenTask
from planrunner.exporters.tools.k6_options import write_scenarios, write_thresholds
from planrunner.graph.data import DataNode, Order
from planrunner.graph.run_graph import PhaseNode, Renewal, UserProgram
from planrunner.graph.steps import HeaderNode, StepNode, StopNode, walk_steps
from planrunner.loss.source_nodes import SourceNode

__all__ = ["EXPORTER", "K6Writer", "write"]

_BEGIN: Final = """\
let v = {}; // names of the iteration
let state = {}; // names of the user
let shared = {}; // names of the test
let reply;
let current = '';

// Begins an iteration; a user begins anew with its scenario, or each time.
function begin(given, renews, start) {
  v = {};
  shared = given ?? {};
  if (!renews && current === exec.scenario.name) return;
  current = exec.scenario.name;
  state = {};
  start();
}

// Draws one of those that are open, by weight.
function pick(choices) {
  const open = choices.filter(([, , isOpen]) => !isOpen || isOpen());
  let left = Math.random() * open.reduce((sum, [weight]) => sum + weight, 0);
  return (open.find(([weight]) => (left -= weight) < 0) ?? [0, () => {}])[1];
}
"""

_BLOCKS: Final = {
    "if": ("if ({}) {{", "}"),
    "elif": ("}} else if ({}) {{", "}"),
    "else": ("}} else {{", "}"),
    "repeat": ("for (let {0} = 0; {0} < {1}; {0} += 1) {{", "}"),
    "while": ("for (let {0} = 0; {2} && {0} < {1}; {0} += 1) {{", "}"),
    "foreach": ("for (const {} of {}) {{", "}"),
    "poll": ("for (const {} = Date.now() + {} * 1000; ; ) {{", "}"),
    "group": ("group({}, () => {{", "});"),
}

_SLASHES: Final = r".replace(/\/+$/, '')"


def write(request: ExportRequest) -> WrittenTest:
    """Return a k6 script."""
    return WrittenTest(K6Writer(request).text(), ("k6 run FILE",))


class _K6Names(PlanNames):
    def kept(self, place: str, name: str) -> str:
        return f"{place}.{name}"

    def provided(self, dotted: str) -> str:
        if dotted == "user.class":
            return json.dumps(self.of_class.name) if self.of_class else ""
        return {
            "iteration": "exec.scenario.iterationInTest",
            "user.id": "exec.vu.idInTest",
            "user.iteration": "exec.vu.iterationInScenario",
            "run.id": "(__ENV.RUN_ID ?? 'run')",
        }.get(dotted, "")

    def service(self, name: str, what: str) -> str:
        return f"__ENV.{name.upper().replace('-', '_')}_{what.upper()}"


class K6Writer(ScriptWriter):
    comment: ClassVar[str] = "//"

    def __init__(self, request: ExportRequest) -> None:
        names = _K6Names(request)
        steps = [*_all_steps(request)]
        self._keeps_headers = any(isinstance(one, HeaderNode) for one in steps)
        self._open: dict[str, str] = defaultdict(str)
        self._stops = any(isinstance(one, StopNode) and one.what == "iteration" for one in steps)
        javascript = JavaScript(names)
        self._files = javascript.files
        super().__init__(request, names, javascript)

    # -- statements

    def write_request(self, made: WrittenRequest) -> None:
        method, url, body, params = self._sent(made)
        if method == "'GET'" and made.body is None:
            self.line(f"reply = http.get({url}, {params});")
        else:
            self.line(f"reply = http.request({method}, {url}, {body}, {params});")
        self._look(made)

    def write_parallel(self, made: Sequence[WrittenRequest]) -> None:
        self._calls += 1
        replies = f"n{self._calls}"
        with self.indented(f"const {replies} = http.batch([", "]);"):
            for one in made:
                self.line(f"[{', '.join(self._sent(one))}],")
        for place, one in enumerate(made):
            self.line(f"reply = {replies}[{place}];")
            self._look(one)

    def _sent(self, made: WrittenRequest) -> tuple[str, str, str, str]:
        """Return method, URL, body and params of a request."""
        body = made.body or "null"
        return (
            f"'{made.method}'",
            self.target(made),
            body,
            "{ " + ", ".join(self._params(made)) + " }",
        )

    def _look(self, made: WrittenRequest) -> None:
        """Write what is expected of a reply, and what is kept of it."""
        if made.checks:
            with self.indented("check(reply, {", "});"):
                for words, code in made.checks:
                    self.line(f"{self.language.literal(words)}: () => {code},")
        for one in made.extracts:
            code = one.code
            if one.is_required:
                code = f"needed({code}, {self.language.literal(one.name)})"
            self.write_set(one.name, code)

    def _params(self, made: WrittenRequest) -> Iterator[str]:
        headers = self.headers_of(made)
        if self._keeps_headers:
            own = {name: code for name, code in headers.items() if name in made.headers}
            common = {name: code for name, code in headers.items() if name not in own}
            pairs = self._mapping(common)[2:-2], "...kept", self._mapping(own)[2:-2]
            yield "headers: { " + ", ".join(filter(None, map(str.strip, pairs))) + " }"
        elif headers:
            yield f"headers: {self._mapping(headers)}"
        name = {"name": self.language.literal(made.name)}
        yield f"tags: {self._mapping({**name, **self.http.tags, **made.tags})}"
        timeout_s = self.http.timeout_s if made.timeout_s is None else made.timeout_s
        yield f"timeout: '{timeout_s:g}s'"
        if not (self.http.follows if made.follows is None else made.follows):
            yield "redirects: 0"
        if made.statuses:
            yield f"responseCallback: http.expectedStatuses({_expected(made.statuses)})"

    def write_header(self, name: str, code: str | None) -> None:
        if code is not None:
            self.line(f"kept[{self.language.literal(name)}] = {code};")
        elif name in self.http.headers:
            raise CanNotWrite("a header of all requests can't be taken away again")
        else:
            self.line(f"delete kept[{self.language.literal(name)}];")

    def write_push(self, name: str, code: str) -> None:
        self.line(f"({name} ??= []).push({code});")

    def write_stop(self, what: str) -> None:
        if what == "iteration":
            self.line("throw STOP;")
        elif what == "plan":
            self.line("exec.test.abort('the plan stops here');")
        else:
            super().write_stop(what)

    def write_poll_end(self, test: str, every: str, counter: str) -> None:
        self.line(f"if ({test}) break;")
        self.line(f"if (Date.now() > {counter}) fail('the reply was never right');")
        self.write_pause(every)

    def declared(self, name: str, code: str) -> str:
        return f"const {name} = {code};"

    def write_pause(self, seconds: str) -> None:
        self.line(f"sleep({seconds});")

    def write_set(self, name: str, code: str) -> None:
        name = self.names.renamed.get(name, name)
        self.line(f"{self.names.place_of(name)}.{name} = {code};")

    def write_log(self, code: str) -> None:
        self.line(f"console.log({code});")

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        begin, end = _BLOCKS[kind]
        return begin.format(*codes), end

    def _mapping(self, items: dict[str, str]) -> str:
        return "{ " + ", ".join(f"{self.language.key(k)}: {v}" for k, v in items.items()) + " }"

    # -- the script

    def text(self) -> str:
        """Return the whole script."""
        options = self.options()
        body = self.body()
        return "\n".join([*self.head(body), "", *options, "", *body]) + "\n"

    def options(self) -> list[str]:
        """Return the load and the thresholds."""
        self.lines = []
        with self.indented("export const options = {", "};"):
            write_scenarios(self)
            write_thresholds(self)
            if any(one.renewal(phase.load) is Renewal.NOTHING for phase, one in self._pairs()):
                self.line("noCookiesReset: true,")
            if not self.http.verify:
                self.line("insecureSkipTLSVerify: true,")
        return self.lines

    def body(self) -> list[str]:
        """Return the functions of classes and tasks."""
        self.lines = list(_BEGIN.rstrip("\n").split("\n"))
        self.line()
        self._write_setup()
        for program in self.request.classes:
            self._write_class(program)
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return self.lines

    def head(self, body: list[str]) -> list[str]:
        """Return what stands above: what is lost of the first level, imports, params and rows."""
        self.lines = []
        for one in self.title():
            self.line(f"// {one}")
        self.lines += self._imports("\n".join(body))
        self.data_lines += self._constants()
        for helper in used_helpers([*body, *self.data_lines, self.http.base_url], HELPERS):
            self.lines += ["", *helper.rstrip("\n").split("\n")]
        self.line()
        if self.param_lines:
            self.lines += ["const params = {", *self.param_lines, "};"]
        base, is_literal = self.http.base_url, self.http.base_url.startswith(('"', "'"))
        self.line(f"const BASE_URL = {base}{'' if is_literal else _SLASHES};")
        self.lines += self.data_lines
        return self.lines

    def _imports(self, written: str) -> Iterator[str]:
        yield "import { check, fail, group, sleep } from 'k6';"
        yield "import http from 'k6/http';"
        yield "import exec from 'k6/execution';"
        for module in ("encoding", "crypto"):
            if f"{module}." in written:
                yield f"import {module} from 'k6/{module}';"
        if any("SharedArray" in one for one in self.data_lines):
            yield "import { SharedArray } from 'k6/data';"

    def _constants(self) -> Iterator[str]:
        for path, name in self._files.items():
            yield f"const {name} = open({self.language.literal(path)}, 'b');"
        if self._keeps_headers:
            yield "let kept = {}; // headers of the user"
        if self._stops:
            yield "const STOP = {}; // ends an iteration"

    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        default = self.language.literal(value)
        said = f"__ENV.{variable}"
        if is_secret:
            code = said
        elif isinstance(value, bool):
            code = f"{said} === undefined ? {default} : {said} === 'true'"
        elif isinstance(value, int | float):
            code = f"Number({said} ?? {default})"
        else:
            code = f"{said} ?? {default}"
        self.param_lines.append(f"  {name}: {code},")

    def write_rows(self, node: DataNode, file: str) -> None:
        path = self.language.literal(file)
        match node.kind:
            case "list":
                rows = self.language.literal(list(node.rows))
            case "csv":
                rows = f"csv(open({path}))"
            case "json":
                rows = f"JSON.parse(open({path}))"
            case _:
                rows = f"open({path}).trim().split('\\n').map((one) => JSON.parse(one))"
        self.data_lines.append(
            f"const {node.name}_rows = new SharedArray('{node.name}', () => {rows});"
        )

    def _pairs(self) -> Iterator[tuple[PhaseNode, UserProgram]]:
        graph = self.request.graph
        for phase in self.request.phases:
            yield from ((phase, program) for program in graph.programs_of(phase))

    def _write_setup(self) -> None:
        node = self.tree.take_way("setup")
        if node is None:
            return
        self.names.in_setup = True
        with self.indented("export function setup() {", "}"):
            self.line("v = {};")
            self.steps(node)
            self.line("return v;")
        self.names.in_setup = False
        self.line()

    def _write_class(self, program: UserProgram) -> None:
        node, plan_http = self.class_node(program), self.http
        self.names.of_class = program
        for key in ("weight", "count"):
            node.take_whole(key)
        self.http = self.scope(node.take("http"), plan_http)
        tasks = self.tasks_of(program, node)
        for task in tasks:
            with self.indented(f"function {task.function}() {{", "}"):
                self.write_task(task)
            self.line()
        with (
            self.remarked(node),
            self.indented(f"export function {self.exec_of(program)}(given) {{", "}"),
        ):
            self._write_begin(program, node)
            with self._until_stopped():
                if tasks:
                    self.line(self._picked(tasks))
                else:
                    self.steps(node.take("steps"))
            attempt(node.entry("wait"), self._write_wait)
        self.line()
        self.http, self.names.of_class = plan_http, None

    @contextmanager
    def _until_stopped(self) -> Iterator[None]:
        """Write steps of an iteration, which one of them may end."""
        if not self._stops:
            yield
            return
        with self.indented("try {", "} catch (error) {"):
            yield
        with self.indented("", "}"):
            self.line("if (error !== STOP) throw error;")

    def _picked(self, tasks: Sequence[WrittenTask]) -> str:
        if len(tasks) == 1:
            return f"{tasks[0].function}();"
        picks = (f"[{one.weight}, {one.function}{self._open[one.function]}]" for one in tasks)
        return f"pick([{', '.join(picks)}])();"

    def write_needs(self, test: str, otherwise: str | None, task: WrittenTask) -> None:
        if otherwise == "":
            self._open[task.function] = f", () => {test}"
            return
        with self.indented(*self.block("if", self.language.negated(test))):
            self.line("return;" if otherwise is None else f"return {otherwise}();")

    def _write_wait(self, node: SourceNode) -> None:
        pause = seconds_of(self.language, pause_of(node.text()))
        if not all(phase.load.has_due_times for phase in self.request.phases):
            self.write_pause(pause)

    def _write_begin(self, program: UserProgram, node: SourceNode) -> None:
        renews = any(
            one is program and one.renewal(phase.load) is not Renewal.NOTHING
            for phase, one in self._pairs()
        )
        node.take_whole("session")
        with self.indented(f"begin(given, {'true' if renews else 'false'}, () => {{", "});"):
            state = node.take("state")
            for one in (state.entries or ()) if state is not None else ():
                attempt(one, partial(self._write_state, one.key))
            if self._keeps_headers:
                self.line("kept = {};")
            for name in program.data:
                self._write_row(name.partition("#")[0], per_user=True)
            start = node.entry("on_start")
            if start is not None:
                self.steps(start.node)
                start.construct.changed("its requests count in k6's figures, here they do not")
        for name in program.data:
            self._write_row(name.partition("#")[0], per_user=False)

    def _write_state(self, name: str, value: SourceNode) -> None:
        self.write_set(name, self.language.value(value.whole()))

    def _write_row(self, name: str, *, per_user: bool) -> None:
        node = next(one for one in self.request.graph.data if one.name == name)
        if node.per_user is not per_user or name not in self.names.rows:
            return
        if node.order is not Order.SEQUENTIAL:
            number = f"Math.floor(Math.random() * {name}_rows.length)"
        else:
            count = "exec.vu.idInTest - 1" if per_user else "exec.scenario.iterationInTest"
            number = f"({count}) % {name}_rows.length"
        self.line(f"{self.names.place_of(name)}.{name} = {name}_rows[{number}];")


def _all_steps(request: ExportRequest) -> Iterator[StepNode]:
    for program in request.classes:
        for steps in (program.on_start, *(task.steps for task in program.tasks)):
            yield from walk_steps(steps)


def _expected(statuses: list[object]) -> str:
    found = []
    for one in statuses:
        first = str(one)[:1]
        found.append(str(one) if isinstance(one, int) else f"{{ min: {first}00, max: {first}99 }}")
    return ", ".join(found)


EXPORTER: Final = Exporter(
    name="k6",
    title="a k6 script",
    comment="//",
    writer="planrunner.exporters.tools.k6:write",
)
