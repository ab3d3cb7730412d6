"""Compile the plan's `grpc:` block, or that of a user class over it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from planrunner.extras import look_for
from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.protocols.grpc.compile.metadata import read_constant_metadata
from planrunner.protocols.grpc.compile.sources import read_schema
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.grpc.spec import SOURCES, GrpcCertificate, GrpcModel
from planrunner.protocols.lowering import Files, Lowering
from planrunner.protocols.plugin import CompiledSettings
from planrunner.values import dataclass

__all__ = ["GrpcDefaults", "compile_settings"]

_MOST_CHANNELS: Final = 10_000
"""Each is opened before the load, and takes a file and a few hundred KB."""

_TARGET: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]]+):(\d{1,5})")
_MOST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class GrpcDefaults:
    """What calls start from.

    Attributes:
        channel: The client that sends them: `grpc`, or a user class's own.
    """

    settings: GrpcSettings = GrpcSettings()
    channel: str = "grpc"


def compile_settings(
    model: GrpcModel | None,
    *,
    constants: Mapping[str, object],
    files: Files,
    over: GrpcDefaults | None = None,
    channel: str = "grpc",
) -> CompiledSettings:
    """Compile the block; what a user class doesn't say is as in the plan's.

    Args:
        model: None when there is none.
        constants: Names with a value that is known before the run.
        files: What relative paths are relative to.
        over: The plan's, when `model` is a user class's.
        channel: The client that will send the calls.
    """
    base = GrpcSettings() if over is None else over.settings
    if model is None:
        return CompiledSettings(base, GrpcDefaults(base, channel))
    lowering = Lowering(constants, files)
    settings = replace(base, **dict(_written(model, base, lowering)))
    _check(model, settings, lowering)
    return CompiledSettings(settings, GrpcDefaults(settings, channel), tuple(lowering.faults))


def _written(model: GrpcModel, base: GrpcSettings, lowering: Lowering) -> Iterator[tuple[str, Any]]:
    """Yield each field of the settings that the block says something of."""
    given = model.model_fields_set
    if model.target is not None:
        yield "target", _target(model.target, lowering)
    if given & set(SOURCES):
        yield "reflects", _reflects(model, lowering)
        yield "schema", read_schema(model, lowering)
    if model.metadata is not None:
        yield "metadata", read_constant_metadata(model.metadata, lowering)
    if given & {"tls", "ca", "cert"}:
        yield from _tls(model, base, lowering)
    yield "timeout_ns", lowering.duration(model.timeout, ("timeout",), base.timeout_ns)
    yield "channels", lowering.number(model.channels, ("channels",), base.channels)


def _reflects(model: GrpcModel, lowering: Lowering) -> bool:
    if not lowering.flag(("reflection",), model.reflection, default=False):
        return False
    with lowering.at(("reflection",)):
        look_for("grpc_reflection", "`reflection`")
    return True


def _target(text: Text, lowering: Lowering) -> str:
    written = lowering.constant(text, ("target",))
    if written is None:
        return ""
    match = _TARGET.fullmatch(written.strip())
    if match is None or int(match[1]) > _MOST_PORT:
        bare = re.sub(r"^[a-z][a-z+.-]*:/*", "", written.strip()).rstrip("/")
        is_url = bare != written.strip() and _TARGET.fullmatch(bare) is not None
        hint = f"write `{bare}`" if is_url else "write `host:port`, such as `127.0.0.1:50051`"
        if written.startswith("https:"):
            hint += ", and `tls: true`"
        message = f"`{text.source}` is not a host and a port"
        lowering.fault(("target",), Code.INVALID_VALUE, message, hint)
        return ""
    return written.strip()


def _tls(model: GrpcModel, base: GrpcSettings, lowering: Lowering) -> Iterator[tuple[str, Any]]:
    ca = base.ca if model.ca is None else lowering.file(model.ca, ("ca",))
    cert, key = base.cert, base.key
    if isinstance(model.cert, GrpcCertificate):
        cert = lowering.file(model.cert.cert, ("cert", "cert"))
        key = lowering.file(model.cert.key, ("cert", "key"), is_secret=True)
    elif model.cert is not None:
        cert = key = lowering.file(model.cert, ("cert",), is_secret=True)
    wants = lowering.flag(("tls",), model.tls, default=ca is not None or cert is not None)
    if not wants and (model.ca is not None or model.cert is not None):
        lowering.fault(
            ("tls",), Code.CONFLICTING_KEYS, "a `ca` or `cert` has no use without TLS", "remove it"
        )
    lowering.certificates(ca, cert, key)
    yield from (("is_secure", wants), ("ca", ca), ("cert", cert), ("key", key))


def _check(model: GrpcModel, settings: GrpcSettings, lowering: Lowering) -> None:
    if settings.timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    if settings.channels > _MOST_CHANNELS:
        message = f"at most {_MOST_CHANNELS:,} connections can be shared"
        lowering.fault(("channels",), Code.INVALID_VALUE, message)
    if lowering.faults:
        return
    if not settings.target:
        hint = "add `target: 127.0.0.1:50051`"
        lowering.fault((), Code.MISSING_KEY, "`grpc` needs a `target`", hint)
    elif settings.schema is None and not settings.reflects:
        hint = "add `reflection: true`, or name their files with `proto:` or `descriptor:`"
        lowering.fault((), Code.MISSING_KEY, "nothing describes the services of `grpc`", hint)
