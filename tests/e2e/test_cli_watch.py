"""`execute --watch`: each save of a plan or its files tries it again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planrunner.cli.plan_options import PlanOptions
from planrunner.cli.watch.watching import _files_of
from tests.support.http_servers import HttpServer, Request, Wire, serve
from tests.support.plans import PlanProject, plan_text, running

PLAN = """
data: {words: {csv: data/words.csv}}
users: {A: {tasks: [{task: t, steps: [{get: "/${words.word}"}]}]}}
"""


def until(stream: Iterator[str], words: str) -> str:
    """Return the next line with these words."""
    return next(line for line in stream if words in line)


@contextmanager
def watching(project: PlanProject, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Watch a plan; whoever waits for what never comes sees the end of it in the end."""
    process = project.spawn("execute", "plan.yaml", "--watch", *options)
    patience = threading.Timer(120, process.kill)
    patience.start()
    try:
        yield process
    finally:
        patience.cancel()
        process.kill()
        process.communicate()


def test_the_files_of_a_plan_are_those_that_it_opens(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imports, data, hooks and what these may import, there or not; of a broken plan its own."""
    imports = "imports: [shared/more.yaml]\nhooks: hooks.py\n"
    plan = plan_text(imports + PLAN.strip())
    project.write({"plan.yaml": plan, "shared/more.yaml": "flows: {}", "planrunner.yaml": ""})
    project.write({"hooks.py": "import helper", "helper.py": "import lib.inner", "other.txt": ""})
    project.write({"lib/inner/__init__.py": "", "lib/inner/words.txt": ""})
    monkeypatch.chdir(project.directory)

    files = _files_of(Path("plan.yaml"), PlanOptions())
    project.write({"plan.yaml": f"{plan}\nnonsense: [1\n"})
    broken = _files_of(Path("plan.yaml"), PlanOptions())

    assert {str(file.relative_to(project.directory)) for file in files} == {
        "plan.yaml",
        "planrunner.yaml",
        "shared/more.yaml",
        "data/words.csv",
        "hooks.py",
        "helper.py",
        "lib/inner/__init__.py",
        "lib/inner/words.txt",
    }
    assert project.directory / "plan.yaml" in broken


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT can't be sent to one process")
def test_each_save_tries_the_plan_again(project: PlanProject, target: HttpServer) -> None:
    """Its data too, with the options of the first time; a broken plan is waited for."""
    plan = plan_text(PLAN, url=target.url)
    project.write({"plan.yaml": plan.replace("users:", "user:"), "data/words.csv": "word\nfirst\n"})

    with watching(project, "--user", "A", "-v") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        until(process.stderr, "error[unknown-key]")
        until(process.stderr, "watching")
        (project.directory / "new").write_text(plan)
        (project.directory / "new").rename(project.directory / "plan.yaml")  # as editors do
        until(process.stdout, "/first")
        words = until(process.stderr, "watching")
        assert words == "watching plan.yaml and 1 more file; Ctrl-C ends\n"
        project.write({"data/words.csv": "word\nsecond\n"})
        until(process.stdout, "/second")
        until(process.stderr, "watching")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT can't be sent to one process")
def test_a_try_ends_with_what_watches_it(project: PlanProject) -> None:
    """Gracefully, so that services stop; the code says that it was not over."""
    begun, ended = asyncio.Event(), []

    async def hang(_: Request, wire: Wire) -> None:
        begun.set()
        ended.append(await wire.reader.read())

    with running(serve(hang)) as target:
        project.write({"plan.yaml": plan_text(url=target.url)})
        with watching(project) as process:
            while not target.requests:
                assert process.poll() is None
                signal.sigtimedwait([], 0.02)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert ended == [b""]
