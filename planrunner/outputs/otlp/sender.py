"""Exports with the official exporter, which says only in its log why one failed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import requests
from opentelemetry.exporter.otlp.proto.http import metric_exporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics.export import MetricExportResult

import planrunner
from planrunner.outputs.otlp.moment import Moment
from planrunner.outputs.otlp.run_metrics import metrics_data, run_resource

__all__ = ["MetricSender", "metrics_url"]

_PATH: Final = "/v1/metrics"
_PROTOBUF: Final = "application/x-protobuf"
_MOST_WORDS: Final = 200


class MetricSender:
    """Sends a run to a receiver; its methods block.

    Args:
        run: Attributes of everything that is sent.
        timeout_s: For sending once, with the repetitions that the protocol asks for.
    """

    def __init__(
        self, endpoint: str, headers: Mapping[str, str], *, run: Mapping[str, str], timeout_s: float
    ) -> None:
        self._session = _WatchedSession()
        self._exporter = OTLPMetricExporter(
            endpoint=metrics_url(endpoint),
            headers=headers,
            timeout=timeout_s,
            session=self._session,
        )
        self._resource = run_resource(run, planrunner.__version__)

    def send(self, moment: Moment) -> str:
        """Send what a run has come to; return why it did not arrive, empty if it did."""
        data = metrics_data(moment, self._resource, planrunner.__version__)
        self._session.fault, self._session.unanswered = "", 0
        outcome = MetricExportResult.FAILURE
        with _silent_here(metric_exporter.__name__), suppress(_NobodyThereError):
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
        said = " ".join(response.text.split())[:_MOST_WORDS]
        words = f"{response.status_code} {response.reason}"
        return f"{words}: {said}" if said.isprintable() and said else words
    if response.headers.get("Content-Type", "").startswith(_PROTOBUF):
        partial = ExportMetricsServiceResponse.FromString(response.content).partial_success
        if partial.rejected_data_points:
            return f"it refused {partial.rejected_data_points:,} points: {partial.error_message}"
    return ""


@contextmanager
def _silent_here(name: str) -> Iterator[None]:
    """Keep a logger quiet about what this thread does; others may use the same library."""
    here, logger = threading.get_ident(), logging.getLogger(name)

    def is_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(is_elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(is_elsewhere)
