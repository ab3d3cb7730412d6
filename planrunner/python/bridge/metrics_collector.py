"""`MetricsCollector` of the bridge: a `Collector` with one name for everything it records."""

from __future__ import annotations

from typing import Final

from planrunner.python.bridge.dicts import CollectedMetrics, metrics_of
from planrunner.python.collecting.collector import Collector
from planrunner.python.keywords import AnyPath, NameOrNames

__all__ = ["MetricsCollector"]

_MS_PER_S: Final = 1000
_REQUEST: Final = "request"


class MetricsCollector:
    """Collects response times and errors between `start_collection` and `stop_collection`.

    What is recorded outside of them is left out. Each collection is an ordinary run, which
    `stop_collection` writes: see `Collector`, which does the work.

    Args:
        name: What the plan of a run is: runs of the same name are compared with each other.
        out: The directory of the first collection's run; None for a new one below `reports`.
        formats: The reports to write besides metrics.json.
    """

    def __init__(
        self,
        name: str = "metrics",
        *,
        out: AnyPath | None = None,
        formats: NameOrNames = "report.html",
    ) -> None:
        self._name = name
        self._out = out
        self._formats = formats
        self._collector: Collector | None = None
        self._is_collecting = False

    def start_collection(self) -> None:
        """Begin a collection; what was collected before is forgotten, though its run stays.

        Raises:
            CannotRun: The run's directory can't be made, or has files of an earlier run.
            UsageError: There is no such report.
        """
        self.reset()
        self._collector = Collector(self._name, self._out, formats=self._formats)
        self._out = None
        self._is_collecting = True

    def stop_collection(self) -> None:
        """End the collection and write its run; without a collection, do nothing.

        Raises:
            CannotRun: It can't be written.
        """
        self._is_collecting = False
        if self._collector is not None:
            self._collector.close()

    def record_response_time(self, response_time_ms: float) -> None:
        """Record that a request succeeded, and how long it took.

        Args:
            response_time_ms: In milliseconds.

        Raises:
            UsageError: The time is negative or not a number.
        """
        if self._is_collecting and self._collector is not None:
            self._collector.record(_REQUEST, response_time_ms / _MS_PER_S)

    def record_error(self, error_type: str, error_message: str = "") -> None:
        """Record that a request failed; it has no part in response times.

        Args:
            error_type: How, in a word such as `timeout`.
            error_message: What reports show of the first ones.

        Raises:
            UsageError: The type is empty, or `aborted`.
        """
        if self._is_collecting and self._collector is not None:
            self._collector.error(_REQUEST, error_type, reason=error_message)

    def get_metrics(self) -> CollectedMetrics:
        """Return what the last collection has come to; it may go on."""
        if self._collector is None:
            return metrics_of(None, 0.0)
        return metrics_of(self._collector.total, self._collector.duration.s)

    def reset(self) -> None:
        """End the collection, if there is one, and forget it.

        Raises:
            CannotRun: Its run can't be written.
        """
        self.stop_collection()
        self._collector = None
