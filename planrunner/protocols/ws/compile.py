"""Compile the plan's `ws:` block, and a step of it to an `Exchange`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.extras import look_for
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.values import to_text
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Exchange, TextParts
from planrunner.protocols.http.compile.request_line import (
    begin_hint,
    compile_headers,
    locate,
    merge_headers,
)
from planrunner.protocols.http.compile.settings import HttpDefaults
from planrunner.protocols.http.operation import Header, HttpOperation
from planrunner.protocols.http.replies.expect import Expected, compile_expect
from planrunner.protocols.http.replies.extract import compile_extract, secret_names
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.plugin import CompiledRequest, CompiledSettings
from planrunner.protocols.ws.contents import compile_content, compile_reason
from planrunner.protocols.ws.operation import (
    CloseAction,
    ConnectAction,
    ReceiveAction,
    SendAction,
    WsAction,
    WsSettings,
)
from planrunner.protocols.ws.reply import MESSAGE
from planrunner.protocols.ws.spec import WsClose, WsConnect, WsModel, WsReceive, WsRequest, WsSend
from planrunner.values import dataclass

__all__ = ["WsDefaults", "compile_exchange", "compile_settings", "replaces"]

_HTTP: Final = {"ws": "http", "wss": "https"}
_SCHEME: Final = re.compile(r"(?i)(wss?)://")
_ABSOLUTE: Final = re.compile(r"(?i)(wss?|https?)://")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_OF_A_MESSAGE: Final = ("status", "header", "url")
_OF_HANDSHAKES: Final = frozenset({"connection", "upgrade"})
_SWITCHING: Final = 101


@dataclass(frozen=True, slots=True)
class WsDefaults:
    """What steps start from.

    Attributes:
        http: What requests of HTTP start from, as handshakes do.
        headers: Of `ws.headers`, over those of `http`.
    """

    settings: WsSettings
    http: HttpDefaults
    headers: Mapping[str, Header | None]
    channel: str = "ws"


def compile_settings(
    model: WsModel | None,
    *,
    constants: Mapping[str, object],
    files: Files,
    over: WsDefaults | None = None,
    channel: str = "ws",
    base: HttpDefaults,
) -> CompiledSettings:
    """Compile the `ws:` block of a plan, or of a user class over it.

    `base` is what the same scope says of HTTP.
    """
    lowering = Lowering(constants, files)
    settings = WsSettings() if over is None else over.settings
    settings = replace(settings, http=base.settings)
    if over is None:
        settings = replace(settings, timeout_ns=base.settings.timeout_ns)
    headers = {} if over is None else dict(over.headers)
    if model is not None:
        settings = _written(model, settings, lowering)
        headers |= _headers(model, lowering)
    settings = replace(settings, headers=merge_headers(base.headers, headers))
    defaults = WsDefaults(settings, base, headers, channel)
    return CompiledSettings(settings, defaults, tuple(lowering.faults))


def _written(model: WsModel, settings: WsSettings, lowering: Lowering) -> WsSettings:
    timeout_ns = lowering.duration(model.timeout, ("timeout",), settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    subprotocols = settings.subprotocols
    if model.subprotocols is not None:
        subprotocols = _subprotocols(model.subprotocols, lowering)
    return replace(
        settings,
        url=settings.url if model.url is None else _base(model.url, lowering),
        subprotocols=subprotocols,
        ping_ns=lowering.duration(model.ping, ("ping",), settings.ping_ns),
        max_size=lowering.number(model.max_size, ("max_size",), settings.max_size),
        max_queue=lowering.number(model.max_queue, ("max_queue",), settings.max_queue),
        compresses=lowering.flag(("compress",), model.compress, default=settings.compresses),
        timeout_ns=timeout_ns,
    )


def _base(text: Text, lowering: Lowering) -> TextParts:
    parts = _as_http(lowering.parts(text, ("url",)))
    if not parts or (isinstance(parts[0], str) and not _ABSOLUTE.match(parts[0])):
        hint = "begin it with `ws://` or `wss://`"
        lowering.fault(("url",), Code.INVALID_VALUE, f"`{text.source}` is not a URL", hint)
    return parts


def _as_http(parts: TextParts) -> TextParts:
    """Return a URL as HTTP's, whose handshake it is; one that a user fills in, then."""
    if not parts:
        return parts
    first = parts[0]
    if isinstance(first, str):
        return (_http(first), *parts[1:])
    if len(parts) == 1:
        return (lambda scope: _http(to_text(first(scope))),)
    return (lambda scope: _http(to_text(first(scope))), *parts[1:])


def _http(url: str) -> str:
    return _SCHEME.sub(lambda found: f"{_HTTP[found[1].lower()]}://", url, count=1)


def _headers(spec: WsModel | WsConnect, lowering: Lowering) -> dict[str, Header | None]:
    """Compile headers; those that make a handshake of a request are the client's."""
    found = compile_headers(spec.headers, lowering, ("headers",))
    for name in spec.headers or {}:
        if name.lower() not in _OF_HANDSHAKES and not name.lower().startswith("sec-websocket-"):
            continue
        hint = "remove it"
        if name.lower() == "sec-websocket-protocol":
            hint = "write `subprotocols: [chat.v1]`"
        words = f"`{name}` cannot be set: the handshake says it"
        lowering.fault(("headers", name), Code.NOT_ALLOWED, words, hint, is_key=True)
    return found


def _subprotocols(texts: Sequence[Text], lowering: Lowering) -> tuple[str, ...]:
    found = []
    for index, text in enumerate(texts):
        path: SpecPath = ("subprotocols", index)
        word = lowering.constant(text, path)
        if word is not None and not _TOKEN.fullmatch(word):
            lowering.fault(path, Code.INVALID_VALUE, f"`{text.source}` can't be a subprotocol")
        found.append(word or "")
    return tuple(found)


def replaces(spec: WsModel | WsRequest, keys: tuple[str | int, ...]) -> bool:
    """Say whether a step, or the settings of a user class, need nothing of what `keys` set."""
    match keys:
        case ("headers", name, *_):
            own = getattr(spec, "headers", None) or {}
            return isinstance(spec, WsSend | WsReceive | WsClose) or any(
                str(name).lower() == one.lower() for one in own
            )
        case ("base_url", *_) if isinstance(spec, WsConnect):
            return bool(_ABSOLUTE.match(spec.url.source))
        case ("base_url", *_) if isinstance(spec, WsModel):
            return spec.url is not None
        case _:
            return isinstance(spec, WsSend | WsReceive | WsClose)


def compile_exchange(
    spec: WsRequest,
    *,
    action: str = "",
    constants: Mapping[str, object],
    defaults: WsDefaults,
    files: Files,
    reads: frozenset[str] = frozenset(),
) -> CompiledRequest:
    """Compile one step; see `CompileRequest`."""
    del reads  # a message is there anyhow
    lowering = Lowering(constants, files)
    with lowering.at(()):
        look_for("picows", "WebSocket")
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), defaults.settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    method = action.rpartition(".")[2]
    exchange = Exchange(
        protocol=defaults.channel,
        operation=None,
        method=method,
        accept=frozenset({MESSAGE}),
        checks=(),
        extractors=(),
        timeout_ns=timeout_ns,
        expected=("sent" if isinstance(spec, WsSend) else "closed",),
        is_step=isinstance(spec, WsSend | WsClose),
    )
    if isinstance(spec, WsConnect):
        exchange = _connect(spec, exchange, defaults, lowering)
    elif isinstance(spec, WsReceive):
        exchange = _receive(spec, exchange, lowering)
    else:
        exchange = replace(exchange, operation=_step(spec, lowering))
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def _step(spec: WsRequest, lowering: Lowering) -> WsAction:
    on = spec.on or ""
    if isinstance(spec, WsSend):
        render, is_text = compile_content(spec, lowering)
        return SendAction(on, render, is_text)
    assert isinstance(spec, WsClose)
    code = lowering.number(spec.code, ("code",), 1000)
    if code != 1000 and not 3000 <= code <= 4999:
        hint = "write 1000, or one from 3000 to 4999: the others say what went wrong"
        lowering.fault(("code",), Code.INVALID_VALUE, f"a client can't close with {code}", hint)
    return CloseAction(on, code, compile_reason(spec.reason, lowering))


# -- receive -----------------------------------------------------------------------------------


def _receive(spec: WsReceive, exchange: Exchange, lowering: Lowering) -> Exchange:
    for name in sorted(set() if spec.expect is None else spec.expect.model_fields_set):
        if name in _NOT_OF_A_MESSAGE:
            hint = "a message has json, contains, not_contains, matches, not_matches, schema, time"
            words = f"a message has no `{name}` to expect something of"
            lowering.fault(("expect", name), Code.NOT_ALLOWED, words, hint, is_key=True)
    for name, one in (spec.extract or {}).items():
        for source in ("header", "cookie"):
            if getattr(one, source, None) is not None:
                words = f"a message has no {source}"
                hint = "take it from the handshake: `extract` of `ws.connect`"
                lowering.fault(("extract", name, source), Code.NOT_ALLOWED, words, hint)
    expected = compile_expect(spec.expect, lowering)
    until = None
    if spec.until is not None:
        with lowering.at(("until",)):
            until = spec.until.lower(lowering.constants).evaluate
    return replace(
        _expecting(exchange, expected, "a message"),
        operation=ReceiveAction(spec.on or "", until, lowering.number(spec.count, ("count",), 1)),
        extractors=compile_extract(spec.extract, lowering),
        extracted=tuple(spec.extract or ()),
        secrets=secret_names(spec.extract),
    )


def _expecting(exchange: Exchange, expected: Expected, status: str) -> Exchange:
    return replace(
        exchange,
        checks=expected.checks,
        soft_checks=expected.soft_checks,
        expected=(status, *expected.words[1:]),
        softly_expected=expected.soft_words,
    )


# -- connect -----------------------------------------------------------------------------------


def _connect(
    spec: WsConnect, exchange: Exchange, defaults: WsDefaults, lowering: Lowering
) -> Exchange:
    states = spec.expect is not None and spec.expect.status is not None
    expected = compile_expect(spec.expect, lowering)
    subprotocols = defaults.settings.subprotocols
    if spec.subprotocols is not None:
        subprotocols = _subprotocols(spec.subprotocols, lowering)
    request = replace(
        exchange,
        protocol=defaults.http.channel,
        operation=_handshake(spec, defaults, lowering),
        method="GET",
    )
    exchange = _expecting(exchange, expected, expected.words[0] if states else "status 101")
    return replace(
        exchange,
        operation=ConnectAction(
            spec.on or "", request, subprotocols, None if spec.keep is None else spec.keep == "user"
        ),
        accept=expected.accept if states else frozenset({_SWITCHING}),
        states_status=expected.states_status,
        extractors=compile_extract(spec.extract, lowering),
        extracted=tuple(spec.extract or ()),
        secrets=secret_names(spec.extract),
    )


def _handshake(spec: WsConnect, defaults: WsDefaults, lowering: Lowering) -> HttpOperation:
    http, settings = defaults.http, defaults.settings
    base = settings.url or http.settings.base_url
    parts = _as_http(lowering.parts(spec.url, ("url",)))
    if not base and parts and isinstance(parts[0], str) and parts[0].startswith("/"):
        hint = "set `http.base_url` or `ws.url`, or write the whole URL"
        words = f"`{spec.url.source}` has no host"
        lowering.fault(("url",), Code.MISSING_KEY, words, hint)
    if (
        parts
        and isinstance(parts[0], str)
        and not (parts[0].startswith("/") or _ABSOLUTE.match(parts[0]))
    ):
        hint = begin_hint(spec.url.source, "ws://")
        lowering.fault(("url",), Code.INVALID_VALUE, f"`{spec.url.source}` is not a URL", hint)
    url, authorization = locate(parts, spec.url.source, base, lowering, ("url",))
    credentials = http.credentials
    own = _headers(spec, lowering)
    if authorization:
        credentials = replace(
            credentials,
            headers={"authorization": Header("Authorization", (authorization,))},
            grant=None,
            signature=None,
        )
    return HttpOperation(
        method="GET",
        url=url,
        query=credentials.query,
        headers=merge_headers(
            http.headers,
            defaults.headers,
            credentials.headers,
            own,
            credentials.beside(own.get("cookie", http.headers.get("cookie"))),
        ),
        own_names=frozenset(own),
        follow_redirects=False,
        needs_head=True,
        grant=credentials.grant,
        signature=None if "authorization" in own else credentials.signature,
    )
