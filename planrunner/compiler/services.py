"""`services:` and `monitors:` to nodes: started in the order of their needs, watched by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.settings_block import SettingsBlock
from planrunner.errors import PackageMissing
from planrunner.extras import need
from planrunner.graph.steps import Evaluate
from planrunner.graph.target import MonitorNode, ReadyNode, ServiceNode
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.builtins.names import ROOT_HELPERS
from planrunner.language.fields.deferred import Deferred
from planrunner.language.fields.text import Text
from planrunner.language.patterns.pattern import Pattern, PatternError, compile_pattern
from planrunner.language.patterns.words import broken_pattern, slow_pattern
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.requests import Expect
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.base import Exchange
from planrunner.protocols.command_words import split_command
from planrunner.protocols.lowering import Lowering
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.values import dataclass

if TYPE_CHECKING:  # see `language.fields.mapping.later`
    from planrunner.plan.models.services import MonitorModel, ReadyModel, ServiceModel

__all__ = ["DEMOS", "Target", "gauges_of"]

DEMOS: Final = ("assistant", "kv", "passport", "platform", "routes", "shop")
"""The embedded servers that a plan may start."""

_GRACE_NS: Final = 10 * NS_PER_S
_ASK_NS: Final = 5 * NS_PER_S
_MOST_PORT: Final = 65_535
_DEMO_LISTENS: Final = "listens on "


def _demo_ready() -> ReadyNode:
    pattern = compile_pattern(_DEMO_LISTENS)
    return ReadyNode(log=pattern, every_ns=20 * NS_PER_MS, timeout_ns=15 * NS_PER_S)


@dataclass(frozen=True, slots=True)
class Target:
    """Compiles what a plan says about the system under test.

    Attributes:
        ports: By service; those of services without one are never used.
        http: The settings that URLs of `ready` start from.
        scratch: Where each service gets a directory of its own.
    """

    work: Compilation
    plan: CheckedPlan
    ports: Mapping[str, int]
    probes: SettingsBlock
    scratch: Path

    def services(self) -> tuple[ServiceNode, ...]:
        """Return the services, each after those it needs, else as the plan has them."""
        models = self.plan.model.services or {}
        self._check_ports(models)
        nodes = {
            name: node
            for name, model in models.items()
            if (node := self._knowing_port(name, model).service(name, model)) is not None
        }
        return tuple(nodes[name] for name in self._in_order(models) if name in nodes)

    def _knowing_port(self, name: str, model: ServiceModel) -> Target:
        """Return what compiles this service: `${port}` is its own, unless a param is called so."""
        work = self.work
        if (model.port is None and model.demo is None) or "port" in work.constants:
            return self
        names = replace(work.constant_names, params=work.constant_names.params | {"port"})
        constants = {**work.constants, "port": self.ports[name]}
        return replace(self, work=replace(work, constants=constants, constant_names=names))

    def _check_ports(self, models: Mapping[str, ServiceModel]) -> None:
        """Say which numbers are no ports, and which services would take another's."""
        taken: dict[int, str] = {}
        for name, model in models.items():
            if model.port is None or model.port == "auto":
                continue
            port, path = self.ports[name], ("services", name, "port")
            if port > _MOST_PORT:
                message = f"`{port}` is not a port"
                self.work.fault(
                    path, Code.INVALID_VALUE, message, hint=f"ports go up to {_MOST_PORT}"
                )
            elif (other := taken.setdefault(port, name)) != name:
                message = f"`{other}` listens on port {port}"
                hint = "choose another port: `port: auto`"
                self.work.fault(path, Code.INVALID_VALUE, message, hint=hint)

    def _in_order(self, models: Mapping[str, ServiceModel]) -> list[str]:
        order: list[str] = []

        def add(name: str, waiting: tuple[str, ...]) -> None:
            if name in order:
                return
            for index, needed in enumerate(models[name].needs or ()):
                path = ("services", name, "needs", index)
                if needed not in models:
                    hint = suggest(needed, list(models)) or _services(models)
                    message = f"unknown service `{needed}`"
                    self.work.fault(path, Code.UNKNOWN_NAME, message, hint=hint)
                elif needed in (*waiting, name):
                    cycle = " → ".join((*waiting, name, needed))
                    message = f"services need each other in a circle: {cycle}"
                    self.work.fault(path, Code.REFERENCE_CYCLE, message)
                else:
                    add(needed, (*waiting, name))
            if name not in order:
                order.append(name)

        for name in models:
            add(name, ())
        return order

    def service(self, name: str, model: ServiceModel) -> ServiceNode | None:
        """Compile one service."""
        path: PlanPath = ("services", name)
        node = ServiceNode(
            name=name,
            demo="",
            port=self.ports[name] if model.port is not None or model.demo is not None else 0,
            span=self.work.span(path),
            stop_signal=model.stop.signal if model.stop is not None else "TERM",
            grace_ns=self._grace_ns(model, path),
            monitor=tuple(dict.fromkeys(model.monitor or ())),
        )
        if model.demo is not None:
            return self._demo(node, model.demo, path)
        assert model.run is not None
        where = (*path, "run")
        if not self._is_settled(model.run, where):
            return None
        lowering = Lowering(self.work.constants, self.plan.files_at(path))
        command = split_command(model.run, lowering, ())
        for fault in lowering.faults:
            self.work.fault_of_spec(fault, where)
        reads = any(self._names_scratch(piece, name) for piece in (model.run, model.env))
        ready = self._ready(model.ready, (*path, "ready"))
        if ready is None and node.port:
            ready = ReadyNode(tcp=f"127.0.0.1:{node.port}", every_ns=50 * NS_PER_MS)
        return replace(
            node,
            command=command,
            shown=model.run.source,
            directory=self._directory(model.cwd, path),
            environment=tuple(self._environment(model, path)),
            ready=ready,
            scratch=self.scratch / name if reads else None,
        )

    def _demo(self, node: ServiceNode, text: Text, path: PlanPath) -> ServiceNode | None:
        where = (*path, "demo")
        demo = self.work.constant_text(text, where, self.work.constant_names)
        if demo is None:
            return None
        if demo not in DEMOS:
            hint = suggest(demo, DEMOS) or "demos: " + ", ".join(f"`{name}`" for name in DEMOS)
            self.work.fault(where, Code.UNKNOWN_NAME, f"no demo `{demo}`", hint=hint)
        words = ("planrunner", "demo", demo, "--port", str(node.port))
        ready = self._ready(self.plan.model.services[node.name].ready, (*path, "ready"))  # type: ignore[index]  # it has services
        return replace(
            node,
            demo=demo,
            command=tuple((word,) for word in words),
            shown=" ".join(words[:3]),
            ready=ready or _demo_ready(),
        )

    def _grace_ns(self, model: ServiceModel, path: PlanPath) -> int:
        grace = model.stop.grace if model.stop is not None else None
        return self.work.settle(grace, (*path, "stop", "grace"), _GRACE_NS)

    def _is_settled(self, piece: object, path: PlanPath) -> bool:
        """Whether `piece` reads nothing but params, services and the run."""
        work = self.work
        sound = work.check_all(piece, path, work.constant_names)
        for reference in getattr(piece, "references", ()):
            if reference.root in ROOT_HELPERS:
                work.must_be_constant(path, inside=(reference.offset, len(reference.root)))
                return False
        return sound

    def _names_scratch(self, piece: object, name: str) -> bool:
        """Whether a text speaks of the service's own directory."""
        texts = piece.values() if isinstance(piece, Mapping) else (piece,)
        return any(
            reference.root == "services" and reference.path[:2] == (name, "dir")
            for text in texts
            for reference in getattr(text, "references", ())
        )

    def _directory(self, cwd: Text | None, path: PlanPath) -> Path:
        inside = Path(self.work.span(path).file).absolute().parent
        if cwd is None:
            return inside
        name = self.work.constant_text(cwd, (*path, "cwd"), self.work.constant_names)
        return inside / name if name is not None else inside

    def _environment(self, model: ServiceModel, path: PlanPath) -> Iterator[tuple[str, Evaluate]]:
        for name, value in (model.env or {}).items():
            where = (*path, "env", name)
            if self._is_settled(value, where):
                lowered = self.work.lowered(value, where)
                if not (lowered.is_constant and lowered.value is None):
                    yield name, lowered.evaluate

    def _ready(self, model: ReadyModel | None, path: PlanPath) -> ReadyNode | None:
        if model is None:
            return None
        work, names = self.work, self.work.constant_names
        node = ReadyNode(
            every_ns=self._time(model.every, (*path, "every"), ReadyNode().every_ns),
            timeout_ns=self._time(model.timeout, (*path, "timeout"), ReadyNode().timeout_ns),
        )
        if model.get is not None:
            exchange = self._probe({"get": model.get.source}, path, model, expect=model.expect)
            return None if exchange is None else replace(node, get=exchange)
        if model.log is not None:
            text = work.constant_text(model.log, (*path, "log"), names)
            return replace(node, log=self._pattern(text, (*path, "log")))
        if model.grpc is not None:
            with self._needing((*path, "grpc")):
                need("grpc_health", "`ready.grpc`")
            return replace(node, grpc=self._address(model.grpc, (*path, "grpc")))
        assert model.tcp is not None
        return replace(node, tcp=self._address(model.tcp, (*path, "tcp")))

    @contextmanager
    def _needing(self, path: PlanPath) -> Iterator[None]:
        """Turn a package that is missing into a fault at `path`."""
        try:
            yield
        except PackageMissing as missing:
            self.work.fault(path, Code.NOT_AVAILABLE, missing.message, hint=missing.hint)

    def _address(self, text: Text, path: PlanPath) -> str:
        """Return an address that a probe connects to."""
        address = self.work.constant_text(text, path, self.work.constant_names)
        service = r"(?:/[\w.]+)?" if path[-1] == "grpc" else ""
        parts = re.fullmatch(rf"\S+:(\d{{1,5}}){service}", address or "")
        if address is not None and (parts is None or int(parts[1]) > _MOST_PORT):
            message = f"`{address}` is not an address"
            self.work.fault(path, Code.INVALID_VALUE, message, hint="write `127.0.0.1:5432`")
        return address or ""

    def _time(self, given: int | Deferred | None, path: PlanPath, default_ns: int) -> int:
        time_ns = self.work.settle(given, path, default_ns)
        if time_ns <= 0:
            message = f"`{path[-1]}` must be more than 0"
            self.work.fault(path, Code.INVALID_VALUE, message, hint="such as `500ms`")
        return time_ns

    def _probe(
        self,
        keys: Mapping[str, object],
        path: PlanPath,
        piece: object,
        *,
        expect: Expect | None = None,
        reads_body: bool = False,
    ) -> Exchange | None:
        """Compile a request that is no load; the names in `piece` must be known before the run."""
        if not self.work.check_all(piece, path, self.work.constant_names):
            return None
        compile_probe = self.probes.plugin.compile_probe
        assert compile_probe is not None
        compiled = compile_probe(
            keys,
            expect=expect,
            reads_body=reads_body,
            constants=self.work.constants,
            settings=self.probes.settings,
            files=self.plan.files_at(path),
        )
        for fault in compiled.faults:
            where = (*path, *fault.path)
            self.work.fault(where, fault.code, fault.message, hint=fault.hint)
        for notice in compiled.notices:
            self.work.notice((*path, *notice.path), notice.message)
        return compiled.exchange

    def _pattern(self, text: str | None, path: PlanPath) -> Pattern | None:
        if text is None:
            return None
        try:
            pattern = compile_pattern(text, multiline=True)
        except PatternError as error:
            message, hint = broken_pattern(text, error)
            self.work.fault(path, Code.INVALID_VALUE, message, hint=hint)
            return None
        if pattern.lacks:
            self.work.notice(path, slow_pattern(text, pattern))
        return pattern

    def monitors(self) -> tuple[MonitorNode, ...]:
        """Return what the plan watches beside its services."""
        models = self.plan.model.monitors or {}
        found = (self._monitor(name, model) for name, model in models.items())
        return tuple(node for node in found if node is not None)

    def _monitor(self, name: str, model: MonitorModel) -> MonitorNode | None:
        path: PlanPath = ("monitors", name)
        work = self.work
        if model.host is not None:
            return MonitorNode(name, is_host=True, metrics=tuple(dict.fromkeys(model.host)))
        metrics = tuple(dict.fromkeys(model.metrics or ("cpu", "rss")))
        if model.pid is not None:
            pid = work.settle(model.pid, (*path, "pid"), 1)
            return MonitorNode(name, pid=pid, metrics=metrics)
        if model.command is not None:
            where = (*path, "command")
            text = work.constant_text(model.command, where, work.constant_names)
            return MonitorNode(name, command=self._pattern(text, where), metrics=metrics)
        return self._prometheus(name, model, path)

    def _prometheus(self, name: str, model: MonitorModel, path: PlanPath) -> MonitorNode | None:
        assert model.prometheus is not None
        assert model.query is not None
        work, names = self.work, self.work.constant_names
        url = work.constant_text(model.prometheus, (*path, "prometheus"), names)
        query = work.constant_text(model.query, (*path, "query"), names)
        every_ns = self._time(model.every, (*path, "every"), _ASK_NS)
        if url is None or query is None:
            return None
        keys = {
            "get": f"{url.rstrip('/')}/api/v1/query".replace("${", "$${"),
            "query": {"query": query.replace("${", "$${")},
        }
        accepted = Expect.model_validate({"status": 200})
        exchange = self._probe(keys, path, None, expect=accepted, reads_body=True)
        return MonitorNode(name, query=exchange, every_ns=every_ns)


def _services(models: Mapping[str, ServiceModel]) -> str:
    return "services: " + ", ".join(f"`{name}`" for name in models)


def gauges_of(services: Sequence[ServiceNode], monitors: Sequence[MonitorNode]) -> list[str]:
    """Return the gauges that thresholds may name."""
    return [
        *(f"service.{node.name}.{metric}" for node in services for metric in node.monitor),
        *(gauge for node in monitors for gauge in node.gauges),
    ]
