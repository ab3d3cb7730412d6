"""OTLP over HTTP, with the official exporter."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import requests
from opentelemetry.exporter.otlp.proto.http import metric_exporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from planrunner.outputs.otlp.sender import silent_here
from planrunner.outputs.otlp.words import in_one_line, words_of_refused

__all__ = ["HttpExporting", "metrics_url"]

_PATH: Final = "/v1/metrics"
_PROTOBUF: Final = "application/x-protobuf"


class HttpExporting:
    """Sends to an HTTP receiver.

    Args:
        timeout_s: For sending once, with the repetitions that the protocol asks for.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], *, timeout_s: float) -> None:
        self._session = _WatchedSession()
        self._exporter = OTLPMetricExporter(
            endpoint=metrics_url(endpoint),
            headers=headers,
            timeout=timeout_s,
            session=self._session,
        )

    def export(self, data: MetricsData) -> str:
        """Send something; return why it did not arrive, empty if it did."""
        self._session.fault, self._session.unanswered = "", 0
        outcome = MetricExportResult.FAILURE
        with silent_here(metric_exporter.__name__), suppress(_NobodyThereError):
            outcome = self._exporter.export(data)
        if outcome is MetricExportResult.SUCCESS:
            return self._session.fault
        return self._session.fault or "it could not be encoded"

    def close(self) -> None:
        """Give up what is being sent, as far as that can be."""
        self._exporter.shutdown()


class _WatchedSession(requests.Session):
    """Keeps what came of the last attempt.

    Attributes:
        fault: Why it failed; empty if it did not.
        unanswered: How many attempts got no answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fault = ""
        self.unanswered = 0

    def request(self, *arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401 - as declared there
        try:
            response = super().request(*arguments, **{**options, "allow_redirects": False})
        except requests.RequestException as error:
            self.fault = _words(error)
            self.unanswered += 1
            if self.unanswered > 1:  # the first may have met a connection that was closed meanwhile
                raise _NobodyThereError from error
            raise
        self.fault = _fault(response)
        return response


class _NobodyThereError(Exception):
    """What the exporter does not know, so that it makes no further attempt."""


def metrics_url(endpoint: str) -> str:
    """Return where metrics go: an endpoint is that of a receiver, or of its metrics."""
    whole = endpoint.rstrip("/")
    return whole if whole.endswith(_PATH) else whole + _PATH


def _words(error: requests.RequestException) -> str:
    """Return why nothing came back, without addresses, which may hold a password."""
    cause: BaseException = error
    while (deeper := _cause(cause)) is not None:
        cause = deeper
    if isinstance(error, ValueError):
        return "its endpoint is not a URL such as `http://localhost:4318`"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return f"no connection ({type(cause).__name__})"


def _cause(error: BaseException) -> BaseException | None:
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__


def _fault(response: requests.Response) -> str:
    if response.status_code >= 300:
        words, said = f"{response.status_code} {response.reason}", in_one_line(response.text)
        return f"{words}: {said}" if said else words
    if response.headers.get("Content-Type", "").startswith(_PROTOBUF):
        return words_of_refused(
            ExportMetricsServiceResponse.FromString(response.content).partial_success
        )
    return ""
