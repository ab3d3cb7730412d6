"""Compile the plan's `http:` block: what every request of the plan starts from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Final

from planrunner.extras import look_for, need
from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Deferred
from planrunner.late_pattern import late_pattern
from planrunner.protocols.http.compile.auth import Credentials, compile_auth, scheme_of
from planrunner.protocols.http.compile.request_line import compile_headers, merge_headers
from planrunner.protocols.http.compile.sources import compile_sources
from planrunner.protocols.http.operation import Header, HttpSettings, TextParts
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.http.spec_settings import Certificate, HttpModel, HttpScope, Pool
from planrunner.protocols.http.target import chosen_client, needs_httpx
from planrunner.protocols.http.url import UrlError, split_url
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.plugin import CompiledSettings
from planrunner.values import dataclass

__all__ = ["HttpDefaults", "compile_settings", "replaces"]

_ABSOLUTE: Final = late_pattern(r"(?i)https?://")

_MOST_CONNECTIONS: Final = 64
_MOST_STREAMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class HttpDefaults:
    """What requests inherit.

    Attributes:
        headers: Of `http.headers`, by their lower-case names.
        credentials: Of `http.auth`; a request's own `auth` replaces them.
        channel: The client that sends them: `http`, or a user class's own.
    """

    settings: HttpSettings = field(default_factory=HttpSettings)
    headers: Mapping[str, Header | None] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    channel: str = "http"


def compile_settings(
    model: HttpScope | None,
    *,
    constants: Mapping[str, object],
    files: Files,
    over: HttpDefaults | None = None,
    channel: str = "http",
) -> CompiledSettings:
    """Compile an `http:` block; None is an empty one.

    Args:
        model: Of the plan, or of a user class; of a task or flow what requests start from.
        constants: Names with a value that is known before the run.
        files: What relative paths are relative to.
        over: The plan's, when `model` is a user class's; what the class doesn't say stays.
        channel: The client that will send the requests.
    """
    base = over or HttpDefaults()
    if model is None:
        return CompiledSettings(base.settings, base)
    lowering = Lowering(constants, files)
    given = model.model_fields_set
    headers = {**base.headers, **compile_headers(model.headers, lowering, ("headers",))}
    settings, session, sources = base.settings, "", {}
    if isinstance(model, HttpModel):
        settings, session = _connections(model, settings, lowering), model.session or ""
        sources = compile_sources(model.source_addresses, lowering)
        if "source_addresses" in given:
            settings = replace(settings, sources=tuple(sources))
    timeout_ns = lowering.duration(model.timeout, ("timeout",), settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    settings = replace(
        settings,
        base_url=settings.base_url
        if model.base_url is None
        else _base_url(model.base_url, lowering),
        headers=merge_headers(headers),
        timeout_ns=timeout_ns,
        follow_redirects=lowering.flag(
            ("follow_redirects",), model.follow_redirects, default=settings.follow_redirects
        ),
    )
    credentials = base.credentials
    if "auth" in given:
        credentials = compile_auth(model.auth, lowering, ("auth",), settings)
        settings = replace(settings, auth=scheme_of(model.auth))
    defaults = HttpDefaults(settings, headers, credentials, channel)
    return CompiledSettings(
        settings,
        defaults,
        tuple(lowering.faults),
        session,
        tuple((path, address) for address, path in sources.items()),
    )


def replaces(spec: HttpScope | RequestKeys, keys: tuple[str | int, ...]) -> bool:
    """Say whether a request, or the settings of a user class, say themselves what `keys` set."""
    own = {name.lower() for name in spec.headers or {}}
    match keys:
        case ("headers", name, *_):
            return str(name).lower() in own
        case ("auth", scheme, *_):
            return spec.auth is not None or (
                scheme in ("basic", "bearer", "digest", "sigv4") and "authorization" in own
            )
        case ("base_url", *_):
            if isinstance(spec, HttpScope):
                return spec.base_url is not None
            return bool(_ABSOLUTE.match(spec.address[1].source))
        case _:
            return False


def _connections(model: HttpModel, settings: HttpSettings, lowering: Lowering) -> HttpSettings:
    """Compile what is about connections; keys that aren't written stay as in `settings`."""
    given = model.model_fields_set
    most_kept = lowering.number(model.max_kept, ("max_kept",), settings.max_kept)
    changed: dict[str, Any] = {"max_kept": most_kept}
    if "verify" in given:
        changed["verify"] = lowering.flag(("verify",), model.verify, default=True)
    if "ca" in given:
        changed["ca"] = lowering.file(model.ca, ("ca",))
    if "cert" in given:
        names = "cert", "key", "key_password"
        changed |= zip(names, _certificate(model.cert, lowering), strict=True)
    _check_certificates(model.cert, changed, lowering)
    if "pool" in given:
        changed |= _pool(model.pool or Pool.model_construct(), lowering)
    changed |= _client(model, lowering)
    if "hosts" in given:
        changed["hosts"] = {**settings.hosts, **_hosts(model.hosts, lowering)}
    compiled = replace(settings, **changed)
    _check_client(compiled, "client" if "client" in given else "proxy", lowering)
    if not given.isdisjoint({"version", "client", "proxy"}):
        _check_version(compiled, "version" if "version" in given else "client", lowering)
    return compiled


def _client(model: HttpModel, lowering: Lowering) -> dict[str, Any]:
    """Compile what says which client sends, and what it speaks."""
    given = model.model_fields_set
    changed: dict[str, Any] = {}
    if "client" in given:
        changed["client"] = model.client or "auto"
    if "version" in given:
        changed["version"] = _version(model.version or "auto", lowering)
    if "streams" in given:
        changed["streams"] = _streams(model, lowering)
    if "proxy" in given:
        changed["proxy"] = _proxy(model.proxy, lowering)
    return changed


def _version(version: str, lowering: Lowering) -> str:
    if version == "2":
        with lowering.at(("version",)):
            look_for("jh2", "HTTP/2")
    return version


def _streams(model: HttpModel, lowering: Lowering) -> int:
    most = lowering.number(model.streams, ("streams",), 0)
    if most > _MOST_STREAMS:
        message = f"a user can have at most {_MOST_STREAMS} requests on a connection"
        hint = f"write {_MOST_STREAMS} or less"
        lowering.fault(("streams",), Code.INVALID_VALUE, message, hint)
    if most and model.version == "1.1":
        message = "HTTP/1.1 has no streams"
        lowering.fault(("streams",), Code.NOT_ALLOWED, message, "leave `streams` out")
    return most


def _check_version(settings: HttpSettings, key: str, lowering: Lowering) -> None:
    if settings.version == "2" and chosen_client(settings) == "httpx":
        lowering.fault(
            (key,),
            Code.NOT_ALLOWED,
            "the httpx client, which this plan needs, speaks HTTP/1.1 only",
            "write `version: 1.1`, or a proxy whose URL begins with `http://`",
        )


def _check_client(settings: HttpSettings, key: str, lowering: Lowering) -> None:
    if settings.client == "wire" and needs_httpx(settings.proxy):
        lowering.fault(
            (key,),
            Code.NOT_ALLOWED,
            "the wire client speaks neither SOCKS nor TLS to a proxy",
            "leave `client` out, or use a proxy whose URL begins with `http://`",
        )


def _pool(pool: Pool, lowering: Lowering) -> dict[str, Any]:
    where = "pool", "per_user"
    most = lowering.number(pool.per_user, where, 0)
    if most > _MOST_CONNECTIONS:
        message = f"a user can have at most {_MOST_CONNECTIONS} connections"
        lowering.fault(where, Code.INVALID_VALUE, message, f"write {_MOST_CONNECTIONS} or less")
    path = "pool", "keepalive"
    return {
        "keepalive": lowering.flag(path, pool.keepalive, default=True),
        "per_iteration": pool.keepalive == "iteration",
        "per_user": most,
        "max_age_ns": _lifetime(pool.max_age, "max_age", lowering),
        "max_idle_ns": _lifetime(pool.max_idle, "max_idle", lowering),
    }


def _lifetime(value: int | Deferred | None, key: str, lowering: Lowering) -> int:
    """Compile a limit of a connection's life; 0 is none."""
    if value is None:
        return 0
    limit_ns = lowering.duration(value, ("pool", key), 1)
    if limit_ns <= 0:
        message = f"`{key}` is more than 0"
        hint = "write `keepalive: false` to use no connection twice"
        lowering.fault(("pool", key), Code.INVALID_VALUE, message, hint)
    return limit_ns


# Stands for one with a fault, which is known; no request must be blamed for having no host.
_ANY_HOST: Final = ("http://localhost",)


def _base_url(text: Text, lowering: Lowering) -> TextParts:
    parts = lowering.parts(text, ("base_url",))
    if len(parts) == 1 and isinstance(parts[0], str):
        with lowering.at(("base_url",)):
            split_url(parts[0])
            return parts
        return _ANY_HOST
    return parts or _ANY_HOST


def _certificate(
    cert: Certificate | Text | None, lowering: Lowering
) -> tuple[Path | None, Path | None, str]:
    if not isinstance(cert, Certificate):
        return lowering.file(cert, ("cert",), is_secret=True), None, ""
    path: SpecPath = ("cert", "password")
    password = None if cert.password is None else lowering.constant(cert.password, path)
    file = lowering.file(cert.cert, ("cert", "cert"), is_secret=True)  # the key may be in it
    key = lowering.file(cert.key, ("cert", "key"), is_secret=True)
    return file, key, password or ""


def _check_certificates(
    written: Certificate | Text | None, changed: Mapping[str, Any], lowering: Lowering
) -> None:
    cert, key, password = (changed.get(name) for name in ("cert", "key", "key_password"))
    if isinstance(written, Certificate) and written.password is not None and not password:
        cert = None  # a secret that only the run has
    lowering.certificates(changed.get("ca"), cert, key, password or "")


def _proxy(text: Text | None, lowering: Lowering) -> str:
    url = None if text is None else lowering.constant(text, ("proxy",))
    if not url:
        return ""
    if url.startswith(("socks5://", "socks5h://")):
        with lowering.at(("proxy",)):
            need("socksio", "a SOCKS proxy")
    try:
        split_url(url.replace("socks5h://", "http://").replace("socks5://", "http://"))
    except UrlError as failed:
        lowering.fault(("proxy",), Code.INVALID_VALUE, failed.message, failed.hint)
        return ""
    return url


def _hosts(hosts: Mapping[str, Text] | None, lowering: Lowering) -> Mapping[str, str]:
    resolved: dict[str, str] = {}
    for name, text in (hosts or {}).items():
        address = lowering.constant(text, ("hosts", name))
        if address is None:
            continue
        try:
            resolved[name.lower()] = str(ipaddress.ip_address(address.strip("[]")))
        except ValueError:
            lowering.fault(
                ("hosts", name),
                Code.INVALID_VALUE,
                f"`{text.source}` is not an IP address",
                "write one such as `10.0.0.7` or `::1`",
            )
    return resolved
