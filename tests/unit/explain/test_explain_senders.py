"""Which client sends what, and where to."""

from __future__ import annotations

from planrunner.explain.explain import explain_text
from tests.support.plans import compiled


def test_the_hosts_of_each_protocol_are_named_once() -> None:
    """Those that are known before the run: a user may make others."""
    graph = compiled(
        'http: {base_url: "https://shop.example"}',
        "ws: {url: wss://chat.example}",
        "sql: {url: 'postgresql://db.example/shop'}",
        "users: {A: {state: {host: a}, steps: [{get: /}, {get: /b}, {graphql: '{ a }', "
        "url: 'https://api.example/graphql'}, {get: 'https://${host}.example/'}, "
        "{ws.connect: /chat}, {sql.query: select 1}]}}",
    )

    lines = explain_text(graph).splitlines()

    sent = [at for at, line in enumerate(lines) if line.startswith("  sends ")]
    assert [lines[at].split()[1] for at in sent] == ["http", "ws", "sql"]
    assert [lines[at + 1] for at in sent] == [
        "    to shop.example, api.example",
        "    to chat.example",
        "    to db.example",
    ]
