"""The tools: each is a command, and answers what that prints as JSON.

Annotations are read when a function is defined, since what they name is the server's own.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from mcp.server.mcpserver import AcceptedElicitation, Context, ElicitationResult, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from planrunner.mcp.answers import CommandAnswer, answer_of, document
from planrunner.mcp.consent import Consent, question
from planrunner.mcp.workplace import PlanChoice, Workplace
from planrunner.results.exit_codes import ExitCode

__all__ = ["add_tools"]

PlanArgument = Annotated[
    str, Field(description="The plan's file, relative to the server's folder.")
]
ParamsArgument = Annotated[
    dict[str, str] | None, Field(description="Values of the plan's params, by name.")
]
EnvironmentArgument = Annotated[
    str | None, Field(description="The block of the plan's `environments` to take params from.")
]
ProfileArgument = Annotated[str | None, Field(description="The profile; default the plan's first.")]
RunArgument = Annotated[str, Field(description="The directory of a run, or its metrics.json.")]

_READS: Final = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_WRITES: Final = ToolAnnotations(read_only_hint=False, destructive_hint=False)
_SENDS: Final = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)

_RESULT: Final = (
    "run_id",
    "plan",
    "profile",
    "started",
    "duration_seconds",
    "exit_code",
    "ended_because",
    "validity",
    "judgements",
    "totals",
    "rows",
    "failing_samples",
    "notices",
)
"""What an assistant wants to know of a run first; a whole metrics.json has a hundred times that."""

_MOST_EVENTS: Final = 400


def add_tools(server: MCPServer[Any], workplace: Workplace) -> None:
    """Give a server its tools."""
    for add in (_validate, _explain, _run_once, _run, _results, _history, _compare, _import):
        add(server, workplace)


def _validate(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="Check a plan", annotations=_READS)
    async def validate(
        plan: PlanArgument,
        params: ParamsArgument = None,
        environment: EnvironmentArgument = None,
        profile: ProfileArgument = None,
    ) -> dict[str, Any]:
        """Say what is wrong with a plan, with line, column and a hint; sends nothing.

        A plan is valid when `exit_code` is 0. Call it after each change of a plan.
        """
        choice = PlanChoice(plan, params or {}, environment, profile)
        return await _told(workplace, ["validate", *workplace.arguments(choice), "--json"])


def _explain(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="What would a plan do?", annotations=_READS)
    async def explain(
        plan: PlanArgument,
        params: ParamsArgument = None,
        environment: EnvironmentArgument = None,
        profile: ProfileArgument = None,
    ) -> dict[str, Any]:
        """Say what a plan would do: load over time, users, requests, thresholds; sends nothing."""
        choice = PlanChoice(plan, params or {}, environment, profile)
        told = await _told(workplace, ["explain", *workplace.arguments(choice), "--json"])
        if told["answer"]:
            told["answer"].pop("graph")  # the text says it shorter
        return told


def _run_once(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="Run each task of a plan once", annotations=_SENDS)
    async def run_once(
        plan: PlanArgument,
        params: ParamsArgument = None,
        environment: EnvironmentArgument = None,
        profile: ProfileArgument = None,
        tasks: Annotated[list[str] | None, Field(description="Only these tasks.")] = None,
    ) -> dict[str, Any]:
        """Send each request of a plan once with one user; answer what was sent and received.

        Secrets are masked. Use it to debug a plan before `run`.
        """
        choice = PlanChoice(plan, params or {}, environment, profile)
        picked = [f"--task={task}" for task in tasks or ()]
        command = ["execute", *workplace.arguments(choice), "--once", *picked, "--json"]
        told = await _told(workplace, [*command, *workplace.confined()])
        events = told["answer"] or []
        if len(events) > _MOST_EVENTS:
            told["left_out"] = f"{len(events) - _MOST_EVENTS} events; name `tasks` to see them"
            told["answer"] = events[: _MOST_EVENTS - 1] + events[-1:]
        return told


def _run(server: MCPServer[Any], workplace: Workplace) -> None:
    async def asked(
        context: Context[Any, Any],
        plan: str,
        params: dict[str, str] | None = None,
        environment: str | None = None,
        profile: str | None = None,
    ) -> Any:  # noqa: ANN401 - a question, or consent where none is asked
        choice = PlanChoice(plan, params or {}, environment, profile)
        return await question(workplace, choice, context)

    @server.tool(title="Run a plan under load", annotations=_SENDS)
    async def run(
        context: Context[Any, Any],
        consent: Annotated[ElicitationResult[Consent], Resolve(asked)],
        plan: PlanArgument,
        params: ParamsArgument = None,
        environment: EnvironmentArgument = None,
        profile: ProfileArgument = None,
    ) -> dict[str, Any]:
        """Run a plan under its load and judge its thresholds; a person is asked first.

        `exit_code` is the verdict: 0 passed, 1 a threshold failed, 2 the plan is invalid, 3 it
        could not run, 4 aborted by a threshold, 5 the numbers are not valid.
        """
        if not (isinstance(consent, AcceptedElicitation) and consent.data.start):
            raise ToolError("the person who was asked did not agree to this load: nothing was sent")
        choice = PlanChoice(plan, params or {}, environment, profile)
        command = ["execute", *workplace.arguments(choice), "--json", *workplace.confined()]
        told = await _told(workplace, command, _ToolProgress(context).tell)
        told["answer"] = _parts(told["answer"], _RESULT)
        return told


def _results(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="What came of a run?", annotations=_READS)
    async def results(
        run: RunArgument,
        parts: Annotated[
            list[str] | None,
            Field(description="Keys of metrics.json, such as `series`; default the main ones."),
        ] = None,
    ) -> dict[str, Any]:
        """CommandAnswer figures, verdicts and failures of a run; times are in seconds."""
        told = await _told(workplace, ["report", workplace.path(run), "--json"])
        told["answer"] = _parts(told["answer"], parts or _RESULT)
        return told


def _history(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="The last runs", annotations=_READS)
    async def history(
        directory: Annotated[str, Field(description="Where runs are.")] = "reports",
        last: Annotated[int, Field(ge=1, description="How many runs to list.")] = 30,
    ) -> dict[str, Any]:
        """List the last runs below a directory, the oldest first."""
        command = ["history", workplace.path(directory), f"--last={last}", "--json"]
        return await _told(workplace, command)


def _compare(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(title="Compare runs", annotations=_READS)
    async def compare(
        before: RunArgument,
        after: RunArgument,
        tolerance: Annotated[str, Field(description="Changes up to this don't count.")] = "5%",
    ) -> dict[str, Any]:
        """Compare two runs request by request; only what noise does not explain is a change."""
        paths = [workplace.path(before), workplace.path(after)]
        return await _told(workplace, ["compare", *paths, f"--tolerance={tolerance}", "--json"])


def _import(server: MCPServer[Any], workplace: Workplace) -> None:
    @server.tool(name="import", title="Make a plan of another tool's test", annotations=_WRITES)
    async def import_test(
        files: Annotated[list[str], Field(description="Files that belong together.")],
        output: Annotated[
            str | None, Field(description="The plan to write; default: it is only answered.")
        ] = None,
        format: Annotated[  # noqa: A002 - as it is called
            str, Field(description="Such as `k6` or `jmx`; default: what the files look like.")
        ] = "",
    ) -> dict[str, Any]:
        """Make a plan of a test for k6, Locust, JMeter, Artillery, Postman and others.

        Nothing of the files is run. `exit_code` 1: something changed in meaning or was left out,
        which `report` names with its place.
        """
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch) / "report.json"
            command = ["import", *map(workplace.path, files), "--json", f"--report={report}"]
            command += [f"--from={format}"] if format else []
            command += [] if output is None else [f"--output={workplace.path(output)}"]
            answer = await answer_of(command, workplace.folder)
            found = document(report.read_text("utf-8")) if report.exists() else None
        return {**_facts(answer, "import"), "plan": answer.out, "report": found}


class _ToolProgress:
    """Tells a client how a command gets on."""

    def __init__(self, context: Context[Any, Any]) -> None:
        self._context = context
        self._steps = 0

    async def tell(self, line: str) -> None:
        self._steps += 1
        await self._context.report_progress(self._steps, message=line)


async def _told(
    workplace: Workplace, command: Sequence[str], tell: Callable[[str], Any] | None = None
) -> dict[str, Any]:
    answer = await answer_of(command, workplace.folder, tell)
    return {**_facts(answer, command[0]), "answer": document(answer.out)}


_MEANS: Final[Mapping[tuple[str, int], str]] = {
    ("import", ExitCode.THRESHOLD_FAILED): "something changed in meaning or was left out",
    ("compare", ExitCode.THRESHOLD_FAILED): "something is worse, or nothing can be compared",
}
"""What a code means of commands whose codes are no verdicts of runs."""


def _facts(answer: CommandAnswer, command: str) -> dict[str, Any]:
    """Return what every tool answers; `means` is what a reference of exit codes would say."""
    code = answer.exit_code
    names = {one.value: one.name.lower().replace("_", " ") for one in ExitCode}
    names[ExitCode.PLAN_INVALID] = "the plan or what was asked for is invalid"
    means = _MEANS.get((command, code), names.get(code, "killed"))
    return {"exit_code": code, "means": means, "messages": answer.messages}


def _parts(result: Any, names: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    """Return parts of a metrics.json."""
    if not isinstance(result, dict):
        return result
    if unknown := [name for name in names if name not in result]:
        known = ", ".join(result)
        raise ToolError(f"a run has no part `{unknown[0]}`; it has {known}")
    return {name: result[name] for name in names}
