"""Compile a request step to an `Exchange`: what to send, and what its reply has to be."""

from __future__ import annotations

from collections.abc import Mapping

from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Exchange
from planrunner.protocols.http.compile.auth import Credentials, compile_auth
from planrunner.protocols.http.compile.bodies import compile_body
from planrunner.protocols.http.compile.request_line import (
    compile_headers,
    compile_query,
    compile_url,
    merge_headers,
)
from planrunner.protocols.http.compile.retries import compile_retry
from planrunner.protocols.http.compile.settings import (
    CompiledSettings,
    HttpDefaults,
    compile_settings,
)
from planrunner.protocols.http.operation import Header, HttpOperation
from planrunner.protocols.http.replies.expect import compile_expect
from planrunner.protocols.http.replies.extract import compile_extract, sources_of
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.lowering import Files, Lowering, SpecFault
from planrunner.values import dataclass

__all__ = [
    "CompiledExchange",
    "CompiledSettings",
    "Files",
    "HttpDefaults",
    "SpecFault",
    "compile_exchange",
    "compile_settings",
    "default_name",
]


@dataclass(frozen=True, slots=True)
class CompiledExchange:
    """An exchange that may be sent when it has no faults; their paths begin below the step."""

    exchange: Exchange
    faults: tuple[SpecFault, ...] = ()


def compile_exchange(
    spec: RequestKeys,
    *,
    constants: Mapping[str, object],
    defaults: HttpDefaults,
    files: Files,
    reads_body: bool = False,
    reads_head: bool = False,
) -> CompiledExchange:
    """Compile one request.

    Args:
        spec: Has exactly one verb.
        constants: Names with a value that is known before the run, such as params.
        defaults: Of the plan's `http:` block, and of the user class's over it.
        files: What relative paths are relative to.
        reads_body: Expressions after the request read `json` or `body`.
        reads_head: Expressions after the request read `headers`.
    """
    lowering = Lowering(constants, files)
    settings = defaults.settings
    verb = spec.verb()
    expected = compile_expect(spec.expect, lowering)
    extractors = compile_extract(spec.extract, lowering)
    of_body, of_head = sources_of(spec.extract)
    follow = lowering.flag(
        ("follow_redirects",), spec.follow_redirects, default=settings.follow_redirects
    )
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout is more than 0")
    operation = _operation(
        spec,
        defaults,
        lowering,
        follow_redirects=follow,
        needs_body=reads_body or of_body or expected.needs_body,
        # The charset of a text stands in the head.
        needs_head=reads_head or reads_body or of_head or of_body or expected.needs_head,
    )
    exchange = Exchange(
        protocol=defaults.channel,
        operation=operation,
        method=verb.upper(),
        accept=expected.accept,
        checks=expected.checks,
        extractors=extractors,
        timeout_ns=timeout_ns,
        soft_checks=expected.soft_checks,
        expected=expected.words,
        softly_expected=expected.soft_words,
        extracted=tuple(spec.extract or ()),
    )
    return CompiledExchange(exchange, tuple(lowering.faults))


def default_name(spec: RequestKeys) -> str:
    """Return the series name of a request without `name:`: verb and URL as written."""
    verb = spec.verb()
    url: Text = getattr(spec, verb)
    return f"{verb.upper()} {url.source}"


def _operation(
    spec: RequestKeys,
    defaults: HttpDefaults,
    lowering: Lowering,
    *,
    follow_redirects: bool,
    needs_body: bool,
    needs_head: bool,
) -> HttpOperation:
    verb = spec.verb()
    url, authorization = compile_url(
        getattr(spec, verb), defaults.settings.base_url, lowering, (verb,)
    )
    credentials = defaults.credentials
    own_headers = compile_headers(spec.headers, lowering, ("headers",))
    own_names = frozenset(own_headers)
    if spec.auth is not None:
        credentials = compile_auth(spec.auth, lowering, ("auth",), defaults.settings)
        own_names |= {"authorization", *credentials.headers}
    elif authorization:
        credentials = Credentials({"authorization": Header("Authorization", (authorization,))})
    return HttpOperation(
        method=verb.upper(),
        url=url,
        query=compile_query(spec.query, lowering, ("query",)) + credentials.query,
        headers=merge_headers(defaults.headers, credentials.headers, own_headers),
        own_names=own_names,
        body=compile_body(spec, lowering),
        follow_redirects=follow_redirects,
        needs_body=needs_body,
        needs_head=needs_head,
        retry=compile_retry(spec.retry, lowering),
        grant=credentials.grant,
        keepalive=defaults.settings.keepalive,
    )
