"""What a benchmark of the bridge came to: an object, and a dictionary for code that wants one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from planrunner.python.results.result import Result
from planrunner.values import dataclass

__all__ = ["BenchmarkResult", "result_of"]


@dataclass(frozen=True, slots=True)
class BenchmarkResult(Mapping[str, object]):
    """A benchmark, as `result.avg_time` and as `result["avg_time"]`.

    Attributes:
        name: The function, or the method and URL.
        iterations: How many there were.
        total_time: Of all of them, in seconds.
        avg_time: Of one, in milliseconds, as are the next two.
        min_time: The shortest.
        max_time: The longest.
        metadata: What else is known, such as `errors` and `directory`.
    """

    name: str
    iterations: int
    total_time: float
    avg_time: float
    min_time: float
    max_time: float
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def throughput(self) -> float:
        """Iterations per second."""
        return self.iterations / self.total_time if self.total_time else 0.0

    def to_dict(self) -> dict[str, object]:
        """Return everything by name, `throughput` included."""
        return {
            "name": self.name,
            "iterations": self.iterations,
            "total_time": self.total_time,
            "avg_time": self.avg_time,
            "min_time": self.min_time,
            "max_time": self.max_time,
            "throughput": self.throughput,
            "metadata": dict(self.metadata),
        }

    def __getitem__(self, name: str) -> object:
        return self.to_dict()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())


def result_of(result: Result, name: str, metadata: Mapping[str, object]) -> BenchmarkResult:
    """Return a run of one request as a benchmark.

    Requests come one after the other: all of them take what one takes, times their number.
    """
    total = result.total
    return BenchmarkResult(
        name,
        total.count,
        total.mean.s * total.count,
        total.mean.ms,
        total.min.ms,
        total.max.ms,
        {
            **metadata,
            "errors": total.failed,
            "error_rate": total.error_rate / 100,
            "directory": str(result.directory),
        },
    )
