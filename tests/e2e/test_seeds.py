"""docs/explanation/seeds.md: every command of its tables does what the row promises.

Commands run as they are written but for their size: fewer users, less time, and a local server in
place of `http://localhost:8000`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from planrunner.demo import HttpServer
from planrunner.demo.http_server import Response
from planrunner.demo.platform import platform
from tests.support.etcd_servers import free_ports
from tests.support.plans import PlanProject, running
from tests.support.run_directories import make_run_directory

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "explanation" / "seeds.md").read_text("utf-8")
LATER: Final = re.compile(r"later \([A-Za-z ]+\)")
IN_PYTHON: Final = re.compile(r"in Python: \[[^]]+\]\(\.\./how-to/[\w-]+\.md[^)]*\)")
"""A page whose examples run in tests of their own."""

KINDS: Final = (re.compile(r"`planrunner [^`]+`"), LATER, IN_PYTHON)
NOTHING_THERE: Final = "http://127.0.0.1:9"


class Promise(NamedTuple):
    """A row of a table: what is promised, and the command for it, `later` without one."""

    words: str
    command: str


def sections() -> dict[str, list[Promise]]:
    """Return the rows of each table by its heading."""
    found = {}
    for part in PAGE.split("\n## ")[1:]:
        rows = re.findall(r"^\| (.*) \| (.*) \|$", part, re.MULTILINE)
        found[part.partition("\n")[0]] = [Promise(*row) for row in rows[1:]]
    return found


SECTIONS: Final = sections()


@asynccontextmanager
async def target() -> AsyncIterator[str]:
    """Serve what the commands of the page request at ports 8000 and 8086."""
    router = platform()
    for method, path in (
        *(("GET", path) for path in ("/", "/docs", "/endpoint")),
        *(("POST", path) for path in ("/api/custom", "/query", "/write")),
    ):
        router.add(method, path, lambda _: Response({"ok": True}))
    server = HttpServer(router)
    yield f"http://127.0.0.1:{await server.start()}"
    await server.stop()


STAGES: Final = "500ms:6, 1s:6, 500ms:0"

OPTIONS: Final = {
    "--hold": "1s",
    "--run-time": "1s",
    "--users": "6",
    "--spawn-rate": "100/s",
    "--stages": STAGES,
}
PORTS: Final = {"--metrics-port": str(free_ports(1)[0])}
PARAMS: Final = {
    "users": "2", "duration": "1", "max_users": "20", "ramp_up": "1", "ops": "20", "workers": "2",
    "requests": "20", "hold": "1s", "start_users": "10", "step_users": "10", "step_duration": "1s",
}  # fmt: skip
"""What options and params have where a command has them."""

FEW_USERS: Final = ("--users", "6", "--hold", "1s", "--spawn-rate", "100/s")
ETCD_LOADS: Final = tuple(
    f"--override=phases.{name}.{key}"
    for name in ("low", "medium", "high")
    for key in ("spawn_rate=100/s", "users.ApiUser=5")
)
PLANS: Final = {
    "platform": FEW_USERS,
    "quickstart": FEW_USERS,
    "platform k6": ("--stages", STAGES),
    "platform spike_k6": ("--stages", STAGES),
    "services-load": ("--override=profiles.quick.0.hold=1s",),
    "services-load quick": ("--override=profiles.quick.0.hold=1s",),
    "services-load all": ("--hold", "1s"),
    "etcd-helper": ("--set", "hold=2s", "--set", "ops=20", *ETCD_LOADS),
    "ci-gate": ("--set", "hold=1s", "--override=phases.gate.warmup=0s"),
}
"""What makes the load of a plan and profile small, where a command does not say how much it is."""


def brief(words: list[str]) -> Iterator[str]:
    """Yield a command with less load and in less time."""
    for before, word in pairwise(["", *words]):
        name, _, value = word.partition("=")
        if before == "--set":
            yield f"{name}={PARAMS.get(name, value)}"
        else:
            yield OPTIONS.get(before, PORTS.get(before, word))
    if words[0] == "doctor":
        yield from ("--seconds", "1")
    if words[0] == "execute" and "--once" not in words:
        plan = Path(words[1]).stem
        profile = words[words.index("--profile") + 1] if "--profile" in words else ""
        more = PLANS.get(f"{plan} {profile}", PLANS.get(plan, ()))
        yield from () if set(OPTIONS) & set(words) else more


def is_broken(promise: Promise, project: PlanProject, url: str) -> str:
    """Run the command of a row; return what is wrong with it, and nothing if it works."""
    run = str(project.directory / "run")
    text = promise.command.strip("`").replace("http://localhost:8000", url)
    text = text.replace("http://localhost:8086", url)
    text = text.replace("http://localhost:9", NOTHING_THERE)
    program, *words = [run if word == "RUN" else word for word in shlex.split(text)]
    ended = project.run(*brief(words))
    expected = re.search(r"exit code (\d)", promise.words)
    # 1 and 5: a limit that so little load, or a busy machine, does not keep.
    allowed = (int(expected[1]),) if expected else (0, 1, 5) if words[0] == "execute" else (0,)
    shown = f"{promise.command}: {ended.code}\n{ended.out}\n{ended.err}"
    if program != "planrunner" or ended.code not in allowed or "Traceback" in ended.err:
        return shown
    sends = words[0] in ("execute", "run") and "--once" not in words and not expected
    failed = re.findall(
        r"none failed|[\d.]+ %(?=  )", ended.out
    )  # a run says it, a table of runs has it
    return "" if not sends or {*failed} & {"none failed", "0 %"} else shown


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.parametrize("section", SECTIONS)
def test_each_command_of_the_page_works(project: PlanProject, section: str) -> None:
    """In the order of the table, in a folder with the shipped plans and the directory of a run."""
    if "etcd" in section and shutil.which("etcd") is None and not os.environ.get("CI"):
        pytest.skip("needs etcd: apt-get install etcd-server")
    shutil.copytree(ROOT / "plans", project.directory / "plans")
    make_run_directory(project.directory / "run")

    with running(target()) as url:
        commands = [row for row in SECTIONS[section] if row.command.startswith("`")]
        broken = [found for row in commands if (found := is_broken(row, project, url))]

    assert broken == [], "\n\n".join(broken)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_row_has_a_command_or_says_what_brings_it(section: str) -> None:
    """Or a page on Python; every table has both, and a command is one of planrunner's."""
    rows = SECTIONS[section]

    assert rows
    assert [row for row in rows if not any(kind.fullmatch(row.command) for kind in KINDS)] == []
