"""curl: a shell script that sends each request of a plan once."""

from __future__ import annotations

from typing import ClassVar, Final

from planrunner.exporters.contract import Exporter, ExportRequest
from planrunner.exporters.remarks import on_one_line
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.requests import VERBS, WrittenRequest
from planrunner.exporters.scripts.sections import ScriptWriter
from planrunner.exporters.scripts.shell import Shell
from planrunner.graph.data import DataNode
from planrunner.loss.source_nodes import SourceNode

__all__ = ["EXPORTER", "write"]

_ONCE: Final = "curl sends each request once, and judges nothing"


def write(request: ExportRequest) -> str:
    """Return a script of curl's commands."""
    return _CurlWriter(request).script()


class _CurlNames(PlanNames):
    def __init__(self, request: ExportRequest) -> None:
        super().__init__(request)
        self.variables: dict[str, str] = {}

    def kept(self, place: str, name: str) -> str:
        return f"${{{self.variables[name]}}}" if place == "params" else ""

    def provided(self, dotted: str) -> str:
        del dotted
        return ""

    def service(self, name: str, what: str) -> str:
        return f"${{{name.upper().replace('-', '_')}_{what.upper()}}}"


class _CurlWriter(ScriptWriter):
    comment: ClassVar[str] = "#"

    def __init__(self, request: ExportRequest) -> None:
        names = _CurlNames(request)
        self._variables = names.variables
        super().__init__(request, names, Shell(names))
        self._actions = {**dict.fromkeys(VERBS, self._request), "group": self._group}

    def script(self) -> str:
        """Return the whole script."""
        for key in ("stages", "phases", "profiles", "thresholds"):
            entry = self.tree.root.entry(key)
            if entry is not None:
                entry.construct.left_out(_ONCE)
                for one in self.tree.constructs_below(entry.node):
                    one.left_out(f"with `{key}`")
        self.steps(self.tree.take_way("setup"))
        for program in self.request.classes:
            self._write_class(self.class_node(program), program.name)
        body, self.lines = self.lines, []
        head = ["#!/bin/sh", *(f"# {one}" for one in self.title()), "set -eu"]
        base = f"BASE_URL={self.http.base_url}"
        return "\n".join([*head, *self.param_lines, base, "", *body]) + "\n"

    def _write_class(self, node: SourceNode, name: str) -> None:
        program = next(one for one in self.request.classes if one.name == name)
        outer = self.http
        self.http = self.scope(node.take("http"), outer)
        with self.remarked(node):
            self.line(f"# {on_one_line(name)}")
            self.steps(node.take("on_start"))
            for task in self.tasks_of(program, node):
                weight = task.node.entry("weight")
                if weight is not None:
                    weight.construct.changed(_ONCE)
                self.write_task(task)
            self.steps(node.take("steps"))
            self.steps(node.take("on_stop"))
        self.line()
        self.http = outer

    # -- what a shell says

    def _request(self, step: SourceNode) -> None:
        super()._request(step)
        tags = step.entry("tags")
        if tags is not None:
            tags.construct.left_out("curl has no tags")

    def write_request(self, made: WrittenRequest) -> None:
        words = ["curl --silent --show-error --output /dev/null --write-out '%{http_code}\\n'"]
        timeout_s = self.http.timeout_s if made.timeout_s is None else made.timeout_s
        words.append(f"--max-time {timeout_s:g}")
        if self.http.follows if made.follows is None else made.follows:
            words.append("--location")
        if not self.http.verify:
            words.append("--insecure")
        if made.method == "HEAD":
            words.append("--head")
        elif made.method != ("GET" if made.body is None else "POST"):
            words.append(f"--request {made.method}")
        for name, code in {**self.http.headers, **made.headers}.items():
            words.append(f"--header {self.language.literal(f'{name}: ')[:-1]}{code[1:]}")
        has_type = any(name.lower() == "content-type" for name in made.headers)
        if made.body is not None and not (made.is_form or has_type):
            words.append('--header "Content-Type:"')  # curl would say that it is a form
        if made.body is not None:
            words.append(f"--data-raw {made.body}")
        self.line(" ".join([*words, "--globoff", made.url]))

    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        self._variables[name] = variable
        if is_secret or value is None:
            self.param_lines.append(f': "${{{variable}:?set this environment variable}}"')
        else:
            default = self.language.literal(value)[1:-1].replace("}", "\\}")
            self.param_lines.append(f': "${{{variable}:={default}}}"')

    def write_data(self) -> None:
        """Rows are left out; a request that reads one is too."""

    def write_rows(self, node: DataNode, file: str) -> None:
        raise AssertionError("there are none")

    def write_pause(self, seconds: str) -> None:
        self.line(f"sleep {seconds}")

    def write_set(self, name: str, code: str) -> None:
        self.line(f"{name}={code}")

    def write_log(self, code: str) -> None:
        self.line(f"echo {code}")

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        del kind
        return on_one_line(f"# {' '.join(codes)}"), ""


EXPORTER: Final = Exporter(
    name="curl",
    title="commands of curl",
    comment="#",
    writer="planrunner.exporters.tools.curl:write",
    runs="sh FILE",
)
