"""wrk: a command for each level of users, and a script that picks and computes the requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import ClassVar, Final

from planrunner.exporters.contract import Exporter, ExportRequest, WrittenTest
from planrunner.exporters.loads import LoadLoss, judge_loads, never_ramps, plateaus, users_of_class
from planrunner.exporters.remarks import on_one_line
from planrunner.exporters.scripts.called_functions import used_helpers
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.exporters.scripts.languages.lua import HELPERS, Lua
from planrunner.exporters.scripts.names import PlanNames
from planrunner.exporters.scripts.pauses import pause_of, seconds_of
from planrunner.exporters.scripts.requests import WrittenRequest, attempt
from planrunner.exporters.scripts.sections import ScriptHttp, ScriptWriter, WrittenTask
from planrunner.exporters.scripts.shell_scripts import shell_variable
from planrunner.graph.data import DataNode, Order
from planrunner.graph.run_graph import PhaseNode, UserProgram
from planrunner.language.fields.text import parse_text
from planrunner.loss.ledger import Fate
from planrunner.loss.source_nodes import SourceNode
from planrunner.units import NS_PER_S

__all__ = ["EXPORTER", "write"]

_BLOCKS: Final = {
    "if": ("if {} then", "end"),
    "elif": ("elseif {} then", "end"),
    "else": ("else", "end"),
    "repeat": ("for _ = 1, {1} do", "end"),
    "while": ("while {2} and {0} < {1} do {0} = {0} + 1", "end"),
    "foreach": ("for _, {} in ipairs({}) do", "end"),
    "group": ("do -- {}", "end"),
}
_PAUSES: Final = "a pause is between any two requests of a connection"

_SENDING: Final = """\
local queue, due, rest, v, is_tried = {}, {}, 0, {}, false

local function send(method, path, headers, body)
  local all = {}
  for name, value in pairs(wrk.headers) do all[name] = value end
  for name, value in pairs(headers or {}) do all[name] = value or nil end
  path = path:gsub("#.*", ""):gsub("[^%w%-._~:/?#%[%]@!$&'()*+,;=%%]", function(char)
    return string.format("%%%02X", char:byte())
  end)
  queue[#queue + 1] = { wrk.format(method, path, all, body), rest }
  rest = 0
end
"""
_PICK: Final = """\
local function pick(choices)
  local whole = 0
  for _, one in ipairs(choices) do whole = whole + one[1] end
  local left = math.random() * whole
  for _, one in ipairs(choices) do
    left = left - one[1]
    if left < 0 then return one[2] end
  end
  return choices[#choices][2]
end
"""
_FOLLOWING: Final = """\
local function following()
  while #queue == 0 do
    v = {}
    ITERATION()
  end
  return table.remove(queue, 1)
end
"""
_REQUEST: Final = """\
function request()
  local one = table.remove(due, 1) or following()
  if not is_tried then table.insert(queue, 1, one) end -- wrk looks at one that it does not send
  is_tried = true
  return one[1]
end
"""
_PAUSED: Final = """\
function delay()
  local one = following()
  due[#due + 1] = one
  return one[2] * 1000
end
"""


def write(request: ExportRequest) -> WrittenTest:
    """Return a script for wrk."""
    writer = _WrkWriter(request)
    text = writer.script()
    return WrittenTest(text, tuple(writer.commands()))


class _WrkNames(PlanNames):
    def kept(self, place: str, name: str) -> str:
        return f"{place}.{name}" if place in ("params", "v") else ""

    def provided(self, dotted: str) -> str:
        del dotted
        return ""

    def service(self, name: str, what: str) -> str:
        return f'os.getenv("{shell_variable(name)}_{what.upper()}")'


class _WrkWriter(ScriptWriter):
    comment: ClassVar[str] = "--"

    def __init__(self, request: ExportRequest) -> None:
        names = _WrkNames(request)
        self._has_rows = False
        self._is_paused = False
        self._sent: list[WrittenRequest] = []
        super().__init__(request, names, Lua(names))
        for action in ("log", "pop"):
            del self._actions[action]

    def script(self) -> str:
        """Return the whole script."""
        self.leave_out(("setup",), "wrk sends requests of the load only")
        self.leave_out(("thresholds",), "wrk judges nothing; look at what it prints")
        judge_loads(self.request, _losses)
        for program in self.request.classes:
            self._write_class(program)
        classes, self.lines = self.lines, []
        only = self._only_request()
        if only is not None:
            self._write_only(only)
        elif self._sent:
            self._write_picks(classes)
        body, self.lines = self.lines, []
        return "\n".join([*self._head(body), *body]).rstrip("\n") + "\n"

    def commands(self) -> Iterator[str]:
        """Yield a command for each number of users that stays for a while."""
        timeout_s = max([self.http.timeout_s, *(one.timeout_s or 0 for one in self._sent)])
        for phase in self.request.phases if self._sent else ():
            for users, lasting_ns in plateaus(phase):
                seconds = max(1, ceil(lasting_ns / NS_PER_S))
                yield (
                    f"wrk -t1 -c{users} -d{seconds}s --timeout {max(1, ceil(timeout_s))}s "
                    f"--latency -s FILE {self._target()}"
                )

    def _target(self) -> str:
        """Return the URL of the command line: with the values of params, and variables."""
        written = self.tree.at("http", "base_url")
        found = ""
        for part in parse_text("http://HOST" if written is None else written.text()).parts:
            if isinstance(part, str):
                found += part
                continue
            param = self.request.plan.params.get(part.source.strip())
            name = part.source.strip().removeprefix("services.").replace(".", "_")
            if param is None or param.secret:
                found += f"${shell_variable(name)}"
            else:
                found += str(param.value)
        return f'"{found}"' if "$" in found else found

    # -- the script

    def _head(self, body: list[str]) -> list[str]:
        self.lines = [f"-- {one}" for one in self.title()]
        self.lines += [f"-- Run: {one}" for one in self.commands()]
        self.line()
        headers = self.http.headers
        for helper in used_helpers([*body, *self.data_lines, *headers.values()], HELPERS):
            self.lines += [*helper.rstrip("\n").split("\n"), ""]
        if self.param_lines:
            self.lines += ["local params = {", *self.param_lines, "}"]
        self.line('local BASE = wrk.path:gsub("/+$", "")')
        self.lines += self.data_lines
        for name, code in headers.items():
            self.line(f"wrk.headers[{self.language.literal(name)}] = {code}")
        self.line()
        return self.lines

    def _only_request(self) -> WrittenRequest | None:
        """Return the request that is sent again and again, if there is one and it never changes."""
        if len(self._sent) != 1 or self._is_paused:
            return None
        one = self._sent[0]
        codes = [one.url, one.body or "", *one.headers.values()]
        return None if any("(" in code or "v." in code for code in codes) else one

    def _write_only(self, made: WrittenRequest) -> None:
        self.line(f"wrk.method = {self.language.literal(made.method)}")
        self.line(f"wrk.path = {made.url}")
        for name, code in made.headers.items():
            self.line(f"wrk.headers[{self.language.literal(name)}] = {code}")
        if made.body is not None:
            self.line(f"wrk.body = {made.body}")

    def _write_picks(self, classes: list[str]) -> None:
        shares = self._shares()
        self._put(_SENDING)
        if any("pick({" in line for line in classes) or len(shares) > 1:
            self._put(_PICK)
        self.lines += classes
        picked = "pick({ " + ", ".join(f"{{ {n}, {name} }}" for name, n in shares) + " })()"
        only = next(iter(shares), ("send", 0))[0]
        iteration = picked if len(shares) > 1 else f"{only}()"
        self._put(_FOLLOWING.replace("ITERATION()", iteration))
        if self._is_paused:
            self._put(_PAUSED)
        self._put(_REQUEST)

    def _put(self, text: str) -> None:
        self.lines += [*text.rstrip("\n").split("\n"), ""]

    def _shares(self) -> list[tuple[str, int]]:
        """Return the functions of the classes, with how many users of the first phase have each."""
        phase = next((one for one in self.request.phases if plateaus(one)), None)
        if phase is None:
            return [(self.exec_of(one), one.weight) for one in self.request.classes]
        users = users_of_class(self.request.graph, phase, phase.load.most_users)
        return [(self.exec_of(one), n) for one in self.request.classes if (n := users[one.name])]

    def _write_class(self, program: UserProgram) -> None:
        node, plan_http = self.class_node(program), self.http
        self.names.of_class = program
        for key in ("weight", "count"):
            node.take_whole(key)
        self.leave_out(("on_start", "on_stop"), "wrk sends requests of the load only", node)
        self.leave_out(("state", "session"), "wrk has connections, and no users", node)
        own = node.take("http")
        if own is not None:
            self.leave_out(("base_url",), "wrk sends everything to one server", own)
        self.http = replace(self.scope(own, plan_http), headers={})
        own_headers = dict(self.scope(own, ScriptHttp()).headers)
        self.http = replace(self.http, headers=own_headers)
        tasks, before = self.tasks_of(program, node), len(self._sent)
        for task in tasks:
            with self.indented(f"local function {task.function}()", "end"):
                self.write_task(task)
            self.line()
        with (
            self.remarked(node),
            self.indented(f"local function {self.exec_of(program)}()", "end"),
        ):
            for name in program.data:
                self._write_row(name.partition("#")[0])
            if tasks:
                picks = ", ".join(f"{{ {one.weight}, {one.function} }}" for one in tasks)
                self.line(f"pick({{ {picks} }})()" if len(tasks) > 1 else f"{tasks[0].function}()")
            else:
                self.steps(node.take("steps"))
            self._write_rest(node, len(self._sent) - before == max(1, len(tasks)))
        self.line()
        self.http, self.names.of_class = plan_http, None

    def _write_rest(self, node: SourceNode, has_one_each: bool) -> None:  # noqa: FBT001
        wait = node.entry("wait")
        attempt(wait, lambda one: self.write_pause(seconds_of(self.language, pause_of(one.text()))))
        if wait is not None and not (has_one_each and len(self.request.classes) == 1):
            wait.construct.changed(_PAUSES)

    def _think(self, step: SourceNode) -> None:
        super()._think(step)
        entry = step.entry("think")
        assert entry is not None
        entry.construct.changed(_PAUSES)

    def _write_row(self, name: str) -> None:
        if name not in self.names.rows:
            return
        node = next(one for one in self.request.graph.data if one.name == name)
        if node.order is Order.SEQUENTIAL:
            self.line(f"{name}_at = {name}_at % #{name}_rows + 1")
            self.line(f"v.{name} = {name}_rows[{name}_at]")
        else:
            self.line(f"v.{name} = rand.choice({name}_rows)")

    # -- what Lua says

    def write_request(self, made: WrittenRequest) -> None:
        if made.method == "HEAD":
            raise CanNotWrite("wrk waits for the body of a reply that has none")
        if made.follows:
            raise CanNotWrite("wrk follows no redirects")
        if made.body_kind == "form":
            made.headers.setdefault(
                "Content-Type", self.language.literal("application/x-www-form-urlencoded")
            )
        if made.body is None and made.method in ("POST", "PUT", "PATCH"):
            made.body = '""'
        made.headers, made.url = self.headers_of(made), self.target(made)
        self._sent.append(made)
        words = [self.language.literal(made.method), made.url]
        if made.headers or made.without or made.body is not None:
            said = {**made.headers, **dict.fromkeys(made.without, "false")}
            pairs = [(self.language.key(name), code) for name, code in said.items()]
            words.append(self.language.mapping(pairs) if pairs else "nil")
        if made.body is not None:
            words.append(made.body)
        self.line(f"send({', '.join(words)})")

    def _request(self, step: SourceNode) -> None:
        super()._request(step)
        self.leave_out(("tags",), "wrk has no tags", step)
        self.leave_out(("timeout",), "wrk has one for all", step)

    def write_pause(self, seconds: str) -> None:
        self._is_paused = True
        self.line(f"rest = rest + {seconds}")

    def write_set(self, name: str, code: str) -> None:
        name = self.names.renamed.get(name, name)
        if self.names.place_of(name) != "v":
            raise CanNotWrite("wrk has connections, and no users who remember anything")
        self.line(f"v.{name} = {code}")

    def write_log(self, code: str) -> None:
        self.line(f"print({code})")

    def declared(self, name: str, code: str) -> str:
        return f"local {name} = {code}"

    def write_needs(self, test: str, otherwise: str | None, task: WrittenTask) -> None:
        if otherwise is not None:
            super().write_needs(test, otherwise, task)
        self.line(f"if {self.language.negated(test)} then return end")

    def _group(self, step: SourceNode) -> None:
        super()._group(step)
        entry = step.entry("group")
        assert entry is not None
        entry.construct.changed("wrk has no figures of groups")

    def block(self, kind: str, *codes: str) -> tuple[str, str]:
        if kind == "while":
            self.line(f"local {codes[0]} = 0")
        if kind not in _BLOCKS:
            raise CanNotWrite("wrk does not look into replies")
        begin, end = _BLOCKS[kind]
        return on_one_line(begin.format(*codes)), end

    def write_param(self, name: str, value: object, variable: str, *, is_secret: bool) -> None:
        said, default = self.language.env(variable), self.language.literal(value)
        if is_secret:
            code = said
        elif isinstance(value, bool):
            code = f'{said} and {said} == "true" or not {said} and {default}'
        elif isinstance(value, int | float):
            code = f"tonumber({said} or {default})"
        else:
            code = f"{said} or {default}"
        self.param_lines.append(f"  {name} = {code},")

    def write_rows(self, node: DataNode, file: str) -> None:
        if node.per_user:
            raise CanNotWrite("wrk has connections, and no users who keep a row")
        if node.kind not in ("csv", "list"):
            raise CanNotWrite("wrk reads no JSON; write these rows to a CSV file")
        rows = list(node.rows) if node.kind == "list" else None
        code = f"csv({self.language.literal(file)})" if rows is None else self.language.value(rows)
        self.data_lines += [f"local {node.name}_rows, {node.name}_at = {code}, 0"]


def _losses(phase: PhaseNode) -> Iterator[LoadLoss]:
    if not plateaus(phase):
        yield LoadLoss("wrk has no rates of arrivals and no searches", fate=Fate.LEFT_OUT)
    yield from never_ramps("wrk", phase)
    if phase.load.is_counted:
        yield LoadLoss(
            "wrk does not count; it ends with the time", ("iterations", "iterations_per_user")
        )


EXPORTER: Final = Exporter(
    name="wrk",
    title="a script for wrk",
    comment="--",
    writer="planrunner.exporters.tools.wrk:write",
)
