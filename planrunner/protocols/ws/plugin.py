"""WebSocket as a protocol: connect, send, receive and close, over the plan's HTTP."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import CONNECT, SIZE, Measure
from planrunner.protocols.base import FailureKind
from planrunner.protocols.plugin import Action, Plugin, Settings, lazily
from planrunner.protocols.ws.reply import STATUSES, status_text, write_unmatched

__all__ = ["PLUGIN", "UNMATCHED"]

_SPEC: Final = "planrunner.protocols.ws.spec"

UNMATCHED: Final = Measure(
    "unmatched",
    meaning="messages that came during a `ws.receive`, or waited for it, and did not fit",
    noun="number of messages that did not fit",
    unit=Unit.NUMBER,
    example="max unmatched of echo < 100",
    write=write_unmatched,
)

PLUGIN: Final = Plugin(
    name="ws",
    title="WebSocket",
    actions={
        "ws.connect": Action(
            f"{_SPEC}:WsConnect",
            "WebSocket: open a connection; its handshake is a sample.",
            "{url: /chat, subprotocols: [chat.v1]}",
            connection="opens",
        ),
        "ws.send": Action(
            f"{_SPEC}:WsSend",
            "WebSocket: send a message; a sample only with `measure: true`.",
            "{json: {type: say, text: hello}}",
            connection="uses",
            is_step=True,
        ),
        "ws.receive": Action(
            f"{_SPEC}:WsReceive",
            "WebSocket: wait for a message; the time since the last one sent is a sample.",
            "{until: json.type == 'said', timeout: 2s}",
            connection="uses",
        ),
        "ws.close": Action(
            f"{_SPEC}:WsClose",
            "WebSocket: close a connection, and wait until the server has closed it too.",
            "{code: 1000}",
            connection="ends",
            is_step=True,
        ),
    },
    settings=Settings(
        model=f"{_SPEC}:WsModel",
        description="How `ws.*` steps connect; the rest is as `http:` says.",
        example="{url: 'ws://127.0.0.1:8000', ping: 20s}",
        class_description="WebSocket settings of this class; they override the plan's.",
        class_example="{subprotocols: [chat.v2]}",
    ),
    builds_on="http",
    compile_settings=lazily("planrunner.protocols.ws.compile:compile_settings"),
    compile_request=lazily("planrunner.protocols.ws.compile:compile_exchange"),
    replaces=lazily("planrunner.protocols.ws.compile:replaces"),
    clients={"picows": "planrunner.protocols.ws.clients.client:open"},
    choose_client=lazily("planrunner.protocols.ws.target:choose_client"),
    hosts=lazily("planrunner.protocols.ws.target:hosts"),
    reach=lazily("planrunner.protocols.ws.target:reach"),
    transport=lazily("planrunner.protocols.ws.target:describe_transport"),
    status_text=status_text,
    statuses=STATUSES,
    failures={
        FailureKind.DNS: "the host's name doesn't resolve",
        FailureKind.CONNECT: "nothing accepts the connection; or a step needs a connection that "
        "could not be opened, or is closed, and ends its iteration",
        FailureKind.TLS: "the handshake of TLS failed, or the certificate isn't trusted",
        FailureKind.TIMEOUT: "no answer to the handshake, no message that fits, or no end of the "
        "connection within the timeout",
        FailureKind.RESET: "the connection ended, without a close code or with 1000 or 1001, "
        "before the message came",
        FailureKind.PROTOCOL: "the handshake isn't one, a frame is broken, or the server closed "
        "with a code from 1002, which is the status",
        FailureKind.TOO_LARGE: "a message is larger than `ws.max_size`, or more than "
        "`ws.max_queue` wait for a `ws.receive`",
        FailureKind.STATUS: "the server answered the handshake with another status than 101",
        FailureKind.ERROR: "two steps of `parallel` wait at the same connection",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "a required value isn't in the message",
    },
    piece_names=frozenset({"json", "body"}),
    measures={measure.word: measure for measure in (CONNECT, SIZE, UNMATCHED)},
)
