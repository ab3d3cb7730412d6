"""Compiles plans from text, and runs whole projects through the command line."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest

from planrunner.cli.group import run
from planrunner.compiler import compile_plan
from planrunner.compiler.review import review
from planrunner.graph import RunGraph
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import CheckedPlan, load_bundle
from planrunner.plan.params.resolve import ParamSources

__all__ = [
    "Ended",
    "Finding",
    "PlanProject",
    "compiled",
    "findings",
    "loaded",
    "plan_text",
    "running",
]

_USERS = "users: {A: {tasks: [{get: /}]}}"
_LOAD = "stages: [{duration: 1s, users: 1}]"


def plan_text(*sections: str, url: str = "http://127.0.0.1:1") -> str:
    """Return a whole plan: `sections`, and what they leave out of name, target, users and load."""
    given = "\n".join(dedent(section).strip("\n") for section in sections)
    keys = {line.split(":")[0] for line in given.splitlines() if line[:1].isalpha()}
    lines = [given]
    if "name" not in keys:
        lines.append("name: test")
    if "http" not in keys:
        lines.append(f'http: {{base_url: "{url}"}}')
    if "users" not in keys:
        lines.append(_USERS)
    if not keys & {"stages", "phases", "profiles"}:
        lines.append(_LOAD)
    return "\n".join(lines) + "\n"


def loaded(
    *sections: str, overrides: Mapping[str, str] | None = None, need_secrets: bool = False
) -> CheckedPlan:
    text = plan_text(*sections)
    sources = ParamSources(overrides or {}, None, {}, need_secrets)
    return load_bundle(Bundle("plan.yaml", {"plan.yaml": text}), sources)


def compiled(*sections: str, overrides: Mapping[str, str] | None = None, **more: Any) -> RunGraph:
    """Compile `plan_text(*sections)`; `more` goes to `compile_plan`."""
    return compile_plan(loaded(*sections, overrides=overrides), **more)


class Finding(NamedTuple):
    """A diagnostic; `marked` is the text above its carets."""

    code: str
    marked: str
    message: str
    hint: str


def findings(*sections: str, **more: Any) -> list[Finding]:
    """Return all that is wrong with `plan_text(*sections)`; fails when nothing is."""
    with pytest.raises(PlanError) as failed:
        compiled(*sections, **more)
    return [_finding(fault) for fault in review(failed.value)]


def _finding(fault: Diagnostic) -> Finding:
    span = fault.span
    end = span.end_column - 1 if span.end_line == span.line else None
    return Finding(fault.code.value, fault.source[span.column - 1 : end], fault.message, fault.hint)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended.

    Attributes:
        files: What it wrote: every file of the directory that was not there before.
    """

    code: int
    out: str
    err: str
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, Any]:
        """The one metrics.json among the files."""
        [path] = [path for name, path in self.files.items() if name.endswith("metrics.json")]
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines of the one results.csv that are results.

        That is, without what was aborted at the end, or sent when the measured time was over: on a
        busy machine each run may have one of those.
        """
        rows = self.all_rows
        return [row for row in rows if row["kind"] != "aborted" and row["after"] == "false"]

    @property
    def all_rows(self) -> list[dict[str, str]]:
        """Every line of the one results.csv."""
        [path] = [path for name, path in self.files.items() if name.endswith("results.csv")]
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class PlanProject:
    """A directory with plans in it, and the command line in that directory."""

    def __init__(
        self,
        directory: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def write(self, files: Mapping[str, str | bytes]) -> PlanProject:
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def run(self, *arguments: str) -> Ended:
        """Run a command line in this process."""
        before = self._files()
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch:
            patch.chdir(self.directory)
            code = run(arguments)
        out, err = self._capsys.readouterr()
        return Ended(code, out, err, self._new(before))

    def spawn(
        self, *arguments: str, env: Mapping[str, str] | None = None, first: str = "", **more: Any
    ) -> subprocess.Popen[str]:
        """Start a command line in a process of its own, which executes the Python of `first`.

        `more` goes to `Popen`.
        """
        root = Path(__file__).parents[2]
        code = f"{first}\nfrom planrunner.cli.main import main\nmain()"
        command = ["-c", code] if first else ["-m", "planrunner"]
        return subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(root), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **more,
        )

    def run_apart(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> Ended:
        """Run a command line in a process of its own."""
        before = self._files()
        with self.spawn(*arguments, env=env, **more) as process:
            out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err, self._new(before))

    def end(self, process: subprocess.Popen[str]) -> Ended:
        """Wait for a spawned command; files are all that are there."""
        with process:
            out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err, self._files())

    def _files(self) -> dict[str, Path]:
        paths = (path for path in self.directory.rglob("*") if path.is_file())
        return {str(path.relative_to(self.directory)): path for path in sorted(paths)}

    def _new(self, before: Mapping[str, Path]) -> dict[str, Path]:
        return {name: path for name, path in self._files().items() if name not in before}


Serving = AbstractAsyncContextManager[Any]


@contextmanager
def running(serving: Serving) -> Iterator[Any]:
    """Keep an asynchronous server up in a thread of its own, beside a test that is not."""
    ready: threading.Event = threading.Event()
    box: list[Any] = []

    async def keep() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        async with serving as server:
            box.extend((server, lambda: loop.call_soon_threadsafe(ended.set)))
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(keep(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield box[0]
    finally:
        box[1]()
        thread.join(10)
