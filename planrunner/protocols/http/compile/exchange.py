"""Compile a request step to an `Exchange`: what to send, and what its reply has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.types import Deferred
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Exchange, FailureKind
from planrunner.protocols.http.compile.auth import Credentials, compile_auth
from planrunner.protocols.http.compile.bodies import compile_body
from planrunner.protocols.http.compile.request_line import (
    compile_headers,
    compile_query,
    compile_url,
    merge_headers,
)
from planrunner.protocols.http.compile.settings import HttpDefaults
from planrunner.protocols.http.operation import Body, Header, HttpOperation, HttpSettings, Retry
from planrunner.protocols.http.replies.expect import compile_expect
from planrunner.protocols.http.replies.extract import compile_extract, secret_names, sources_of
from planrunner.protocols.http.replies.graphql import accept_of, expecting_data
from planrunner.protocols.http.replies.stream import compile_stream, compile_until
from planrunner.protocols.http.spec import Expect, RequestKeys, RequestSpec
from planrunner.protocols.http.spec import RetryModel as RetrySpec
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.plugin import CompiledRequest

__all__ = ["compile_exchange", "compile_probe", "compile_retry"]


def compile_exchange(
    spec: RequestKeys,
    *,
    action: str = "",
    constants: Mapping[str, object],
    defaults: HttpDefaults,
    files: Files,
    reads: frozenset[str] = frozenset(),
) -> CompiledRequest:
    """Compile one request.

    Args:
        spec: Has exactly one verb.
        action: The verb, which `spec` says too.
        constants: Names with a value that is known before the run, such as params.
        defaults: Of the plan's `http:` block, and of the user class's over it.
        files: What relative paths are relative to.
        reads: Names of the reply that expressions after the request read.
    """
    del action
    reads_body = bool(reads & {"json", "body"})
    lowering = Lowering(constants, files)
    settings = defaults.settings
    expected = compile_expect(spec.expect, lowering, settings.base_url)
    if spec.graphql is not None:
        expected = expecting_data(expected, spec.expect)
    extractors = compile_extract(spec.extract, lowering)
    of_body, of_head = sources_of(spec.extract)
    follow = lowering.flag(
        ("follow_redirects",), spec.follow_redirects, default=settings.follow_redirects
    )
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    operation = _operation(
        spec,
        defaults,
        lowering,
        follow_redirects=follow,
        needs_body=reads_body or of_body or expected.needs_body,
        # The charset of a text stands in the head.
        needs_head="headers" in reads or reads_body or of_head or of_body or expected.needs_head,
    )
    stream = compile_stream(spec, lowering, keeps_json=operation.needs_body)
    until = compile_until(spec)
    if expected.needs_url or stream is not None:
        operation = replace(operation, needs_url=expected.needs_url, stream=stream)
    exchange = Exchange(
        protocol=defaults.channel,
        operation=operation,
        method=spec.method,
        accept=expected.accept,
        checks=(*(check for _, check in until), *expected.checks),
        extractors=extractors,
        timeout_ns=timeout_ns,
        soft_checks=expected.soft_checks,
        expected=(expected.words[0], *(words for words, _ in until), *expected.words[1:]),
        softly_expected=expected.soft_words,
        states_status=expected.states_status,
        extracted=tuple(spec.extract or ()),
        secrets=secret_names(spec.extract),
        is_streamed=stream is not None,
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def compile_probe(
    keys: Mapping[str, object],
    *,
    expect: Expect | None = None,
    reads_body: bool = False,
    constants: Mapping[str, object],
    settings: HttpSettings,
    files: Files,
) -> CompiledRequest:
    """Compile a GET that is no load: what a service's `ready` asks, or a monitor.

    Args:
        keys: `get` and what stands beside it, as a plan writes it.
        expect: What the reply has to be.
        reads_body: The reply's body is read.
        constants: Names with a value that is known before the run.
        settings: Of the plan; its headers are not sent.
        files: What relative paths are relative to.
    """
    return compile_exchange(
        RequestSpec.model_validate(keys).model_copy(update={"expect": expect}),
        constants=constants,
        defaults=HttpDefaults(replace(settings, headers=())),
        files=files,
        reads=frozenset({"body"} if reads_body else ()),
    )


def _operation(
    spec: RequestKeys,
    defaults: HttpDefaults,
    lowering: Lowering,
    *,
    follow_redirects: bool,
    needs_body: bool,
    needs_head: bool,
) -> HttpOperation:
    key, address = spec.address
    url, authorization = compile_url(address, defaults.settings.base_url, lowering, (key,))
    credentials = defaults.credentials
    own_headers = compile_headers(spec.headers, lowering, ("headers",))
    own_names = frozenset(own_headers)
    if spec.auth is not None:
        credentials = compile_auth(spec.auth, lowering, ("auth",), defaults.settings)
        own_names |= {"authorization", *credentials.headers}
    elif authorization:
        credentials = Credentials({"authorization": Header("Authorization", (authorization,))})
    return HttpOperation(
        method=spec.method,
        url=url,
        query=compile_query(spec.query, lowering, ("query",)) + credentials.query,
        headers=merge_headers(
            {} if spec.graphql is None else {"accept": accept_of(spec)},
            defaults.headers,
            credentials.headers,
            own_headers,
            credentials.beside(own_headers.get("cookie", defaults.headers.get("cookie"))),
        ),
        own_names=own_names,
        body=_body(spec, lowering),
        follow_redirects=follow_redirects,
        needs_body=needs_body,
        needs_head=needs_head,
        retry=compile_retry(spec.retry, lowering),
        grant=credentials.grant,
        signature=None if "authorization" in own_headers else credentials.signature,
        keepalive=defaults.settings.keepalive,
    )


def _body(spec: RequestKeys, lowering: Lowering) -> Body | None:
    if spec.graphql is None:
        return compile_body(spec, lowering)
    from planrunner.protocols.http.compile.queries import compile_query  # noqa: PLC0415 - few plans have any

    is_streamed = spec.stream is not None
    return compile_query(spec.graphql, spec.variables, lowering, is_streamed=is_streamed)


_CLASS: Final = late_pattern(r"([1-5])(?:xx|XX|\*)")
_STATUS: Final = late_pattern(r"[1-5]\d\d")

# What is known once the reply is complete; what the plan makes of it comes later.
_KINDS: Final = (
    FailureKind.DNS,
    FailureKind.CONNECT,
    FailureKind.TLS,
    FailureKind.TIMEOUT,
    FailureKind.RESET,
    FailureKind.PROTOCOL,
    FailureKind.TOO_LARGE,
)
_DEFAULT_KINDS: Final = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT})


def compile_retry(spec: RetrySpec | int | Deferred | None, lowering: Lowering) -> Retry | None:
    """Compile the long form or the short one, which is how often; none and 0 send once."""
    if not isinstance(spec, RetrySpec):
        most = lowering.number(spec, ("retry",), 0)
        return Retry(most, 0, _DEFAULT_KINDS, range(500, 600)) if most else None
    times = lowering.number(spec.times, ("retry", "times"), 1)
    wait_ns = lowering.duration(spec.wait, ("retry", "wait"), 0)
    if spec.on is None:
        return Retry(times, wait_ns, _DEFAULT_KINDS, range(500, 600))
    kinds: set[FailureKind] = set()
    statuses: set[int] = set()
    for index, item in enumerate(spec.on):
        found = _read(str(item), lowering, ("retry", "on", index))
        if isinstance(found, FailureKind):
            kinds.add(found)
        else:
            statuses.update(found)
    return Retry(times, wait_ns, frozenset(kinds), frozenset(statuses))


def _read(word: str, lowering: Lowering, path: SpecPath) -> FailureKind | range:
    if match := _CLASS.fullmatch(word):
        start = int(match[1]) * 100
        return range(start, start + 100)
    if _STATUS.fullmatch(word):
        return range(int(word), int(word) + 1)
    if word in _KINDS:
        return FailureKind(word)
    names = [kind.value for kind in _KINDS]
    if word in (FailureKind.EXPECT, FailureKind.EXTRACT, FailureKind.STATUS):
        hint = "name statuses such as 503 or 5xx; use `poll` to wait for a certain reply"
    else:
        hint = suggest(word, names) or "write " + ", ".join(names) + ", a status or a class"
    lowering.fault(path, Code.INVALID_VALUE, f"`{word}` is not a reason to send again", hint)
    return range(0)
