"""`PerformanceClient` of the bridge: load for one URL, answered with dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypedDict

from planrunner.errors import CannotRun, UsageError
from planrunner.python.bridge.adapters import ADAPTERS
from planrunner.python.bridge.answers import TOOL, AskedLoad, stress_answer, unstressed
from planrunner.python.bridge.benchmark_result import BenchmarkResult, result_of
from planrunner.python.bridge.benchmark_runner import BenchmarkRunner
from planrunner.python.bridge.dicts import LoadTestAnswer, LoadTestComparison, StressTestAnswer
from planrunner.python.bridge.given_client import GivenClient
from planrunner.python.keywords import NameOrNames, RequestKeywords
from planrunner.python.quick import load_test, request_test, stress_test

__all__ = ["PerformanceClient"]


class _LimitKeyword(TypedDict, total=False):
    """The keyword that `load_test` and `stress_test` share, left out for what each has."""

    thresholds: NameOrNames


class PerformanceClient:
    """Load, stress and benchmarks of one URL, with the answers that code of the bridge expects.

    Thin over `load_test` and `stress_test`: use those in new programs.

    Args:
        tool: `auto` or `planrunner`, which mean the same; or `k6`, `locust` or `ab`, which then
            send the load of `load_test`.
        http_client: A client such as `httpx.AsyncClient(base_url=…)`. URLs may then be relative to
            its `base_url`; its headers are sent with all load; `benchmark` sends its requests with
            it; `close` closes it.
        thresholds: What must hold for `success`, and at each step of a stress test, as plans write
            it; None for those of `load_test` and `stress_test`.

    Raises:
        UsageError: There is no such tool.
    """

    def __init__(
        self,
        tool: str = "auto",
        http_client: object = None,
        *,
        thresholds: NameOrNames | None = None,
    ) -> None:
        if tool not in ("auto", TOOL, *ADAPTERS):
            known = ", ".join(f'"{name}"' for name in ("auto", TOOL, *ADAPTERS))
            raise UsageError(f"tool: `{tool}` is none of {known}", hint='give tool="auto"')
        self.tool = tool
        self.http_client = http_client
        self._given = GivenClient(http_client)
        self._limits: _LimitKeyword = {} if thresholds is None else {"thresholds": thresholds}
        self._is_closed = False

    async def load_test(
        self, target_url: str, users: int = 10, duration: float = 60, ramp_up: float = 5
    ) -> LoadTestAnswer:
        """Send GET requests over and over from a number of users.

        A target that does not answer raises nothing: `success` is False, and `errors` says why.

        Args:
            target_url: Where to.
            users: How many users, each of which waits for its reply.
            duration: How many seconds all of them go on, after the ramp.
            ramp_up: How many seconds the users take to start.

        Raises:
            UsageError: An argument can't be, or the client is closed.
            PlanError: A threshold or another argument is invalid.
        """
        url = self._url(target_url)
        if self.tool in ADAPTERS:
            return await ADAPTERS[self.tool]().run_load_test(
                url, users, duration, ramp_up, headers=self._given.headers, **self._limits
            )
        asked = AskedLoad(url, users, duration)
        try:
            result = await load_test(
                url,
                users=users,
                duration=duration,
                ramp_up=ramp_up,
                **self._limits,
                **self._request(),
            )
        except CannotRun as error:
            return asked.unanswered(error)
        return asked.answered(result)

    async def stress_test(
        self,
        target_url: str,
        start_users: int = 10,
        max_users: int = 200,
        step_users: int = 10,
        step_duration: float = 30,
    ) -> StressTestAnswer:
        """Send GET requests over and over from more and more users, until a threshold breaks.

        Args:
            target_url: Where to.
            start_users: The first number of users.
            max_users: The last one to try.
            step_users: How many more users each step has.
            step_duration: How many seconds each step lasts.

        Raises:
            UsageError: An argument can't be, or the client is closed.
            PlanError: A threshold or another argument is invalid.
        """
        url = self._url(target_url)
        if self.tool in ADAPTERS:
            raise UsageError(
                f"tool: {self.tool} takes no other load while it runs, as a search needs",
                hint='give tool="auto"',
            )
        try:
            result = await stress_test(
                url,
                start_users=start_users,
                max_users=max_users,
                step_users=step_users,
                step_duration=step_duration,
                **self._limits,
                **self._request(),
            )
        except CannotRun as error:
            return unstressed(AskedLoad(url, start_users, step_duration), error)
        return stress_answer(url, result)

    async def run_comparison(
        self, target_url: str, configs: Iterable[Mapping[str, Any]]
    ) -> LoadTestComparison:
        """Run a load test for each configuration, one after the other.

        Args:
            target_url: Where to.
            configs: Each has arguments of `load_test`: `users`, `duration`, `ramp_up`.

        Raises:
            TypeError: A configuration has another key.
            UsageError: An argument can't be, or the client is closed.
            PlanError: A threshold or another argument is invalid.
        """
        results = [await self.load_test(target_url, **config) for config in configs]
        successful = sum(one["success"] for one in results)
        return {
            "target_url": target_url,
            "total_tests": len(results),
            "successful_tests": successful,
            "failed_tests": len(results) - successful,
            "results": results,
        }

    async def benchmark(self, target_url: str, requests: int = 100) -> BenchmarkResult:
        """Send a number of GET requests one after the other.

        The client's `http_client` sends them if it has a method `get`, so that whatever is special
        about it counts, and is measured too. Else planrunner does.

        Args:
            target_url: Where to.
            requests: How many.

        Raises:
            UsageError: An argument can't be, or the client is closed.
            PlanError: An argument is invalid.
            CannotRun: The target or the report directory is not ready.
        """
        url = self._url(target_url)
        if self._given.can_send:
            return await BenchmarkRunner().benchmark_endpoint(
                self.http_client, "GET", target_url, iterations=requests
            )
        result = await request_test(url, requests=requests, **self._request())
        return result_of(result, f"GET {target_url}", {"method": "GET", "url": target_url})

    async def close(self) -> None:
        """Close the client, and its `http_client`."""
        self._is_closed = True
        await self._given.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _url(self, target_url: str) -> str:
        if self._is_closed:
            raise UsageError("the client is closed", hint="open another one")
        return self._given.absolute(target_url)

    def _request(self) -> RequestKeywords:
        headers = self._given.headers
        return {"headers": headers} if headers else {}
