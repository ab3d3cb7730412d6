"""Socket.IO of Artillery: its frames over a WebSocket."""

from __future__ import annotations

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.formats.artillery.steps.socketio import json_text
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate

T, S, C, L = Fate.TRANSLATED, Fate.SUSPICIOUS, Fate.CHANGED, Fate.LEFT_OUT


def run(flow: str, options: str = "transports: [websocket]", target: str = "http://a") -> Imported:
    test = (
        f"config: {{target: '{target}', socketio: {{{options}}},"
        " phases: [{duration: 1, arrivalRate: 1}]}\n"
        f"scenarios: [{{engine: socketio, flow: [{flow}]}}]\n"
    )
    file = SourceFile(None, "load.yml", test.encode())
    return import_files([file], format_name="artillery", options=ImportOptions())


def fate(imported: Imported, words: str) -> Fate | None:
    found = [one.fate for one in imported.ledger.constructs if one.words.endswith(words)]
    return found[0] if found else None


EMITS = [
    ("{emit: {channel: c, data: d}}", ['42["c","d"]'], "emit.data", T),
    ("{emit: [c, {a: 1}, 2]}", ['42["c",{"a":1},2]'], "emit", T),
    ("{emit: {channel: c}}", ['42["c",null]'], "emit.channel", T),
    (
        "{emit: {channel: c, data: {k: 'r{{ $randomNumber(1, 9) }}'}}}",
        ["${('r' ~ (rand.int(1, 9))) | json}"],
        "emit.data",
        T,
    ),
    (
        "{emit: {channel: c, data: d}, namespace: /x}",
        ["ws.send: 40/x,", "body[:5] == '40/x,'", "42/x,["],
        "namespace",
        T,
    ),
    (
        "{emit: {channel: c, data: d}, response: {channel: r, data: yes!}}",
        ["name: r", "'yes!' in body", "timeout: 10s"],
        "response",
        T,
    ),
    (
        "{emit: {channel: c, data: d}, acknowledge: {match: {json: $.0, value: 1}}}",
        ["420[", "body[:4] == '430['"],
        "acknowledge.match",
        L,
    ),
    ("{emit: {channel: c, data: d, response: {channel: r}}}", ["42["], "emit.response", S),
    ("{loop: [{think: 3}], count: 2}", ["repeat: 2", 'ws.send: "3"'], "loop", T),
    ("{think: 50}", ["repeat: 2", "think: 20s", "think: 10s"], "think", T),
    ("{get: {url: /a}}", ["get: /a"], "url", T),
]


@pytest.mark.parametrize(("flow", "texts", "words", "expected"), EMITS, ids=[x[0] for x in EMITS])
def test_emits(flow: str, texts: list[str], words: str, expected: Fate) -> None:
    """Each emit is a frame, and each answer a message that is waited for."""
    imported = run(flow)

    text = imported.text.replace("\\", "")
    assert [one for one in texts if one not in text] == []
    assert fate(imported, words) is expected


def test_the_connection_is_that_of_the_client() -> None:
    """Its path, query, headers and credentials; a path of the target is a namespace."""
    flow = "{emit: {channel: c, data: d}}"
    imported = run(flow, "path: /io/, query: {v: 1}, extraHeaders: {A: b}, auth: {token: t}")

    assert "/io/?EIO=4&transport=websocket&v=1" in imported.text
    assert "headers: {A: b}" in imported.text
    assert '40{"token":' in imported.text.replace("\\", "")
    assert fate(imported, "engine") is C
    assert check(imported) == ()

    named = run(flow, target="https://a/chat")
    assert "wss://a/socket.io/?EIO=4&transport=websocket" in named.text
    assert "40/chat," in named.text
    assert fate(named, "engine") is T


def test_values_are_json_when_they_are_sent() -> None:
    """Quotes of texts are escaped; what stands alone in a template keeps its type."""
    assert json_text({"a": 'x"y', "b": [1, None]}) == '{"a":"x\\"y","b":[1,null]}'
    assert json_text("${n}") == "${((n)) | json}"
    assert json_text("$${n}") == '"$${n}"'
