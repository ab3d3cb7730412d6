"""WebSocket steps to exchanges: where they go, what they stand on, which connections they know."""

from __future__ import annotations

import pytest

from planrunner.graph.run_graph import RequestNode, RunGraph, TaskProgram, walk_steps
from planrunner.protocols.registry import named
from planrunner.protocols.ws.operation import ConnectAction
from tests.support.plans import compiled, findings

BASE = 'http: {base_url: "https://shop.test/api"}'


def handshakes(graph: RunGraph) -> list[str]:
    """Return where the connections of each class go."""
    found = []
    for user in graph.users:
        for node in walk_steps([*user.on_start, *user.tasks[0].steps]):
            if isinstance(node, RequestNode) and isinstance(node.exchange.operation, ConnectAction):
                url = node.exchange.operation.request.operation.url
                parts = "".join(part if isinstance(part, str) else "…" for part in url.parts)
                found.append(f"{url.origin}{parts}")
    return found


@pytest.mark.parametrize(
    ("settings", "url", "goes"),
    [
        (BASE, "/chat", "https://shop.test/api/chat"),
        (BASE, '"/chat?room=${iteration}"', "https://shop.test/api/chat?room=…"),
        (BASE, "ws://other.test:81/x", "http://other.test:81/x"),
        (BASE, "WSS://other.test", "https://other.test/"),
        (f'{BASE}\nws: {{url: "ws://own.test/v1/"}}', "/chat", "http://own.test/v1/chat"),
        ("params: {p: {type: int, default: 7}}", '"ws://h.test:${p}/"', "http://h.test:7/"),
        (BASE, '"${run.id}"', "None…"),
    ],
)
def test_where_a_handshake_goes(settings: str, url: str, goes: str) -> None:
    """Below `ws.url`, or else `http.base_url`; with TLS where these say so."""
    graph = compiled(settings, f"users: {{A: {{steps: [{{ws.connect: {url}}}]}}}}")

    assert handshakes(graph) == [goes]


def test_a_class_stands_on_its_own_http() -> None:
    """Whether it says anything of WebSockets or not."""
    graph = compiled(
        BASE,
        """
users:
  A: {steps: [{ws.connect: /a}]}
  B: {http: {base_url: "http://b.test"}, steps: [{ws.connect: /a}]}
  C: {ws: {compress: false}, steps: [{ws.connect: /a}]}
""",
    )
    settings = {name: graph.settings[name] for name in ("ws", "ws:B", "ws:C")}

    assert handshakes(graph) == [
        "https://shop.test/api/a",
        "http://b.test/a",
        "https://shop.test/api/a",
    ]
    assert [one.compresses for one in settings.values()] == [True, True, False]
    assert settings["ws:B"].http is graph.settings["http:B"]
    (host,) = named("ws").hosts(next(_requests(graph)).exchange, settings["ws"])
    assert host.name == "shop.test"
    (place,) = named("ws").reach(settings["ws:B"])
    assert place.addresses == (("b.test", 80),)


def _requests(graph: RunGraph):  # type: ignore[no-untyped-def]  # of nodes
    return (node for node in walk_steps(graph.users[0].tasks[0].steps))


def test_connections_are_known_on_the_way() -> None:
    """Whatever may have opened one before: a branch, a flow, a loop, `on_start`."""
    compiled(
        BASE,
        """
flows:
  enter: {do: [{ws.connect: {url: /in, on: inside}}]}
users:
  A:
    on_start: [{ws.connect: {url: /kept, on: kept}}]
    steps:
      - call: enter
      - repeat: 2
        do:
          - {ws.receive: {on: later, timeout: 1s}, when: user.iteration > 0}
          - if: iteration > 1
            then: [{ws.connect: {url: /later, on: later}}]
      - ws.send: {on: inside, text: x}
      - ws.receive: {on: kept}
      - ws.close: {on: inside}
      - ws.close: {on: later}
      - ws.send: to the one that is left
    on_stop: [{ws.close: {}}]
""",
    )


def test_steps_are_called_after_their_connection() -> None:
    """As far as the plan says which it is: a flow may be called with any."""
    graph = compiled(
        BASE,
        """
flows:
  say: {do: [{ws.send: {text: x, measure: true}}]}
  own: {do: [{ws.connect: {url: /own, on: x}}, {ws.receive: {on: x}}]}
users:
  A:
    on_start: [{ws.connect: {url: /kept, on: kept}}]
    tasks:
      - task: a
        steps:
          - ws.connect: {url: /a, on: own}
          - ws.receive: {on: own}
          - ws.receive: {on: kept}
          - ws.close: {on: own, measure: true}
          - ws.receive: {}
          - ws.receive: {name: mine}
          - call: say
      - task: b
        steps: [{call: own}, {ws.receive: {on: kept}}]
""",
    )
    a, b = graph.users[0].tasks

    assert names_in(a) == [
        "ws.connect /a",
        "ws.receive /a",
        "ws.receive /kept",
        "ws.close /a",
        "ws.receive /kept",
        "mine",
        "ws.send",
    ]
    assert names_in(b) == ["ws.connect /own", "ws.receive /own", "ws.receive /kept"]


def names_in(task: TaskProgram) -> list[str]:
    return [node.name for node in walk_steps(task.steps) if isinstance(node, RequestNode)]


def test_what_http_reads_must_be_known_at_a_handshake() -> None:
    """And at no other step: only handshakes have headers."""
    settings = 'http: {base_url: "http://a.test", headers: {X-Token: "${token}"}}'
    extracting = "{ws.receive: {extract: {token: $.t}}}"
    early = findings(settings, f"users: {{A: {{steps: [{{ws.connect: /a}}, {extracting}]}}}}")
    own = "{ws.connect: {url: /a, headers: {X-Token: none}}}"

    assert [finding.message for finding in early] == ["unknown name `token`"]
    compiled(settings, f"users: {{A: {{steps: [{own}, {extracting}]}}}}")


def test_what_lasts() -> None:
    """A connection ends with the iteration that it is opened in, unless it is kept."""
    graph = compiled(
        BASE,
        """
users:
  A:
    on_start: [{ws.connect: {url: /a, on: a}}]
    steps: [{ws.connect: {url: /b, on: b}}, {ws.connect: {url: /c, on: c, keep: user}}]
""",
    )
    user = graph.users[0]
    steps = walk_steps([*user.on_start, *user.tasks[0].steps])

    assert [node.exchange.operation.is_kept for node in steps if isinstance(node, RequestNode)] == [
        True,
        None,
        True,
    ]
