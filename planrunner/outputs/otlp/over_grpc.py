"""OTLP over gRPC, with the official exporter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from planrunner.protocols.over_grpc.network import grpc  # isort: skip  # it settles how gRPC behaves

from opentelemetry.exporter.otlp.proto.grpc import exporter as mixin
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from planrunner.outputs.otlp.sender import silent_here
from planrunner.outputs.otlp.words import in_one_line, words_of_refused

__all__ = ["GrpcExporting"]

_NEVER: Final = (grpc.StatusCode.OK,)
"""What is tried again: nothing, as the next export says everything again."""


class GrpcExporting:
    """Sends to a gRPC receiver.

    Args:
        timeout_s: For sending once.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], *, timeout_s: float) -> None:
        self._watch = _AnswerWatch()
        self._exporter = _WatchedExporter(
            self._watch,
            endpoint=endpoint,
            headers=[*map(_metadata, headers.items())] or None,  # None: those of the environment
            timeout=timeout_s,
            retryable_error_codes=_NEVER,
        )

    def export(self, data: MetricsData) -> str:
        """Send something; return why it did not arrive, empty if it did."""
        self._watch.fault = ""
        with silent_here(mixin.__name__):
            outcome = self._exporter.export(data)
        if outcome is MetricExportResult.SUCCESS:
            return self._watch.fault
        return self._watch.fault or "it could not be encoded"

    def close(self) -> None:
        """Give up what is being sent."""
        self._exporter.shutdown()


class _AnswerWatch(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc has no types
    """Keeps what came of the last call: why it failed, empty if it did not."""

    def __init__(self) -> None:
        self.fault = ""

    def intercept_unary_unary(
        self,
        continuation: Callable[[Any, Any], Any],
        client_call_details: object,
        request: object,
    ) -> Any:  # noqa: ANN401 - as declared there
        call = continuation(client_call_details, request)
        error = call.exception()
        if error is None:
            self.fault = words_of_refused(call.result().partial_success)
        else:
            self.fault = _words(error)
        return call


class _WatchedExporter(OTLPMetricExporter):
    def __init__(self, watch: _AnswerWatch, **settings: Any) -> None:  # noqa: ANN401 - those of the exporter
        self._watch = watch
        super().__init__(**settings)

    def _initialize_channel_and_stub(self) -> None:
        """Open a channel, as the exporter does, with somebody who looks at answers."""
        super()._initialize_channel_and_stub()  # type: ignore[no-untyped-call]  # as it is there
        watched = grpc.intercept_channel(self._channel, self._watch)
        self._client: Any = MetricsServiceStub(watched)  # type: ignore[no-untyped-call]  # as above


def _metadata(header: tuple[str, str]) -> tuple[str, str | bytes]:
    """Return a header as gRPC has it: in small letters, and bytes if its name says so."""
    name, text = header[0].lower(), header[1]
    return name, text.encode() if name.endswith("-bin") else text


def _words(error: Any) -> str:  # noqa: ANN401 - grpc has no types
    """Return why nothing came back, without addresses."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "it did not answer in time"
    if code is grpc.StatusCode.UNAVAILABLE and "refused" in details:
        return "connection refused"
    said = in_one_line(details)
    return f"{code.name}: {said}" if said else str(code.name)
