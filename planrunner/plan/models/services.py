"""What a plan may write under `services:` and `monitors:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.types import Duration, PositiveInt, TextField, ValueField
from planrunner.plan.models.requests import Expect

__all__ = ["MonitorModel", "ReadyModel", "ServiceModel", "StopModel"]

Signal = Literal["TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2"]
ProcessGauge = Literal["cpu", "rss"]
HostGauge = Literal["cpu", "rss", "disk", "net"]


class ReadyModel(PlanMapping):
    """When a service is ready: one of four probes, tried until it holds."""

    get: TextField | None = Field(
        None, description="A URL that must answer.", examples=["http://127.0.0.1:${port}/health"]
    )
    tcp: TextField | None = Field(
        None,
        description="A `host:port` that must accept a connection.",
        examples=["127.0.0.1:5432"],
    )
    grpc: TextField | None = Field(
        None,
        description="A `host:port` whose gRPC health service must say SERVING; of one service with "
        "`host:port/package.Service`.",
        examples=["127.0.0.1:${port}"],
    )
    log: TextField | None = Field(
        None,
        description="A regular expression to find in the service's output.",
        examples=["listening on"],
    )
    expect: Expect | None = Field(
        None,
        description="With `get`: which replies are accepted.",
        examples=["{status: [200, 404]}"],
    )
    every: Duration | None = Field(
        None, description="Pause between tries. Default 500ms.", examples=["500ms"]
    )
    timeout: Duration | None = Field(
        None,
        description="When to give up: the run ends with exit code 3. Default 30s.",
        examples=["30s"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(
            cls, data, ("get", "tcp", "grpc", "log"), "when the service is ready"
        )
        if "expect" in data and "get" not in data:
            yield Fault(
                Code.CONFLICTING_KEYS,
                "`expect` is only for `get`",
                "probe a URL with `get:`",
                "expect",
            )


class StopModel(PlanMapping):
    """How a service is stopped."""

    signal: Signal = Field(
        "TERM", description="The signal that asks it to stop.", examples=["TERM"]
    )
    grace: Duration | None = Field(
        None, description="How long it may take before it is killed. Default 10s.", examples=["10s"]
    )


def _port_shape(value: object) -> str:
    return "<auto>" if value == "auto" else "<number>"


PortField = Annotated[
    Annotated[PositiveInt, Tag("<number>")] | Annotated[Literal["auto"], Tag("<auto>")],
    Discriminator(_port_shape),
]


class ServiceModel(PlanMapping):
    """Something that runs while the plan does: a command, or one of the embedded demo servers."""

    run: TextField | None = Field(
        None, description="The command that starts it.", examples=["node index.js"]
    )
    demo: TextField | None = Field(
        None,
        description="The embedded demo server to start.",
        examples=["shop", "platform", "assistant", "passport", "kv", "routes"],
    )
    cwd: TextField | None = Field(
        None, description="Where the command runs, relative to the plan.", examples=[".."]
    )
    env: dict[str, ValueField] | None = Field(
        None,
        description="Environment variables in addition to planrunner's own.",
        examples=["{LOG: warn}"],
    )
    port: PortField | None = Field(
        None,
        description="The port it listens on; `auto` picks a free one, read as "
        "`${services.NAME.port}`, and inside the service as `${port}`. No other process may "
        "listen there.",
        examples=["auto", "5001"],
    )
    ready: ReadyModel | None = Field(
        None,
        description="When it is ready; the load starts only then.",
        examples=["{get: 'http://127.0.0.1:5001/health', timeout: 30s}"],
    )
    stop: StopModel | None = Field(
        None, description="How it is stopped.", examples=["{signal: TERM, grace: 10s}"]
    )
    monitor: list[ProcessGauge] | None = Field(
        None,
        description="What to measure: thresholds read it as `service.NAME.cpu`.",
        examples=["[cpu, rss]"],
    )
    needs: list[str] | None = Field(
        None, description="Services that must be ready first.", examples=["[database]"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("run", "demo"), "what to start")
        if "demo" in data and "run" not in data:
            for key in ("cwd", "env"):
                if key in data:
                    yield Fault(
                        Code.CONFLICTING_KEYS,
                        f"`{key}` can't be combined with `demo`",
                        f"`{key}` belongs to a service with `run`",
                        key,
                    )


_MONITOR_KINDS: Final = ("prometheus", "pid", "command", "host")
_MONITOR_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "query": ("prometheus",),
    "every": ("prometheus",),
    "metrics": ("pid", "command"),
}


class MonitorModel(PlanMapping):
    """Something to measure during the load; thresholds read it as `monitor.NAME`."""

    prometheus: TextField | None = Field(
        None, description="URL of a Prometheus server.", examples=["http://prom:9090"]
    )
    query: TextField | None = Field(
        None,
        description="With `prometheus`: the query; its first value is used.",
        examples=["process_resident_memory_bytes"],
    )
    every: Duration | None = Field(
        None, description="With `prometheus`: how often to ask. Default 5s.", examples=["5s"]
    )
    pid: PositiveInt | None = Field(
        None, description="A process, with its children.", examples=["4711"]
    )
    command: TextField | None = Field(
        None,
        description="A regular expression that finds processes by their command line.",
        examples=["postgres"],
    )
    metrics: list[ProcessGauge] | None = Field(
        None,
        description="With `pid` or `command`: what to measure. Default both.",
        examples=["[cpu, rss]"],
    )
    host: list[HostGauge] | None = Field(
        None,
        min_length=1,
        description="What to measure of the machine that planrunner runs on.",
        examples=["[cpu, net]"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        faults = list(exactly_one(cls, data, _MONITOR_KINDS, "what to measure"))
        yield from faults
        if faults:
            return
        kind = next((key for key in _MONITOR_KINDS if key in data), "")
        for key, owners in _MONITOR_KEYS.items():
            if kind and key in data and kind not in owners:
                yield Fault(
                    Code.CONFLICTING_KEYS,
                    f"`{key}` can't be combined with `{kind}`",
                    f"`{key}` belongs to a monitor with `{'` or `'.join(owners)}`",
                    key,
                )
        if kind == "prometheus" and "query" not in data:
            yield Fault(Code.MISSING_KEY, "`prometheus` needs `query`", "add the query to send")
