"""Sends a run to a receiver of OpenTelemetry, whichever protocol it speaks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from opentelemetry.sdk.metrics.export import MetricsData

import planrunner
from planrunner.outputs.otlp.moment import Moment
from planrunner.outputs.otlp.run_metrics import metrics_data, run_resource

__all__ = ["Exporting", "MetricSender", "silent_here"]


class Exporting(Protocol):
    """One of the official exporters, which say only in their logs why an export failed."""

    def export(self, data: MetricsData) -> str:
        """Send something; return why it did not arrive, empty if it did."""

    def close(self) -> None:
        """Give up what is being sent, as far as that can be."""


class MetricSender:
    """Sends a run; its methods block.

    Args:
        run: Attributes of everything that is sent.
    """

    def __init__(self, exporting: Exporting, run: Mapping[str, str]) -> None:
        self._exporting = exporting
        self._resource = run_resource(run, planrunner.__version__)

    def send(self, moment: Moment) -> str:
        """Send what a run has come to; return why not all of it arrived, empty if it did."""
        for data in metrics_data(moment, self._resource, planrunner.__version__):
            fault = self._exporting.export(data)
            if fault:
                return fault
        return ""

    def close(self) -> None:
        self._exporting.close()


@contextmanager
def silent_here(name: str) -> Iterator[None]:
    """Keep a logger quiet about what this thread does; others may use the same library."""
    here, logger = threading.get_ident(), logging.getLogger(name)

    def is_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(is_elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(is_elsewhere)
