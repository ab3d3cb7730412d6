"""Services and monitors: what a plan says of them, and every fault at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner import demo
from planrunner.compiler.services import DEMOS
from planrunner.explain.explain import target_words
from planrunner.graph.run_graph import RunGraph, ServiceNode
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.plans import compiled, findings

SCOPE = {"run": {"id": "r1", "dir": "/runs/r1", "seed": 7}}


def services(*sections: str, **more: object) -> dict[str, ServiceNode]:
    graph = compiled(*sections, **more)
    return {node.name: node for node in graph.services}


def command(node: ServiceNode) -> list[str]:
    return [
        "".join(part if isinstance(part, str) else str(part(SCOPE)) for part in word)
        for word in node.command
    ]


class TestCommands:
    def test_a_command_is_split_as_a_shell_would(self) -> None:
        """Quotes keep words together; there is no shell."""
        api = services("services: {api: {run: \"node 'my app.js' --x='a b' $HOME\"}}")["api"]

        assert command(api) == ["node", "my app.js", "--x=a b", "$HOME"]

    def test_a_value_never_becomes_two_words(self) -> None:
        """Whatever a param holds, it is one argument."""
        plan = """
            params: {title: {type: str, default: "a b; rm c"}}
            services: {api: {run: "serve ${title} --run ${run.id}"}}
        """

        assert command(services(plan)["api"]) == ["serve", "a b; rm c", "--run", "r1"]

    def test_a_service_knows_its_own_port(self) -> None:
        """In its command, its variables and its `ready`; the reference's example is such a plan."""
        plan = """
            services:
              db: {run: "db", port: auto}
              api:
                run: "api --port ${port}"
                env: {PORT: "${port}"}
                port: auto
                ready: {get: "http://127.0.0.1:${port}/health"}
        """

        api = services(plan, ports={"db": 7001, "api": 7002})["api"]

        assert command(api) == ["api", "--port", "7002"]
        assert {name: value({}) for name, value in api.environment} == {"PORT": 7002}
        assert api.ready is not None
        assert api.ready.get is not None
        assert str(api.ready.get.operation.url.origin) == "http://127.0.0.1:7002"

    def test_a_param_called_port_stays_what_it_is(self) -> None:
        """Plans had one before services had their own."""
        plan = """
            params: {port: {type: int, default: 99}}
            services: {api: {run: "api ${port}", port: 8123}}
        """

        assert command(services(plan)["api"]) == ["api", "99"]

    def test_ports_and_urls_of_services_are_names(self) -> None:
        """Its own and those of others, once the ports are known."""
        plan = """
            services:
              db:  {run: "db --port ${services.db.port}", port: auto}
              api: {run: "api ${services.api.url} ${services.db.port}", port: 8123, needs: [db]}
        """

        found = services(plan, ports={"db": 7001, "api": 7002})

        assert command(found["db"]) == ["db", "--port", "7001"]
        assert command(found["api"]) == ["api", "http://127.0.0.1:8123", "7001"]
        assert (found["db"].port, found["api"].port) == (7001, 8123)

    def test_variables_that_are_null_are_left_out(self) -> None:
        """An optional param is an optional variable."""
        plan = """
            params: {token: {type: str, default: null}}
            services: {api: {run: serve, env: {TOKEN: "${token}", LEVEL: 3, ID: "${run.id}"}}}
        """

        found = services(plan)["api"].environment

        assert {name: evaluate(SCOPE) for name, evaluate in found} == {"LEVEL": 3, "ID": "r1"}

    def test_only_who_asks_gets_a_directory(self) -> None:
        """It is below one that belongs to the run."""
        plan = 'services: {db: {run: "db ${services.db.dir}/data"}, api: {run: api}}'

        found = services(plan, scratch=Path("/tmp/scratch"))

        assert found["db"].scratch == Path("/tmp/scratch/db")
        assert command(found["db"]) == ["db", "/tmp/scratch/db/data"]
        assert found["api"].scratch is None

    def test_it_runs_where_the_plan_is(self) -> None:
        """`cwd` is relative to that too."""
        found = services("services: {a: {run: a}, b: {run: b, cwd: ../web}}")

        assert found["a"].directory == Path.cwd()
        assert found["b"].directory == Path.cwd() / "../web"

    def test_an_embedded_server_is_a_command_like_others(self) -> None:
        """Its port is chosen unless the plan says one."""
        shop = services("services: {shop: {demo: shop}}", ports={"shop": 7003})["shop"]

        assert command(shop) == ["planrunner", "demo", "shop", "--port", "7003"]
        assert shop.ready is not None


class TestReady:
    def test_a_service_with_a_port_is_ready_when_it_accepts(self) -> None:
        """One without a port is ready at once."""
        found = services("services: {a: {run: a, port: 8123}, b: {run: b}}")

        assert found["a"].ready is not None
        assert found["a"].ready.tcp == "127.0.0.1:8123"
        assert found["b"].ready is None

    def test_what_the_plan_says_counts(self) -> None:
        """How often, how long, and what answer."""
        plan = """
            services:
              a:
                run: a
                ready: {get: "http://127.0.0.1:81/up", expect: {status: [200, 404]},
                        every: 100ms, timeout: 9s}
              b: {run: b, ready: {log: "listening on \\\\d+"}}
              c: {run: c, ready: {tcp: "localhost:5432"}, stop: {signal: INT, grace: 1s}}
        """

        found = services(plan)

        ready = found["a"].ready
        assert ready is not None
        assert ready.get is not None
        assert ready.get.accept == {200, 404}
        assert (ready.every_ns, ready.timeout_ns) == (100 * NS_PER_MS, 9 * NS_PER_S)
        assert found["b"].ready is not None
        assert found["b"].ready.log is not None
        assert found["b"].ready.log.is_in("now listening on 80")
        assert found["c"].ready is not None
        assert found["c"].ready.tcp == "localhost:5432"
        assert (found["c"].stop_signal, found["c"].grace_ns) == ("INT", NS_PER_S)

    def test_probes_carry_no_headers_of_the_load(self) -> None:
        """They are no load, and a service needs no credentials to say that it is there."""
        plan = """
            http: {base_url: "http://127.0.0.1:1", headers: {Authorization: secret}}
            services: {a: {run: a, ready: {get: "http://127.0.0.1:81/up"}}}
        """
        ready = services(plan)["a"].ready

        assert ready is not None
        assert ready.get is not None
        assert "secret" not in repr(ready.get.operation)


class TestOrder:
    def test_a_service_comes_after_those_it_needs(self) -> None:
        """Otherwise the order is the plan's."""
        plan = """
            services:
              web: {run: a, needs: [api, cache]}
              log: {run: a}
              api: {run: a, needs: [db]}
              db: {run: a}
              cache: {run: a}
        """

        assert list(services(plan)) == ["db", "api", "cache", "web", "log"]

    def test_services_that_need_each_other_are_a_fault(self) -> None:
        """The circle is named."""
        plan = "services: {a: {run: a, needs: [b]}, b: {run: b, needs: [a]}}"

        [found] = findings(plan)

        assert found.code == "reference-cycle"
        assert found.message == "services need each other in a circle: a → b → a"

    def test_a_service_that_is_not_there_is_a_fault(self) -> None:
        """With the one that was meant."""
        [found] = findings("services: {database: {run: a}, api: {run: b, needs: [databse]}}")

        assert found[:3] == ("unknown-name", "databse", "unknown service `databse`")
        assert "did you mean `database`?" in found.hint


@pytest.mark.parametrize(
    ("services_text", "code", "marked", "message"),
    [
        ("{a: {cwd: x}}", "missing-key", "", "what to start"),
        ("{a: {run: a, demo: shop}}", "conflicting-keys", "", ""),
        ("{a: {demo: shop, cwd: x}}", "conflicting-keys", "cwd",
         "`cwd` can't be combined with `demo`"),
        ("{a: {demo: shpo}}", "unknown-name", "shpo", "no demo `shpo`"),
        ("{a: {run: 'x ${prot}'}}", "unknown-name", "prot", "unknown name `prot`"),
        ("{a: {run: 'x ${rand.int(1, 2)}'}}", "not-allowed", "rand", ""),
        ("{a: {run: \"x 'y\"}}", "", "", ""),
        ("{a: {run: a, port: 0}}", "invalid-value", "0", ""),
        ("{a: {run: a, port: some}}", "", "some", ""),
        ("{a: {run: a, port: 65536}}", "invalid-value", "65536", "`65536` is not a port"),
        ("{a: {run: a, port: 81}, b: {run: b, port: 81}}", "invalid-value", "81",
         "`a` listens on port 81"),
        ("{a: {run: 'x ${services.a.port}'}}", "unknown-name", "services.a.port",
         "the service `a` has no port"),
        ("{a: {run: a, ready: {tcp: 'a:70000'}}}", "invalid-value", "'a:70000'", "not an address"),
        ("{a: {run: a, ready: {tcp: 'a:1', timeout: 0s}}}", "invalid-value", "0s", "more than 0"),
        ("{a: {run: a, ready: {tcp: 'a:1', every: 0s}}}", "invalid-value", "0s", "more than 0"),
        ("{a: {run: a, ready: {}}}", "missing-key", "", "when the service is ready"),
        ("{a: {run: a, ready: {tcp: here}}}", "invalid-value", "here", "`here` is not an address"),
        ("{a: {run: a, ready: {log: '('}}}", "invalid-value", "'('", "not a regular expression"),
        ("{a: {run: a, ready: {tcp: 'a:1', expect: {status: 200}}}}", "conflicting-keys", "expect",
         "`expect` is only for `get`"),
        ("{a: {run: a, stop: {signal: STOP}}}", "invalid-value", "STOP", ""),
        ("{a: {run: a, monitor: [cpu, ram]}}", "invalid-value", "ram", ""),
    ],
)  # fmt: skip
def test_a_fault_of_a_service_is_said_at_its_place(
    services_text: str, code: str, marked: str, message: str
) -> None:
    """Before anything is started."""
    [found] = findings(f"services: {services_text}")

    assert message in found.message
    if code:
        assert found.code == code
    if marked:
        assert found.marked == marked


class TestMonitors:
    def test_each_kind_has_its_gauges(self) -> None:
        """Thresholds know them by these names."""
        graph: RunGraph = compiled("""
            monitors:
              heap: {prometheus: "http://127.0.0.1:9090/", query: 'heap{job="${x}"}', every: 2s}
              db: {command: "postgres: .*", metrics: [rss, rss]}
              app: {pid: 4711}
              box: {host: [cpu, disk]}
            params: {x: {type: str, default: api}}
        """)

        heap, db, app, box = graph.monitors
        assert [node.gauges for node in (heap, db, app, box)] == [
            ("monitor.heap",),
            ("monitor.db.rss",),
            ("monitor.app.cpu", "monitor.app.rss"),
            ("monitor.box.cpu", "monitor.box.disk"),
        ]
        assert heap.every_ns == 2 * NS_PER_S
        assert heap.query is not None
        assert "value='heap{job=\"api\"}'" in repr(heap.query.operation)
        assert (app.pid, db.command is not None, box.is_host) == (4711, True, True)

    @pytest.mark.parametrize(
        ("monitor", "code", "marked"),
        [
            ("{}", "missing-key", ""),
            ("{prometheus: 'http://p'}", "missing-key", ""),
            ("{pid: 1, host: [cpu]}", "conflicting-keys", ""),
            ("{pid: 1, every: 2s}", "conflicting-keys", "every"),
            ("{host: [gpu]}", "invalid-value", "gpu"),
            ("{command: '['}", "invalid-value", "'['"),
            ("{prometheus: 'http://p', query: up, every: 0s}", "invalid-value", "0s"),
            ("{prometheus: '${p}', query: up}", "unknown-name", "p"),
        ],
    )
    def test_a_fault_of_a_monitor_is_said_at_its_place(
        self, monitor: str, code: str, marked: str
    ) -> None:
        """With the code that the diagnostics page explains."""
        [found] = findings(f"monitors: {{m: {monitor}}}")

        assert found.code == code
        if marked:
            assert found.marked == marked


def test_explain_says_what_is_started_and_watched() -> None:
    """In the order of the start; a long command is cut, a port not chosen yet is `auto`."""
    graph = compiled(
        """
        services:
          api: {run: "serve ${services.api.port} {long}", port: auto, needs: [db], monitor: [cpu]}
          db: {run: db, ready: {log: "up$", timeout: 1m}}
          web: {run: web, port: 8080, ready: {get: "http://127.0.0.1:8080/"}}
          shop: {demo: shop, monitor: [cpu, rss]}
        monitors:
          box: {host: [cpu, disk]}
          app: {pid: 4711}
          pg: {command: "postgres: ", metrics: [rss]}
          heap: {prometheus: "http://p", query: heap}
    """.replace("{long}", "x" * 99)
    )

    assert list(target_words(graph)) == [
        "starts service db: db",
        "  waits up to 1m until it prints `up$`",
        "starts service api: serve ${services.api.port} " + "x" * 42 + "…",
        "  listens on port auto",
        "  waits up to 30s until its port accepts connections",
        "  measures its cpu",
        "starts service web: web",
        "  listens on port 8080",
        "  waits up to 30s until its URL answers as expected",
        "starts service shop: planrunner demo shop",
        "  listens on port auto",
        "  waits up to 15s until it prints `listens on `",
        "  measures its cpu and rss",
        "watches box: cpu and disk of this machine",
        "watches app: cpu and rss of process 4711",
        "watches pg: rss of processes that match `postgres: `",
        "watches heap: a Prometheus query every 5s",
    ]


class TestThresholds:
    PLAN = """
        services: {api: {run: api, monitor: [cpu, rss]}, quiet: {run: quiet}}
        monitors: {heap: {prometheus: "http://p", query: q}, box: {host: [cpu]}}
    """

    @pytest.mark.parametrize(
        "threshold",
        [
            "service.api.cpu < 80%",
            "max of service.api.cpu < 150%",
            "p95 of service.api.rss < 1GiB",
            "growth of service.api.rss over 10m < 100MB",
            "growth of service.api.rss in phase main < 10MB",
            "monitor.heap < 12.5",
            "growth of monitor.heap < 5",
            "monitor.box.cpu < 90%",
            "max of generator.loop_lag < 20ms",
        ],
    )
    def test_what_is_measured_can_be_judged(self, threshold: str) -> None:
        """In its unit, with windows and phases as anything else."""
        [judged] = compiled(self.PLAN, f"thresholds: ['{threshold}']").thresholds

        assert str(judged.metric.gauge) in threshold
        assert not judged.not_applicable

    @pytest.mark.parametrize(
        ("threshold", "marked", "hint"),
        [
            ("service.api.cup < 80%", "api.cup", "did you mean `service.api.cpu`?"),
            ("growth of service.apo.rss < 1MB", "apo.rss", "did you mean `service.api.rss`?"),
            ("monitor.heep < 3", "heep", "did you mean `monitor.heap`?"),
            (
                "monitor.a_queue_of_ours < 3",
                "a_queue_of_ours",
                "the plan has `monitor.heap`, `monitor.box.cpu`",
            ),
        ],
    )
    def test_a_gauge_that_is_not_measured_is_a_fault(
        self, threshold: str, marked: str, hint: str
    ) -> None:
        """Instead of a threshold that never sees a value."""
        [found] = findings(self.PLAN, f"thresholds: ['{threshold}']")

        assert (found.code, found.marked, found.hint) == ("unknown-selector", marked, hint)
        assert "is not measured" in found.message

    def test_where_nothing_is_measured_the_hint_says_how(self) -> None:
        """The key is easily missed."""
        [found] = findings("services: {api: {run: api}}", "thresholds: [service.api.cpu < 80%]")

        assert found.message == "`service.api.cpu` is not measured"
        assert found.hint == "write `monitor: [cpu, rss]` in the service"


def test_the_demos_are_those_that_there_are() -> None:
    """The compiler knows their names without importing a server."""
    assert tuple(sorted((*demo.DEMOS, *demo.GRPC_DEMOS))) == DEMOS
