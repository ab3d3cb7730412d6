"""From what a plan says to what the client sends: all that can be done before the run is done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planrunner.language.diagnostics import Code
from planrunner.protocols.base import Exchange
from planrunner.protocols.lowering import Lowering
from planrunner.protocols.plugin import CompiledRequest, CompiledSettings
from planrunner.units import NS_PER_S


@dataclass(frozen=True)
class EchoSettings:
    host: str = "127.0.0.1"
    port: int = 7
    timeout_ns: int = 5 * NS_PER_S


@dataclass(frozen=True)
class EchoDefaults:
    settings: EchoSettings
    channel: str


def compile_settings(model, *, constants, files, over, channel):
    settings = over.settings if over else EchoSettings()
    lowering = Lowering(constants, files)
    if model is not None:
        host, _, port = (lowering.constant(model.address, ("address",)) or "").rpartition(":")
        if not (host and port.isdecimal()):
            lowering.fault(("address",), Code.INVALID_VALUE, "an address is `host:port`")
            host, port = settings.host, str(settings.port)
        timeout_ns = lowering.duration(model.timeout, ("timeout",), settings.timeout_ns)
        settings = replace(settings, host=host, port=int(port), timeout_ns=timeout_ns)
    return CompiledSettings(settings, EchoDefaults(settings, channel), tuple(lowering.faults))


def compile_request(spec, *, action, constants, defaults, files, reads):
    lowering = Lowering(constants, files)
    checks, words = (), ()
    if spec.expect is not None and spec.expect.text is not None:
        wanted = lowering.text(spec.expect.text, ("expect", "text")).evaluate
        checks = (lambda reply, scope: _differs(reply, wanted(scope)),)
        words = (f"text: {spec.expect.text.source}",)
    exchange = Exchange(
        protocol=defaults.channel,
        operation=lowering.text(spec.text, ("text",)).evaluate,
        method="send",
        accept=frozenset({0}),
        checks=checks,
        extractors=tuple(
            _word(name, int(lowering.constant(text, ("extract", name)) or 0))
            for name, text in (spec.extract or {}).items()
        ),
        timeout_ns=lowering.duration(spec.timeout, ("timeout",), defaults.settings.timeout_ns),
        expected=("status OK", *words),
        extracted=tuple(spec.extract or ()),
    )
    return CompiledRequest(exchange, tuple(lowering.faults))


def _differs(reply, wanted):
    came = (reply.body or b"").decode()
    return None if came == str(wanted) else f"expected `{wanted}`, got `{came}`"


def _word(name, number):
    def extract(reply, scope):
        words = (reply.body or b"").decode().split()
        if number >= len(words):
            return f"the line has no word {number}"
        scope[name] = words[number]
        return None

    return extract
