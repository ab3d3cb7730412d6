"""The keywords of calls that load or run a plan: the command's options, as Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from typing import Any, Literal, TypeAlias, TypedDict

from planrunner.outputs.base import Output
from planrunner.python.results.elapsed import Elapsed

__all__ = [
    "AnyPath",
    "BenchmarkKeywords",
    "CallKeywords",
    "NameOrNames",
    "OutputLike",
    "PlanKeywords",
    "RequestKeywords",
    "RunKeywords",
    "TimeLike",
]

AnyPath: TypeAlias = str | PathLike[str]
"""Where a file or directory is."""

NameOrNames: TypeAlias = str | Sequence[str]
"""One name or several."""

TimeLike: TypeAlias = float | str | timedelta | Elapsed
"""A duration: a number of seconds, a text such as `"90s"`, or a `timedelta`."""

OutputLike: TypeAlias = str | Mapping[str, object] | Output
"""An output: as in `--output`, as in a plan, or an object with `start`, `add` and `stop`."""


class PlanKeywords(TypedDict, total=False):
    """Which parts of a plan are meant, and what is changed in it; all may be left out."""

    params: Mapping[str, object]
    """Values of the plan's params, by name: numbers (seconds, per second), or texts of `--set`."""
    env: str | None
    """The block of the plan's `environments` to take params from."""
    env_file: AnyPath | Sequence[AnyPath]
    """Files of environment variables; those of the process take precedence."""
    defaults: AnyPath | None
    """The file with what the plan leaves out, or `"none"`; None for its `planrunner.yaml`."""
    profile: str | None
    """The profile; None for that of the environment, or the plan's first."""
    phase: NameOrNames
    """Only these phases; of one with a matrix all, or as `"NAME[axis=value]"` some."""
    case: NameOrNames
    """Of phases whose matrix has cases, only these."""
    user: NameOrNames
    """Only these user classes."""
    task: NameOrNames
    """Only these tasks."""
    tag: NameOrNames
    """Only tasks with one of these tags: a key, or `key=value`."""
    skip_tag: NameOrNames
    """No tasks with one of these tags."""
    users: int | None
    """How many users each phase has, at most; stages keep their proportion."""
    rate: float | str | None
    """The arrival rate of each open phase, at most: a number per second, or `"50/s"`."""
    hold: TimeLike | None
    """How long each phase's level is held, or all of its stages last."""
    spawn_rate: float | str | None
    """How fast users start: a number per second, or `"10/s"`."""
    stages: NameOrNames
    """The load of each phase instead of the plan's: `"2m:200, 5m:200, 2m:0"`."""
    host: str
    """Where requests with only a path go, as `http.base_url` does."""
    override: Mapping[str, object]
    """Any values of the plan, by path: `{"phases.high.hold": "5s"}`."""
    no_exec: bool
    """Refuse a plan that runs commands or Python code, or reads files outside its folder."""
    allow_read: AnyPath | Sequence[AnyPath]
    """With `no_exec`: folders outside the plan's that it may read."""


class CallKeywords(TypedDict, total=False):
    """How a run is made; all may be left out."""

    workers: int | Literal["auto"]
    """Processes that share the load; 1 is this process, `"auto"` one for each processor."""
    tolerate: int
    """How many workers may be lost before the run ends; it goes on with the load of the others."""
    cluster: str | None
    """A cluster, as `--cluster` names it; its TLS is what Dask's own configuration says."""
    seed: int | None
    """The seed of every random draw; None for the plan's, or a drawn one."""
    labels: Mapping[str, object]
    """What reports call this run, by name."""
    out: AnyPath | None
    """The run's directory; None for the plan's, or a new one below `reports`."""
    formats: NameOrNames | None
    """The reports to write instead of the plan's, such as `["report.html", "junit.xml"]`."""
    outputs: Sequence[OutputLike]
    """Who receives every second of the run while it lasts, beside the plan's outputs."""
    strict: bool
    """Fail the run with exit code 5 when its numbers are not valid."""
    show_secrets: bool
    """Show values that the plan doesn't declare to be secret but whose names look so."""


class RunKeywords(PlanKeywords, CallKeywords, total=False):
    """Which parts of a plan run, and how."""

    notify: bool
    """Send the notifications that the plan asks for; True if left out."""


class RequestKeywords(CallKeywords, total=False):
    """One request, and how its run is made; all may be left out."""

    method: str
    """The method; GET, or POST with a body."""
    headers: Mapping[str, str]
    """Headers by name; values of names such as `Authorization` are masked in reports."""
    data: str
    """The body as a text."""
    json: object
    """The body as what JSON has."""


class BenchmarkKeywords(TypedDict, total=False):
    """What is called, and how; all may be left out."""

    args: Sequence[object]
    """Arguments of every call, by position."""
    kwargs: Mapping[str, object]
    """Arguments of every call, by name."""
    batch: int | Literal["auto"]
    """Calls in each iteration; `"auto"` for as many as take a millisecond, 1 where one does."""
    work: float | Callable[[Any], float]
    """How much a call does: a number, or a function that gets what the first call returned."""
    unit: str
    """What `work` counts, such as `rows`."""
    name: str
    """What it is called; the function's own name if left out."""
