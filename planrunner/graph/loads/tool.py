"""The run of another load tool: what it sends is its own affair, and read while it sends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Final

from planrunner.graph.loads.load_model import AchievedLoad, LoadModel, PhaseCounts, StageSpanNs
from planrunner.schedule.population import Share
from planrunner.tools.contract import ToolJob
from planrunner.tools.registry import named_tool
from planrunner.units import write_duration
from planrunner.values import dataclass

__all__ = ["ToolLoad"]

_SOMEWHERE: Final = Path("RUN")


@dataclass(frozen=True, slots=True)
class ToolLoad(LoadModel):
    """A process of another tool.

    Attributes:
        tool: Its name.
        script: By absolute path; None where it gets none.
        shown_script: As the plan has it.
        args: What else stands on its command line.
        shown_args: The same without secrets.
        env: Variables in addition to planrunner's own.
        directory: Its current one.
        timeout_ns: After which it is stopped.
    """

    kind: ClassVar[str] = "tool"
    is_foreign: ClassVar[bool] = True
    is_open_ended: ClassVar[bool] = True
    forecast_basis: ClassVar[str] = ""

    tool: str
    timeout_ns: int
    # Where files lie differs from host to host, and so is in no fingerprint.
    script: Path | None = field(default=None, repr=False)
    shown_script: str = ""
    args: tuple[str, ...] = field(default=(), repr=False)
    shown_args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    directory: Path = field(default=Path(), repr=False)

    def words(self) -> Iterator[str]:
        tool = named_tool(self.tool)
        yield f"a run of {self.tool}"
        yield f"runs `{self._command()}`"
        if self.env:
            yield f"with {', '.join(name for name, _ in self.env)} in its environment"
        yield f"into results come {tool.delivers}"
        yield f"not known before it runs: how many users and requests; not at all: {tool.lacks}"
        yield f"is stopped after {write_duration(self.timeout_ns)}"

    def _command(self) -> str:
        """Return what is run, as a shell would take it."""
        import shlex  # noqa: PLC0415 - few plans run a tool

        tool = named_tool(self.tool)
        script = Path(self.shown_script) if self.shown_script else None
        job = ToolJob(tool.programs[0], script, self.shown_args, _SOMEWHERE)
        return shlex.join(tool.command(job).words)

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.kind,
            "tool": self.tool,
            "script": self.shown_script or None,
            "args": list(self.shown_args),
            "env": [name for name, _ in self.env],
            "timeout_ns": self.timeout_ns,
        }

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return ((self.tool, self.timeout_ns),)

    @property
    def most_users(self) -> int:
        return 0

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return ()

    def classes_with_users(self, shares: Sequence[Share]) -> frozenset[str]:
        return frozenset()

    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        return None

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        return AchievedLoad("requests", 0, 0)
