"""planrunner: performance tests as reviewed YAML plans.

From Python, `run` runs a plan and returns its `Result`. Each name is imported when it is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the one of `typing` costs an import
if TYPE_CHECKING:
    from planrunner.errors import (
        CannotRun,
        Interrupted,
        PackageMissing,
        PlanrunnerError,
        UsageError,
    )
    from planrunner.language.diagnostics import Diagnostic, PlanError
    from planrunner.python.benchmarks import benchmark, benchmark_async
    from planrunner.python.bridge.adapters import ApacheBenchAdapter, K6Adapter, LocustAdapter
    from planrunner.python.bridge.benchmark_result import BenchmarkResult
    from planrunner.python.bridge.benchmark_runner import BenchmarkRunner
    from planrunner.python.bridge.client import PerformanceClient
    from planrunner.python.bridge.metrics_collector import MetricsCollector
    from planrunner.python.calls import run, run_async
    from planrunner.python.collecting.collector import Collector
    from planrunner.python.plans import Plan
    from planrunner.python.quick import StressResult, load_test, stress_test
    from planrunner.python.results.benchmark_result import Benchmark
    from planrunner.python.results.compared import ComparedRuns, RunComparison, compare
    from planrunner.python.results.elapsed import Elapsed
    from planrunner.python.results.figures import (
        Figures,
        FiguresByName,
        PhaseFigures,
        SeriesFigures,
    )
    from planrunner.python.results.result import FailedRequests, Result, load
    from planrunner.python.stream import LiveFigures, RunSecond, RunStream, stream
    from planrunner.python.tasks.user import User, UserReply
    from planrunner.runner.api import ResultLost

__all__ = [
    "ApacheBenchAdapter",
    "Benchmark",
    "BenchmarkResult",
    "BenchmarkRunner",
    "CannotRun",
    "Collector",
    "ComparedRuns",
    "Diagnostic",
    "Elapsed",
    "FailedRequests",
    "Figures",
    "FiguresByName",
    "Interrupted",
    "K6Adapter",
    "LiveFigures",
    "LocustAdapter",
    "MetricsCollector",
    "PackageMissing",
    "PerformanceClient",
    "PhaseFigures",
    "Plan",
    "PlanError",
    "PlanrunnerError",
    "Result",
    "ResultLost",
    "RunComparison",
    "RunSecond",
    "RunStream",
    "SeriesFigures",
    "StressResult",
    "UsageError",
    "User",
    "UserReply",
    "__version__",
    "benchmark",
    "benchmark_async",
    "compare",
    "load",
    "load_test",
    "run",
    "run_async",
    "stream",
    "stress_test",
]

# A constant that hatch reads: `importlib.metadata` costs seven bare interpreter starts.
__version__ = "0.1.0"

_HOMES = {
    "errors": ("CannotRun", "Interrupted", "PackageMissing", "PlanrunnerError", "UsageError"),
    "language.diagnostics": ("Diagnostic", "PlanError"),
    "python.benchmarks": ("benchmark", "benchmark_async"),
    "python.bridge.adapters": ("ApacheBenchAdapter", "K6Adapter", "LocustAdapter"),
    "python.bridge.benchmark_result": ("BenchmarkResult",),
    "python.bridge.benchmark_runner": ("BenchmarkRunner",),
    "python.bridge.client": ("PerformanceClient",),
    "python.bridge.metrics_collector": ("MetricsCollector",),
    "python.calls": ("run", "run_async"),
    "python.quick": ("StressResult", "load_test", "stress_test"),
    "python.results.benchmark_result": ("Benchmark",),
    "python.results.compared": ("ComparedRuns", "RunComparison", "compare"),
    "python.results.elapsed": ("Elapsed",),
    "python.results.figures": ("Figures", "FiguresByName", "PhaseFigures", "SeriesFigures"),
    "python.collecting.collector": ("Collector",),
    "python.plans": ("Plan",),
    "python.results.result": ("FailedRequests", "Result", "load"),
    "python.stream": ("LiveFigures", "RunSecond", "RunStream", "stream"),
    "python.tasks.user": ("User", "UserReply"),
    "runner.api": ("ResultLost",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            found: object = getattr(_imported(f"{__name__}.{home}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _imported(module: str) -> object:
    """Import without garbage collection: it would take a seventh of the time, and find nothing.

    Nor does the one after it look at what was imported: that is of the oldest generation then.
    """
    import gc
    from importlib import import_module

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if not gc.get_freeze_count():  # what the program has frozen stays so
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def __dir__() -> list[str]:
    return __all__
