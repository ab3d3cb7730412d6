"""A plan as a test plan of JMeter: thread groups, controllers, samplers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from planrunner.exporters.contract import ExportRequest, WrittenTest
from planrunner.exporters.jmx.elements import (
    collection,
    element_lines,
    prop,
    xml_comment,
)
from planrunner.exporters.jmx.load import (
    JmxGroup,
    groups_of,
    losses,
    main_controller,
    thread_group,
)
from planrunner.exporters.jmx.parts import (
    action_lines,
    controller_lines,
    drawn_place,
    header_lines,
    plan_lines,
    request_defaults,
    variable_lines,
)
from planrunner.exporters.jmx.steps import JmxSteps, text_of
from planrunner.exporters.jmx.texts import in_text
from planrunner.exporters.loads import judge_loads
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.requests import (
    attempt,
)
from planrunner.exporters.scripts.sections import WrittenTask
from planrunner.graph.data import DataNode, Order
from planrunner.graph.run_graph import Renewal, UserProgram
from planrunner.language.expressions.values import to_text
from planrunner.loss.source_nodes import SourceNode
from planrunner.units import NS_PER_S

__all__ = ["write"]


def write(request: ExportRequest) -> WrittenTest:
    """Return a test plan."""
    return WrittenTest(_JmxWriter(request).script(), ("jmeter -n -t FILE -l results.jtl",))


class _JmxWriter(JmxSteps):
    def __init__(self, request: ExportRequest) -> None:
        self._rows: dict[str, list[str]] = {}
        self._needed = ""
        super().__init__(request)

    def script(self) -> str:
        """Return the whole test plan."""
        self.leave_out(("thresholds",), "JMeter judges nothing; look at its report")
        judge_loads(self.request, lambda phase: losses(self.request, phase))
        self.lines, self.depth = [], 2
        with self.above(plan_lines(self.request.graph.name)):
            self._write_settings()
            self._write_setup()
            self._write_groups()
        body = [line for one in self.lines for line in self._expanded(one)]
        title = [xml_comment(one) for one in self.title()]
        return "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                *title,
                '<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.6.3">',
                "  <hashTree>",
                *body,
                "  </hashTree>",
                "</jmeterTestPlan>",
                "",
            ]
        )

    def _expanded(self, line: str) -> Iterator[str]:
        """Yield a line, or the extractors that later steps asked for."""
        found = re.fullmatch(r"( *)<!-- captured (\d+) -->", line)
        if found is None:
            yield line
            return
        for one in self.captured.get(int(found[2]), {}).values():
            yield from (f"{found[1]}{each}" for each in [*one, "<hashTree/>"])

    def _write_settings(self) -> None:
        written = self.tree.at("http", "base_url")
        variables = [(name, text) for name, text in self._params()]
        defaults, more, self.language.prefix = request_defaults(
            "" if written is None else written.text(), self.request, self.language.text
        )
        if variables + more:
            self.put(variable_lines("params", [*variables, *more]))
        self.put(element_lines("ConfigTestElement", "HTTP Request Defaults", defaults))
        if self.http.headers:
            self.put(header_lines("headers", self.http.headers))

    def _params(self) -> Iterator[tuple[str, str]]:
        for line in self.param_lines:
            name, _, text = line.partition("=")
            yield name, text

    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        text = "" if is_secret or value is None else to_text(value).replace(",", "\\,")
        self.param_lines.append(f"{name}=${{__P({variable},{text})}}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.language.numbers.add(name)

    def write_rows(self, node: DataNode, file: str) -> None:
        if node.kind != "csv":
            raise CanNotWrite("JMeter reads CSV files; write these rows to one")
        taken = {
            column
            for other in self.request.graph.data
            if other is not node
            for column in other.columns
        }
        names = [f"{node.name}_{one}" if one in taken else one for one in node.columns]
        for column, name in zip(node.columns, names, strict=True):
            self.columns[f"{node.name}.{column}"] = name
        words = {
            "filename": file,
            "fileEncoding": "UTF-8",
            "variableNames": ",".join(names),
            "ignoreFirstLine": True,
            "delimiter": ",",
            "quotedData": True,
            "recycle": True,
            "stopThread": False,
            "shareMode": "shareMode.all",
        }
        self._rows[node.name] = [*element_lines("CSVDataSet", node.name, words)]
        section = self.tree.root.get("data")
        found = section.entry(node.name) if section is not None else None
        if found is not None and node.per_user:
            found.construct.changed("each iteration has a row of its own")
        elif found is not None and node.order is Order.RANDOM:
            found.construct.changed("rows come in their order")

    def _write_setup(self) -> None:
        node = self.tree.take_way("setup")
        if node is None:
            return
        lines = [
            prop("ThreadGroup.on_sample_error", "stoptest"),
            *main_controller(1),
            prop("ThreadGroup.num_threads", "1"),
            prop("ThreadGroup.ramp_time", "0"),
        ]
        self.names.in_setup = True
        with self.above(element_lines("SetupThreadGroup", "setup", lines)):
            self.steps(node)
            if self.names.shared:
                script = "SampleResult.setIgnore()\n" + "\n".join(
                    f"props.put('{name}', vars.get('{name}'))" for name in sorted(self.names.shared)
                )
                words = {"scriptLanguage": "groovy", "cacheKey": "true", "script": script}
                self.put(element_lines("JSR223Sampler", "for all users", words))
        self.names.in_setup = False

    def _write_groups(self) -> None:
        groups = [*groups_of(self.request)]
        for program in self.request.classes:
            own = [(phase, one) for phase, one in groups if one.of_class == program.name]
            if len(own) == 1:
                self._write_group(program.name, own[0][1], partial(self._write_class, program))
                continue
            with self.above(element_lines("TestFragmentController", program.name)):
                self._write_class(program)
            shared = Counter(phase.name for phase, _ in own)
            for number, (phase, one) in enumerate(own, 1):
                name = f"{phase.name}: {program.name}"
                name = f"{name} {number}" if shared[phase.name] > 1 else name
                self._write_group(name, one, partial(self._write_module, program))

    def _write_group(self, name: str, group: JmxGroup, write: Callable[[], None]) -> None:
        with self.above(thread_group(name, group)):
            write()

    def _write_module(self, program: UserProgram) -> None:
        path = ["Test Plan", self.request.graph.name, program.name]
        lines = [*collection("ModuleController.node_path", path)]
        self.put(element_lines("ModuleController", program.name, lines))

    def _write_class(self, program: UserProgram) -> None:
        node, plan_http = self.class_node(program), self.http
        self.names.of_class = program
        for key in ("weight", "count", "session"):
            node.take_whole(key)
        own = node.take("http")
        if own is not None:
            self.leave_out(("base_url",), "write a whole URL in its requests", own)
        self.http = self.scope(own, plan_http)
        self.leave_out(("on_stop",), "JMeter has no end of a user's life", node)
        with self.remarked(node):
            renews = self._renews(program)
            words = [*collection("CookieManager.cookies", [])]
            words.append(prop("CookieManager.clearEachIteration", renews))
            self.put(element_lines("CookieManager", "cookies", words))
            headers = {k: v for k, v in self.http.headers.items() if plan_http.headers.get(k) != v}
            if headers:
                self.put(header_lines("headers", headers))
            for one in program.data:
                if rows := self._rows.get(one.partition("#")[0]):
                    self.put(rows)
            self._write_state(node)
            self._write_start(program, node)
            # The timer lets the first one pass at once, so it stands before what it paces.
            attempt(node.entry("pace"), lambda _: self._write_pace(program))
            tasks = self.tasks_of(program, node)
            if tasks:
                self._write_tasks(tasks)
            else:
                self.steps(node.take("steps"))
            attempt(node.entry("wait"), lambda _: self._write_wait(program))
        self.http, self.names.of_class = plan_http, None

    def _renews(self, program: UserProgram) -> bool:
        return any(
            one.name == program.name and one.renewal(phase.load) is not Renewal.NOTHING
            for phase in self.request.phases
            for one in self.request.graph.programs_of(phase)
        )

    def _write_state(self, node: SourceNode) -> None:
        state = node.take("state")
        pairs: list[tuple[str, str]] = []
        for one in (state.entries or ()) if state is not None else ():

            def write(value: SourceNode, name: str = one.key) -> None:
                plain = value.whole()
                if isinstance(plain, list | dict):
                    raise CanNotWrite("variables of JMeter are texts")
                pairs.append((name, self.language.value(plain)))

            attempt(one, write)
            self.language.settle(one.key, one.construct)
        if pairs:
            self.put(variable_lines("state", pairs))

    def _write_start(self, program: UserProgram, node: SourceNode) -> None:
        start = node.entry("on_start")
        if start is None:
            return
        self.start_headers = {}
        kind = "GenericController" if self._renews(program) else "OnceOnlyController"
        with self.above(element_lines(kind, "on_start")):
            self.steps(start.node)
        if self.start_headers:
            self.put(header_lines("headers of the user", self.start_headers))
            start.construct.changed("its own requests have the headers that it sets too")
        self.start_headers = None
        start.construct.changed("its requests count in JMeter's figures, here they do not")

    def _write_tasks(self, tasks: Sequence[WrittenTask]) -> None:
        if len(tasks) == 1:
            self.write_task(tasks[0])
            return
        index = drawn_place([one.weight for one in tasks], "drawn_task")
        value = {"SwitchController.value": in_text(index)}
        with self.above(element_lines("SwitchController", "tasks", value)):
            for task in tasks:
                with self.above(element_lines("GenericController", task.name)):
                    self.write_task(task)

    def write_task(self, task: WrittenTask) -> None:
        if task.node.get("needs") is None:
            super().write_task(task)
            return
        at = len(self.lines)
        self.depth += 1
        super().write_task(task)
        self.depth -= 1
        if self._needed:
            body, self.lines = self.lines[at:], self.lines[:at]
            for line in controller_lines("if", (self._needed,)):
                self.line(line)
            self.line("<hashTree>")
            self.lines += body
            self.line("</hashTree>")
        self._needed = ""

    def write_needs(self, test: str, otherwise: str | None, task: WrittenTask) -> None:
        if otherwise is not None:
            super().write_needs(test, otherwise, task)
        self._needed = test

    def _group(self, step: SourceNode) -> None:
        name = text_of(step, "group")
        words = {
            "TransactionController.includeTimers": False,
            "TransactionController.parent": False,
        }
        with self.above(element_lines("TransactionController", name, words)):
            self.steps(step.take("do"))

    def _write_wait(self, program: UserProgram) -> None:
        if program.wait is not None and not all(
            phase.load.has_due_times for phase in self.request.phases
        ):
            self.write_pause_of(program.wait)

    def _write_pace(self, program: UserProgram) -> None:
        each_minute = 60 * NS_PER_S / program.pace_ns
        timer = {"calcMode": 0, "throughput": f"{each_minute:g}"}
        with self.above(action_lines(1, "pace")):
            self.put(element_lines("ConstantThroughputTimer", "pace", timer))
