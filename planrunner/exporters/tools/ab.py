"""ApacheBench: a function of the shell for each request, and its runs with the users of a phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import ClassVar, Final

from planrunner.exporters.contract import Exporter, ExportRequest, WrittenTest
from planrunner.exporters.loads import LoadLoss, judge_loads, never_ramps, plateaus, users_of_class
from planrunner.exporters.remarks import on_one_line
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.requests import WrittenRequest
from planrunner.exporters.scripts.sections import WrittenTask
from planrunner.exporters.scripts.shell_scripts import ShellScriptWriter
from planrunner.graph.run_graph import PhaseNode
from planrunner.loss.ledger import Fate
from planrunner.loss.source_nodes import SourceNode
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["EXPORTER", "write"]

_MOST: Final = 5_000_000
"""Requests for which ab has room where only time ends a run."""


def write(request: ExportRequest) -> WrittenTest:
    """Return a script of ab's commands."""
    return WrittenTest(_AbWriter(request).script(), ("sh FILE",))


@dataclass(frozen=True, slots=True)
class _AbRequest:
    """A request: its function, and how many of the iterations of its class send it."""

    function: str
    of_class: str
    part: Fraction


class _AbWriter(ShellScriptWriter):
    tool: ClassVar[str] = "ab"

    def __init__(self, request: ExportRequest) -> None:
        self._requests: list[_AbRequest] = []
        self._part = Fraction(1)
        self._class = ""
        self._has_bodies = False
        super().__init__(request)

    def script(self) -> str:
        """Return the whole script."""
        self.leave_out(("setup",), "ab sends requests of the load only")
        self.leave_out(("thresholds",), "ab judges nothing; look at what it prints")
        for program in self.request.classes:
            self._class = program.name
            self.write_class(program)
        judge_loads(self.request, self._losses)
        for phase in self.request.phases:
            self._write_phase(phase)
        body, self.lines = self.lines, []
        head = self.head()
        if self._has_bodies:
            head[-1:] = ["bodies=$(mktemp -d)", "trap 'rm -r \"$bodies\"' EXIT", ""]
        return "\n".join([*head, *body]).rstrip("\n") + "\n"

    def write_begin(self, node: SourceNode) -> None:
        self.leave_out(("on_start", "on_stop"), "ab sends requests of the load only", node)

    def write_flow(self, node: SourceNode) -> None:
        self.steps(node.take("steps"))

    def write_task(self, task: WrittenTask) -> None:
        program = next(one for one in self.request.classes if one.name == self._class)
        self._part = Fraction(task.weight, sum(one.weight for one in program.tasks))
        super().write_task(task)
        self._part = Fraction(1)

    def write_request(self, made: WrittenRequest) -> None:
        words = list(self._words(made))
        function = self.function_of(made.name)
        self._requests.append(_AbRequest(function, self._class, self._part))
        if made.body is not None:
            self._has_bodies = True
            self.line(f'printf %s {made.body} > "$bodies/{function}"')
            words.append(f'-p "$bodies/{function}"')
        if made.method not in _OWN_OPTIONS and not (made.method == "POST" and made.body):
            words.append(f"-m {made.method}")
        self.line(f'{function}() {{ ab "$@" {" ".join([*words, self.target(made)])}; }}')

    def _words(self, made: WrittenRequest) -> Iterator[str]:
        timeout_s = self.http.timeout_s if made.timeout_s is None else made.timeout_s
        yield f"-k -l -s {max(1, ceil(timeout_s))}"
        if made.method in _OWN_OPTIONS:
            yield from filter(None, [_OWN_OPTIONS[made.method]])
        headers = self.headers_of(made)
        types = [name for name in headers if name.lower() == "content-type"]
        said = headers.pop(types[-1]) if types else ""
        if made.body_kind == "form" and not said:
            said = self.language.literal("application/x-www-form-urlencoded")
        if said and made.body is not None:
            yield f"-T {said}"
        for name, code in headers.items():
            yield f"-H {self.language.literal(f'{name}: ')[:-1]}{code[1:]}"
        if made.follows:
            raise CanNotWrite("ab follows no redirects")

    def _write_phase(self, phase: PhaseNode) -> None:
        for users, lasting_ns in plateaus(phase):
            self.line(on_one_line(f"# {phase.name}: {users} users"))
            of_class = users_of_class(self.request.graph, phase, users)
            parts = [
                (one.function, one.part * of_class.get(one.of_class, 0) / users)
                for one in self._requests
            ]
            for function, options in _runs(phase, users, lasting_ns, parts):
                self.line(f"{function} {options}")

    def _losses(self, phase: PhaseNode) -> Iterator[LoadLoss]:
        if not plateaus(phase):
            yield LoadLoss("ab has users who send without a pause only", fate=Fate.LEFT_OUT)
        if len(self._requests) > 1:
            yield LoadLoss("requests are sent in turn, each for its part of the phase", ("name",))
        yield from never_ramps("ab", phase)


_OWN_OPTIONS: Final = {"GET": "", "HEAD": "-i"}
"""Methods that need no `-m`."""


def _runs(
    phase: PhaseNode, users: int, lasting_ns: int, parts: Sequence[tuple[str, Fraction]]
) -> Iterator[tuple[str, str]]:
    """Yield each function that has a part in a phase, with the options of its run."""
    whole = sum(part for _, part in parts)
    total = getattr(phase.load, "total", 0)
    for function, part in parts:
        if not part:
            continue
        if total:
            count = max(1, round(total * part))
            yield function, f"-n {count} -c {min(users, count)}"
        else:
            seconds = max(1, round(lasting_ns * part / whole / NS_PER_S))
            yield function, f"-t {seconds} -n {max(_MOST, users)} -c {users}"


EXPORTER: Final = Exporter(
    name="ab",
    title="commands of ApacheBench",
    comment="#",
    writer="planrunner.exporters.tools.ab:write",
)
