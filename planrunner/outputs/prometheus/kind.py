"""The record of the output `prometheus`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.errors import UsageError
from planrunner.plan.output_kinds.kind import OutputKind

__all__ = ["KIND"]


def _read_words(text: str) -> Mapping[str, object]:
    """Read `:9464`, `9464`, `HOST:PORT` or `auto`.

    Raises:
        UsageError: It is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not (port == "auto" or (port.isascii() and port.isdecimal())):
        hint = "write `:9464`, `HOST:9464`, or `:auto` for a free port"
        raise UsageError(f"`{text}` cannot be listened on", hint=hint)
    address = host.removeprefix("[").removesuffix("]") if colon else ""
    given: dict[str, object] = {"port": port if port == "auto" else int(port)}
    return {**given, "host": address} if address else given


KIND: Final = OutputKind(
    "prometheus",
    description="A page of metrics that Prometheus scrapes while the run lasts.",
    example="{port: 9464}",
    model="planrunner.outputs.prometheus.spec:PrometheusModel",
    make="planrunner.outputs.prometheus.output:PrometheusOutput",
    read_words=_read_words,
    words_example=":9464",
    package="prometheus_client",
)
