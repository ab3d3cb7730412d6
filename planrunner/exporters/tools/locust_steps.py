"""The steps of a plan as statements of a locustfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.remarks import on_one_line
from planrunner.exporters.scripts.languages.python_code import PythonCode, plain_name
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.requests import WrittenRequest
from planrunner.exporters.scripts.sections import ScriptWriter, WrittenTask
from planrunner.loss.source_nodes import SourceNode

__all__ = ["USER_NAMES", "LocustSteps", "bare"]

USER_NAMES: Final = frozenset(
    (
        *("client", "context", "environment", "fixed_count", "greenlet", "group", "host", "begin"),
        *("on_start", "on_stop", "run", "start", "stop", "tasks", "wait", "wait_time", "weight"),
    )
)
"""What Locust's users have; names of the plan are others."""

_BODIES: Final = {
    "json": "json",
    "form": "data",
    "multipart": "files",
    "body": "data",
    "body_file": "data",
}
_WIDTH: Final = 99
_BLOCKS: Final = {
    "if": "if {}:",
    "elif": "elif {}:",
    "else": "else:",
    "repeat": "for _ in range({1}):",
    "while": "for _ in takewhile(lambda _: {2}, range({1})):",
    "foreach": "for {} in {}:",
    "poll": "while True:",
}


class LocustfileNames(PlanNames):
    def kept(self, place: str, name: str) -> str:
        match place:
            case "params":
                return name.upper()
            case "state":
                return f"self.{name}_" if name in USER_NAMES else f"self.{name}"
            case "shared":
                return f'shared["{name}"]'
            case _:
                return plain_name(name)

    def provided(self, dotted: str) -> str:
        if dotted == "user.class":
            return f'"{self.of_class.name}"' if self.of_class else ""
        known = {"iteration": "iteration", "run.id": 'os.environ.get("RUN_ID", "run")'}
        return known.get(dotted, "")

    def service(self, name: str, what: str) -> str:
        return f'os.environ["{name.upper().replace("-", "_")}_{what.upper()}"]'


class LocustSteps(ScriptWriter):
    """Writes the steps of a plan as statements of Python.

    Attributes:
        client: What sends the requests.
        task_node: The task that is written.
        series: What Locust calls the requests, name and method, by their names in the plan.
    """

    comment: ClassVar[str] = "#"
    in_turn: ClassVar[str] = "Locust"
    indent: ClassVar[str] = "    "
    empty_block: ClassVar[str] = "pass"

    def __init__(self, request: ExportRequest) -> None:
        names = LocustfileNames(request)
        self.client = "self.client"
        self.task_node: SourceNode | None = None
        self.series: dict[str, tuple[str, str]] = {}
        super().__init__(request, names, PythonCode(names))

    # -- statements

    def write_request(self, made: WrittenRequest) -> None:
        words = self._words(made)
        call = f"{self.client}.{made.method.lower()}("
        if not (made.checks or made.extracts or made.statuses):
            self._write_call(f"reply = {call}", words, ")")
            return
        self._write_call(f"with {call}", [*words, "catch_response=True"], ") as reply:")
        with self.indented("", ""):
            if any(str(one)[0] in "145" for one in made.statuses or ()):
                self.line("reply.success()")
            if made.checks:
                checks = [
                    f"{self.language.literal(words)}: lambda: {_constants(bare(code))}"
                    for words, code in made.checks
                ]
                self._write_call("expect(reply, {", checks, "})")
            for one in made.extracts:
                code = one.code
                if one.is_required:
                    code = f"needed(reply, {self.language.literal(one.name)}, lambda: {code})"
                elif not code.startswith("default("):
                    code = f"attempt(lambda: {code})"
                self.write_set(one.name, code)

    def _write_call(self, begin: str, words: Sequence[str], end: str) -> None:
        """Write a call on one line, or with a line for each argument."""
        whole = f"{begin}{', '.join(words)}{end}"
        if len(whole) + len(self.indent) * self.depth <= _WIDTH:
            self.line(whole)
            return
        with self.indented(begin, end):
            for one in words:
                self.line(f"{one},")

    def _words(self, made: WrittenRequest) -> list[str]:
        """Return the arguments of the call that sends a request."""
        name = made.name.removeprefix(f"{made.method} ")
        self.series[made.name] = (name, made.method)
        words = [made.url]
        if self.language.literal(name) != made.url:
            words.append(f"name={self.language.literal(name)}")
        if made.query is not None:
            words.append(f"params={made.query}")
        typed = {} if made.body_kind == "json" else self.type_of(made)  # `json=` says it
        headers = {**typed, **made.headers, **dict.fromkeys(made.without, "None")}
        if headers:
            words.append(f"headers={self.mapping(headers)}")
        if made.body is not None:
            is_encoded = made.body_kind == "body" and not made.body.isascii()
            body = f"{made.body}.encode()" if is_encoded else made.body
            words.append(f"{_BODIES[made.body_kind]}={body}")
        if made.timeout_s is not None:
            words.append(f"timeout={made.timeout_s:g}")
        if not (self.http.follows if made.follows is None else made.follows):
            words.append("allow_redirects=False")
        return words

    def mapping(self, items: Mapping[str, str]) -> str:
        """Return code of headers by name."""
        return self.language.mapping(
            [(self.language.literal(name), code) for name, code in items.items()]
        )

    def _request(self, step: SourceNode) -> None:
        super()._request(step)
        if step is not self.task_node:
            self.leave_out(("tags",), "requests of Locust have no tags", step)

    def _group(self, step: SourceNode) -> None:
        entry = step.entry("group")
        assert entry is not None
        self.line(on_one_line(f"# {entry.node.text()}"))
        self.steps(step.take("do"))
        entry.construct.changed("Locust has no figures of groups")

    def write_header(self, name: str, code: str | None) -> None:
        key = self.language.literal(name)
        self.line(
            f"{self.client}.headers.pop({key}, None)"
            if code is None
            else f"{self.client}.headers[{key}] = {code}"
        )

    def write_push(self, name: str, code: str) -> None:
        self.line(f"{name}.append({code})")

    def write_stop(self, what: str) -> None:
        match what:
            case "iteration":
                self.line("raise RescheduleTask")
            case "user":
                self.line("raise StopUser")
            case "plan":
                self.line("self.environment.runner.quit()")
            case _:
                super().write_stop(what)

    def write_poll_end(self, test: str, every: str, counter: str) -> None:
        with self.indented(f"if {bare(test)}:", ""):
            self.line("break")
        with self.indented(f"if time.time() > {counter}:", ""):
            self.line("raise RescheduleTask")
        self.write_pause(every)

    def write_pause(self, seconds: str) -> None:
        self.line(f"time.sleep({seconds})")

    def write_set(self, name: str, code: str) -> None:
        self.line(f"{self.names(name)} = {bare(code)}")

    def loop_variable(self, name: str) -> str:
        return self.names(name)

    def write_log(self, code: str) -> None:
        self.line(f"print({code})")

    def write_needs(self, test: str, otherwise: str | None, task: WrittenTask) -> None:
        with self.indented(f"if {bare(self.language.negated(test))}:", ""):
            if otherwise == "":
                self.line("time.sleep(0.001)")
                self.line("raise RescheduleTaskImmediately")
            else:
                self.line("return" if otherwise is None else f"return self.{otherwise}()")

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        if kind == "poll":
            self.line(f"{codes[0]} = time.time() + {codes[1]}")
        return _BLOCKS[kind].format(*map(bare, codes)), ""


def bare(code: str) -> str:
    """Return code without brackets around all of it."""
    if not (code.startswith("(") and code.endswith(")")):
        return code
    depth = 0
    for place, char in enumerate(code):
        depth += (char == "(") - (char == ")")
        if not depth:
            return code[1:-1] if place == len(code) - 1 else code
    return code


def _constants(code: str) -> str:
    """Return a comparison as Python writes those with `True`, `False` and `None`."""
    return re.sub(r" == (True|False|None)$", r" is \1", code)
