"""Adapters of the bridge: load for one URL from another tool, read as any phase of that tool is."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final
from urllib.parse import urlsplit

from planrunner.errors import CannotRun, UsageError
from planrunner.python.bridge.answers import AskedLoad
from planrunner.python.bridge.dicts import LoadTestAnswer
from planrunner.python.calls import run_async
from planrunner.python.keywords import AnyPath, NameOrNames
from planrunner.python.plans import Plan
from planrunner.tools.installed import find_program
from planrunner.tools.registry import named_tool
from planrunner.values import dataclass

__all__ = ["ADAPTERS", "ApacheBenchAdapter", "K6Adapter", "LocustAdapter"]

_THRESHOLDS: Final = ("error_rate < 1%",)
_LEEWAY_S: Final = 60.0
_MOST_REQUESTS: Final = 1_000_000

_K6: Final = """\
import http from 'k6/http';
const headers = %s;
export default function () {
  http.get(__ENV.TARGET_URL, { headers, tags: { name: __ENV.REQUEST_NAME } });
}
"""
_LOCUST: Final = """\
import os
from locust import HttpUser, task


class UrlVisitor(HttpUser):
    @task
    def visit(self):
        headers = %s
        self.client.get(os.environ["TARGET_URL"], name=os.environ["URL_PATH"], headers=headers)
"""


@dataclass(frozen=True, slots=True)
class AdaptedLoad:
    """What a tool is to do.

    Attributes:
        url: With a path.
        ramp_up: Seconds until all users are there.
        folder: For a script, where none is given.
    """

    url: str
    users: int
    duration: float
    ramp_up: float
    headers: Mapping[str, str]
    folder: Path

    @property
    def path(self) -> str:
        """The URL without its host."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


class ToolAdapter(ABC):
    """Load for one URL from a tool that is installed."""

    tool: ClassVar[str]

    async def is_available(self) -> bool:
        """Say whether the tool is installed."""
        return bool(await asyncio.to_thread(find_program, named_tool(self.tool)))

    async def run_load_test(
        self,
        target_url: str,
        users: int = 10,
        duration: float = 60,
        ramp_up: float = 0,
        *,
        thresholds: NameOrNames = _THRESHOLDS,
        headers: Mapping[str, str] | None = None,
    ) -> LoadTestAnswer:
        """Have the tool load a URL.

        A tool or target that is not there raises nothing: `success` is False, and `errors` says
        why.

        Args:
            target_url: Where to.
            users: How many users, each of which waits for its reply.
            duration: How many seconds all of them go on, after the ramp.
            ramp_up: How many seconds the users take to start.
            thresholds: What must hold for `success`, as plans write it.
            headers: Of each request; only where no script is given.

        Raises:
            UsageError: An argument can't be.
            PlanError: A threshold is invalid, or the script is not there.
        """
        if users < 1 or duration <= 0 or ramp_up < 0:
            raise UsageError("users, duration: write at least one user, and some time")
        asked = AskedLoad(target_url, users, duration, tool=self.tool)
        with TemporaryDirectory() as folder:
            url = target_url if urlsplit(target_url).path else f"{target_url}/"
            load = AdaptedLoad(url, users, duration, ramp_up, headers or {}, Path(folder))
            plan = Plan(
                name=_plain(f"{self.tool} {target_url}"),
                phases=[
                    {
                        "name": "main",
                        "tool": self.tool,
                        "timeout": f"{duration + ramp_up + _LEEWAY_S}s",
                        **self._phase(load),
                    }
                ],
                thresholds=[thresholds] if isinstance(thresholds, str) else [*thresholds],
            )
            try:
                return asked.answered(await run_async(plan))
            except CannotRun as error:
                return asked.unanswered(error)

    @abstractmethod
    def _phase(self, load: AdaptedLoad) -> Mapping[str, object]:
        """Return the keys of a phase that sends the load."""


class K6Adapter(ToolAdapter):
    """Load from k6.

    Args:
        script: The script to run, which reads the URL from `__ENV.TARGET_URL`, and its beginning
            from `__ENV.BASE_URL`; None for one that gets the URL over and over. Its own options
            for load are not used.
    """

    tool = "k6"

    def __init__(self, script: AnyPath | None = None) -> None:
        self._script = script

    def _phase(self, load: AdaptedLoad) -> Mapping[str, object]:
        script = _script(self._script, load, "load.js", _K6)
        level = ["--vus", str(load.users), "--duration", f"{load.duration}s"]
        if load.ramp_up:
            stages = f"{load.ramp_up}s:{load.users},{load.duration}s:{load.users}"
            level = ["--vus", "1", "--stage", stages]
        name = f"GET {load.path}"
        return {
            "script": script,
            "args": level,
            "env": {**_env(load), "REQUEST_NAME": _plain(name)},
        }


class LocustAdapter(ToolAdapter):
    """Load from Locust.

    Args:
        locustfile: The file to run, whose `host` the URL's beginning is; None for one that gets the
            URL over and over.
    """

    tool = "locust"

    def __init__(self, locustfile: AnyPath | None = None) -> None:
        self._locustfile = locustfile

    def _phase(self, load: AdaptedLoad) -> Mapping[str, object]:
        env = _env(load)
        rate = load.users / load.ramp_up if load.ramp_up else load.users
        seconds = max(round(load.duration + load.ramp_up), 1)
        level = ["--users", load.users, "--spawn-rate", rate, "--run-time", f"{seconds}s"]
        return {
            "script": _script(self._locustfile, load, "locustfile.py", _LOCUST),
            "args": ["--host", env["BASE_URL"], *map(str, level)],
            "env": env,
        }


class ApacheBenchAdapter(ToolAdapter):
    """Load from ApacheBench, which has no ramp: all users start at once, and go on as long."""

    tool = "ab"

    def _phase(self, load: AdaptedLoad) -> Mapping[str, object]:
        seconds = max(round(load.duration + load.ramp_up), 1)
        headers = [word for pair in load.headers.items() for word in ("-H", ": ".join(pair))]
        # `-t` also sets a number, so this one comes after it; ab needs at least one for each user.
        limits = ["-t", seconds, "-n", max(_MOST_REQUESTS, load.users), "-c", load.users, "-k"]
        return {"args": [_plain(str(word)) for word in (*limits, "-r", *headers, load.url)]}


ADAPTERS: Final[Mapping[str, type[ToolAdapter]]] = {
    adapter.tool: adapter for adapter in (K6Adapter, LocustAdapter, ApacheBenchAdapter)
}
"""By the name of the tool, as `PerformanceClient` takes it."""


def _script(given: AnyPath | None, load: AdaptedLoad, name: str, text: str) -> str:
    if given is not None:
        return _plain(str(Path(given).absolute()))
    path = load.folder / name
    path.write_text(text % json.dumps(dict(load.headers)), encoding="utf-8")
    return _plain(str(path))


def _env(load: AdaptedLoad) -> dict[str, str]:
    parts = urlsplit(load.url)
    return {
        "BASE_URL": _plain(f"{parts.scheme}://{parts.netloc}"),
        "TARGET_URL": _plain(load.url),
        "URL_PATH": _plain(load.path),
    }


def _plain(text: str) -> str:
    """Return a text as a plan writes it, where `${…}` would be an expression."""
    return text.replace("${", "$${")
