"""A tool's phase under `--once`: the least that the tool can do, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from planrunner.engine.debug.trace import Trace
from planrunner.engine.tool_runs.tool_phase import StartTool
from planrunner.graph.loads import ToolLoad
from planrunner.graph.run_graph import PhaseNode
from planrunner.metrics.series import CHECK
from planrunner.tools.contract import ToolSample
from planrunner.tools.registry import named_tool
from planrunner.units import format_count

__all__ = ["try_tool"]


async def try_tool(
    phase: PhaseNode, start: StartTool, trace: Trace, mask: Callable[[str], str]
) -> None:
    """Run a phase of a tool once, and report it.

    Raises:
        CannotRun: The tool can't be started.
    """
    assert isinstance(phase.load, ToolLoad)
    tool = named_tool(phase.load.tool)
    trace.section("phase", phase.name)
    if not tool.once:
        trace.say(f"{tool.name} can't send less than its script says, so it is not tried")
        return
    trace.say(f"{tool.name} runs {tool.once}")
    found: Counter[tuple[str, str]] = Counter()
    checks: Counter[str] = Counter()

    def take(samples: Sequence[ToolSample]) -> None:
        _count(samples, found, checks)

    ended = await start(phase).run(take)
    trace.requests += found.total()
    for (request, failed), count in found.items():
        words = f"{mask(request)}: {format_count(count, 'request')}"
        trace.say(words, failed=mask(failed))
    times = (f"{words}, {format_count(count, 'time')}" for words, count in checks.items())
    for words in (*times, *ended.notices):  # a check that did not hold fails nothing
        trace.say(mask(words))
    if ended.failed:
        trace.say(f"{tool.name} failed", failed=mask(ended.all_that_failed))
    elif not found:
        trace.say(f"{tool.name} reported no request", failed="nothing was sent, or nothing read")


def _count(
    samples: Sequence[ToolSample], found: Counter[tuple[str, str]], checks: Counter[str]
) -> None:
    for one in samples:
        if one.kind == CHECK:
            checks[f"check `{one.request}` {'did not hold' if one.failure else 'held'}"] += (
                one.count
            )
        else:
            found[one.request, _outcome(one)] += one.count


def _outcome(sample: ToolSample) -> str:
    if not sample.failure:
        return ""
    return sample.words or (f"status {sample.status}" if sample.status else sample.failure)
