"""Scripts of the shell that run a tool once for each request of a plan."""

from __future__ import annotations

from typing import ClassVar, Final

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.remarks import on_one_line
from planrunner.exporters.scripts.languages.shell import Shell
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.requests import VERBS
from planrunner.exporters.scripts.sections import ScriptWriter
from planrunner.graph.data import DataNode
from planrunner.graph.run_graph import UserProgram
from planrunner.loss.source_nodes import SourceNode

__all__ = ["ShellScriptWriter", "shell_variable"]

_AFTER_REPLY: Final = ("expect", "extract")


class _ShellNames(PlanNames):
    def __init__(self, request: ExportRequest) -> None:
        super().__init__(request)
        self.variables: dict[str, str] = {}

    def kept(self, place: str, name: str) -> str:
        return f"${{{self.variables[name]}}}" if place == "params" else ""

    def provided(self, dotted: str) -> str:
        del dotted
        return ""

    def service(self, name: str, what: str) -> str:
        return f"${{{shell_variable(name)}_{what.upper()}}}"


class ShellScriptWriter(ScriptWriter):
    """Writes the requests of a plan that need nothing computed.

    Attributes:
        tool: Its name.
        weight_loss: What becomes of weights; empty where they are kept.
    """

    comment: ClassVar[str] = "#"
    tool: ClassVar[str]
    weight_loss: ClassVar[str] = ""

    def __init__(self, request: ExportRequest) -> None:
        names = _ShellNames(request)
        self._variables = names.variables
        language = Shell(names)
        language.refusal = f"{self.tool} does not look into replies"
        super().__init__(request, names, language)
        self.leave_out(("data",), f"{self.tool} reads no rows")
        self._actions = {**dict.fromkeys(VERBS, self._request), "group": self._group}

    def head(self) -> list[str]:
        """Return the first lines: the plan, what is lost of it, params and the base URL."""
        head = ["#!/bin/sh", *(f"# {one}" for one in self.title()), "set -eu"]
        return [*head, *self.param_lines, f"BASE_URL={self.http.base_url}", ""]

    def write_class(self, program: UserProgram) -> None:
        """Write the requests of a class."""
        node, outer = self.class_node(program), self.http
        self.http = self.scope(node.take("http"), outer)
        with self.remarked(node):
            self.line(f"# {on_one_line(program.name)}")
            if self.weight_loss:
                self.leave_out(("weight", "count"), self.weight_loss, node)
            for key in ("weight", "count"):
                node.take_whole(key)
            self.leave_out(("wait", "pace"), f"{self.tool} never pauses", node)
            self.write_begin(node)
            for task in self.tasks_of(program, node):
                weight = task.node.entry("weight")
                if weight is not None and self.weight_loss:
                    weight.construct.changed(self.weight_loss)
                self.write_task(task)
            self.write_flow(node)
        self.line()
        self.http = outer

    def write_begin(self, node: SourceNode) -> None:
        """Write what a user does first."""
        self.steps(node.take("on_start"))

    def write_flow(self, node: SourceNode) -> None:
        """Write the steps of a class without tasks, and what a user does last."""
        self.steps(node.take("steps"))
        self.steps(node.take("on_stop"))

    # -- what a shell says

    def _group(self, step: SourceNode) -> None:
        super()._group(step)
        entry = step.entry("group")
        assert entry is not None
        entry.construct.changed(f"{self.tool} has no figures of groups")

    def _request(self, step: SourceNode) -> None:
        super()._request(step)
        self.leave_out(("tags",), f"{self.tool} has no tags", step)

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
        name = self.names.renamed.get(name, name)
        self.line(f"{name}={code}")

    def write_log(self, code: str) -> None:
        self.line(f"echo {code}")

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        del kind
        return on_one_line(f"# {' '.join(codes)}"), ""


def shell_variable(name: str) -> str:
    """Return the name of a service as part of an environment variable."""
    return name.upper().replace("-", "_")
