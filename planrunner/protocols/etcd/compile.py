"""Compile the plan's `etcd:` block, and a step of it to an `Exchange`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Evaluate, Exchange
from planrunner.protocols.etcd.expect import compile_expect
from planrunner.protocols.etcd.operation import (
    Delete,
    EtcdAction,
    EtcdOperation,
    EtcdSettings,
    Get,
    Lease,
    Put,
    Txn,
    TxnCompare,
    Watch,
    whole_number,
)
from planrunner.protocols.etcd.reply import read_data
from planrunner.protocols.etcd.spec import (
    EtcdCompare,
    EtcdDelete,
    EtcdGet,
    EtcdLease,
    EtcdModel,
    EtcdPut,
    EtcdRequest,
    EtcdTxn,
    EtcdWatch,
)
from planrunner.protocols.etcd.spec import (
    TxnOperation as EtcdOperationModel,
)
from planrunner.protocols.json_replies.extract import compile_extract
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.operation_model import secret_extractions
from planrunner.protocols.plugin import CompiledRequest, CompiledSettings
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["EtcdDefaults", "compile_exchange", "compile_settings"]

OK: Final = 0
"""The status of a reply that is no error, as gRPC numbers it."""

_MOST_CONNECTIONS: Final = 10_000
"""Each is opened before the load, and takes a file and a few hundred KB."""

_ENDPOINT: Final = re.compile(r"(?:(https?)://)?([^/\s]+:\d{1,5})/?")


@dataclass(frozen=True, slots=True)
class EtcdDefaults:
    """What requests start from.

    Attributes:
        channel: The client that sends them: `etcd`, or a user class's own.
    """

    settings: EtcdSettings = EtcdSettings()
    channel: str = "etcd"


def compile_settings(
    model: EtcdModel | None,
    *,
    constants: Mapping[str, object],
    files: Files,
    over: EtcdDefaults | None = None,
    channel: str = "etcd",
) -> CompiledSettings:
    """Compile the `etcd:` block of a plan, or of a user class over it.

    Args:
        model: None when there is none.
        constants: Names with a value that is known before the run.
        files: What relative paths are relative to.
        over: The plan's, when `model` is a user class's; what the class doesn't say stays.
        channel: The client that will send the requests.
    """
    base = EtcdSettings() if over is None else over.settings
    if model is None:
        return CompiledSettings(base, EtcdDefaults(base, channel))
    lowering = Lowering(constants, files)
    given = model.model_fields_set
    endpoints, schemes = _endpoints(model.endpoints, lowering)
    timeout_ns = lowering.duration(model.timeout, ("timeout",), base.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    for one, other in (("username", "password"), ("cert", "key"), ("key", "cert")):
        if getattr(model, one) is not None and getattr(model, other) is None:
            lowering.fault((one,), Code.MISSING_KEY, f"`{one}` needs `{other}`", f"add `{other}:`")
    written: dict[str, Any] = {
        "username": _constant(model.username, lowering, "username"),
        "password": _constant(model.password, lowering, "password"),
        "ca": lowering.file(model.ca, ("ca",)),
        "cert": lowering.file(model.cert, ("cert",)),
        "key": lowering.file(model.key, ("key",), is_secret=True),
        "connections": lowering.number(model.connections, ("connections",), 0),
    }
    if written["connections"] > _MOST_CONNECTIONS:
        message = f"at most {_MOST_CONNECTIONS:,} connections can be shared"
        lowering.fault(("connections",), Code.INVALID_VALUE, message)
    lowering.certificates(written["ca"], written["cert"], written["key"])
    settings = replace(
        base,
        endpoints=endpoints,
        timeout_ns=timeout_ns,
        **{name: value for name, value in written.items() if name in given},
    )
    is_secure = settings.ca is not None or settings.cert is not None or "https" in schemes
    settings = replace(settings, is_secure=is_secure)
    return CompiledSettings(settings, EtcdDefaults(settings, channel), tuple(lowering.faults))


def _constant(text: Text | None, lowering: Lowering, key: str) -> str:
    return "" if text is None else lowering.constant(text, (key,)) or ""


def _endpoints(texts: Sequence[Text], lowering: Lowering) -> tuple[tuple[str, ...], set[str]]:
    found: list[str] = []
    schemes: set[str] = set()
    for index, text in enumerate(texts):
        path: SpecPath = ("endpoints", index)
        written = lowering.constant(text, path)
        if written is None:
            continue
        match = _ENDPOINT.fullmatch(written.strip())
        if match is None:
            hint = "write `host:port`, such as `127.0.0.1:2379`"
            lowering.fault(path, Code.INVALID_VALUE, f"`{text.source}` is not an endpoint", hint)
            continue
        schemes.add(match[1] or "")
        found.append(match[2])
    if {"http", "https"} <= schemes:
        lowering.fault(
            ("endpoints",),
            Code.CONFLICTING_KEYS,
            "the members are reached with TLS or without, not both",
            "write the same scheme for all of them",
        )
    return tuple(found), schemes


def compile_exchange(
    spec: EtcdRequest,
    *,
    action: str = "",
    constants: Mapping[str, object],
    defaults: EtcdDefaults,
    files: Files,
    reads: frozenset[str] = frozenset(),
) -> CompiledRequest:
    """Compile one step.

    Args:
        action: Its word, which `spec` says too.
        spec: What stands below the action, such as `etcd.put`.
        constants: Names with a value that is known before the run.
        defaults: Of the plan's `etcd:` block.
        files: What relative paths are relative to.
        reads: Names of the reply that expressions after the request read.
    """
    del action  # the model says it
    lowering = Lowering(constants, files)
    method = method_of(spec)
    expected = compile_expect(spec.expect, method, lowering)
    words, checks = tuple(item[0] for item in expected), tuple(item[1] for item in expected)
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), defaults.settings.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    soft = spec.expect is not None and spec.expect.soft is True
    exchange = Exchange(
        protocol=defaults.channel,
        operation=EtcdOperation(_action(spec, lowering, ()), bool(reads & {"json", "body"})),
        method=method,
        accept=frozenset({OK}),
        checks=() if soft else checks,
        extractors=compile_extract(spec.extract, lowering, read_data),
        timeout_ns=timeout_ns,
        soft_checks=checks if soft else (),
        expected=("status OK", *(() if soft else words)),
        softly_expected=words if soft else (),
        extracted=tuple(spec.extract or ()),
        secrets=secret_extractions(spec.extract),
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def method_of(spec: EtcdRequest) -> str:
    """Return what results call the step's method, such as `put`."""
    return type(spec).__name__.removeprefix("Etcd").lower()


def _action(spec: EtcdRequest, lowering: Lowering, path: SpecPath) -> EtcdAction:
    match spec:
        case EtcdPut() | EtcdGet() | EtcdDelete():
            return _single(spec, lowering, path)
        case EtcdTxn():
            return Txn(
                compare=tuple(
                    _compare(item, lowering, ("compare", index))
                    for index, item in enumerate(spec.compare or ())
                ),
                success=_operations(spec.success, lowering, "success"),
                failure=_operations(spec.failure, lowering, "failure"),
            )
        case EtcdLease():
            ttl_ns = lowering.duration(spec.ttl, ("ttl",), NS_PER_S)
            if ttl_ns < NS_PER_S:
                lowering.fault(("ttl",), Code.INVALID_VALUE, "a lease lives at least 1s")
            return Lease(-(-ttl_ns // NS_PER_S))
        case EtcdWatch():
            until = None if spec.until is None else lowering.parts(spec.until, ("until",))
            return Watch(lowering.parts(spec.key, ("key",)), until)
        case _:
            raise AssertionError(type(spec).__name__)


def _single(
    spec: EtcdPut | EtcdGet | EtcdDelete, lowering: Lowering, path: SpecPath
) -> Put | Get | Delete:
    key = lowering.parts(spec.key, (*path, "key"))
    match spec:
        case EtcdPut():
            lease = spec.lease
            return Put(
                key,
                lowering.parts(spec.value, (*path, "value")),
                None if lease is None else _whole(lease, "the lease", lowering, (*path, "lease")),
            )
        case EtcdGet():
            limit = lowering.number(spec.limit, (*path, "limit"), 0)
            with lowering.at((*path, "limit")):
                whole_number(limit, "the limit")
            return Get(key, bool(spec.prefix), limit, bool(spec.serializable))
        case EtcdDelete():
            return Delete(key, bool(spec.prefix))


def _operations(
    models: Sequence[EtcdOperationModel] | None, lowering: Lowering, key: str
) -> tuple[Put | Get | Delete, ...]:
    compiled = []
    for index, model in enumerate(models or ()):
        word, spec = next(
            (word, spec)
            for word in ("put", "get", "delete")
            if (spec := getattr(model, word)) is not None
        )
        path: SpecPath = (key, index, word)
        for own in ("name", "expect", "extract", "tags", "timeout", "measure"):
            if getattr(spec, own) is not None:
                lowering.fault(
                    (*path, own),
                    Code.NOT_ALLOWED,
                    f"`{own}` belongs to the whole transaction",
                    f"write `{own}:` beside `{key}:`",
                )
        compiled.append(_single(spec, lowering, path))
    return tuple(compiled)


def _compare(model: EtcdCompare, lowering: Lowering, path: SpecPath) -> TxnCompare:
    where = (*path, "value")
    if model.target == "value":
        value = lowering.value(model.value, where).evaluate
    else:
        value = _whole(model.value, f"the {model.target}", lowering, where)
    return TxnCompare(
        key=lowering.parts(model.key, (*path, "key")),
        target=model.target,
        op="=" if model.op == "==" else model.op,
        value=value,
    )


def _whole(value: object, what: str, lowering: Lowering, path: SpecPath) -> Evaluate:
    """Lower a number; one that is known is checked now."""
    lowered = lowering.value(value, path)
    if lowered.is_constant:
        with lowering.at(path):
            whole_number(lowered.value, what)
    return lowered.evaluate
