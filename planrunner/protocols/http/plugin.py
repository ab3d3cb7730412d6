"""HTTP as a protocol: its verbs are the language's own, with their keys beside them."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.measures import CONNECT, SIZE, STREAMED, TTFB
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.headers import FRAMING, FRAMING_HINT
from planrunner.protocols.plugin import Action, Plugin, Settings, lazily

__all__ = ["PLUGIN"]

_SPEC: Final = "planrunner.protocols.http.spec"
_SETTINGS: Final = "planrunner.protocols.http.spec_settings"
_KEYS: Final = f"{_SPEC}:RequestKeys"

PLUGIN: Final = Plugin(
    name="http",
    title="HTTP",
    actions={
        "get": Action(_KEYS, "Send a GET to this URL.", "/items/${id}"),
        "post": Action(_KEYS, "Send a POST to this URL.", "/items"),
        "put": Action(_KEYS, "Send a PUT to this URL.", "/items/${id}"),
        "patch": Action(_KEYS, "Send a PATCH to this URL.", "/items/${id}"),
        "delete": Action(_KEYS, "Send a DELETE to this URL.", "/items/${id}"),
        "head": Action(_KEYS, "Send a HEAD to this URL.", "/items"),
        "options": Action(_KEYS, "Send an OPTIONS to this URL.", "/items"),
        "graphql": Action(_KEYS, "POST a GraphQL query.", "'query Models { models { id } }'"),
    },
    settings=Settings(
        model=f"{_SETTINGS}:HttpModel",
        description="Settings of all HTTP requests.",
        example="{base_url: 'http://localhost:8000', timeout: 10s}",
        class_description="HTTP settings of this class; they override the plan's.",
        class_example="{base_url: 'http://localhost:8001'}",
        per_request=True,
        inherited=frozenset({"expect", "pause", "tags"}),
        host_key="base_url",
    ),
    compile_settings=lazily("planrunner.protocols.http.compile.settings:compile_settings"),
    compile_request=lazily("planrunner.protocols.http.compile.exchange:compile_exchange"),
    clients={
        "wire": "planrunner.protocols.http.clients.http1.client:open",
        "httpx": "planrunner.protocols.http.clients.httpx.client:open",
    },
    choose_client=lazily("planrunner.protocols.http.target:choose_client"),
    is_beside=True,
    spoken="http/1.1",
    replaces=lazily("planrunner.protocols.http.compile.settings:replaces"),
    compile_probe=lazily("planrunner.protocols.http.compile.exchange:compile_probe"),
    hosts=lazily("planrunner.protocols.http.target:hosts"),
    reach=lazily("planrunner.protocols.http.target:reach"),
    ignored=lazily("planrunner.protocols.http.target:ignored_proxies"),
    caveat=lazily("planrunner.protocols.http.target:caveat"),
    fixed_headers=dict.fromkeys(FRAMING, FRAMING_HINT),
    failures={
        FailureKind.DNS: "the host's name doesn't resolve",
        FailureKind.CONNECT: "nothing accepts the connection",
        FailureKind.TLS: "the handshake failed, or the certificate isn't trusted",
        FailureKind.TIMEOUT: "no complete reply within the timeout",
        FailureKind.RESET: "the connection ended before the reply was complete",
        FailureKind.PROTOCOL: "the reply is not HTTP, or the redirects never end",
        FailureKind.TOO_LARGE: "the head, the body or all kept bodies are larger than the limits",
        FailureKind.STATUS: "a status that isn't accepted: by default anything but 2xx and 3xx",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "a required value isn't in the reply",
    },
    reply_names={
        "events": lazily("planrunner.protocols.http.replies.stream:count_events"),
        "event": lazily("planrunner.protocols.http.replies.stream:last_event"),
        "first_event": lazily("planrunner.protocols.http.replies.stream:seconds_to_first"),
        "last_event": lazily("planrunner.protocols.http.replies.stream:seconds_to_last"),
    },
    reply_words={
        "events": "after a `stream`: how many events or lines came",
        "event": "the last of them, with `data`, `name`, `id` and `json`",
        "first_event": "the seconds to the first of them",
        "last_event": "the seconds to the last of them",
    },
    gives_names=lazily("planrunner.protocols.http.replies.stream:is_stream"),
    piece_names=frozenset({"line"}),
    streaming="add `stream: events` to it",
    measures={measure.word: measure for measure in (TTFB, CONNECT, SIZE, *STREAMED)},
)
