"""Every command that a page shows runs as it is written, but for time, ports and strict limits.

A page is walked through from top to bottom in a folder with the shipped plans. Blocks with a title
are saved under it, the page's server answers on a free port, and each command of a block of a shell
has to end as the page says: with 0 unless `CODES` says otherwise, and with the output shown.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.doc_pages import PAGES, ROOT, Block, Command, blocks_of
from tests.support.doc_walks import Walk, alike
from tests.support.echo_servers import CARBON, ECHO, install
from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject

BLOCKS: Final = {
    page.relative_to(ROOT).as_posix(): tuple(blocks_of(page))
    for page in PAGES
    if page.parent.name != "reference"
}
COMMANDS: Final = {
    page: [command for block in blocks for command in block.commands]
    for page, blocks in BLOCKS.items()
    if any(block.commands for block in blocks)
}

NOT_RUN: Final = {
    ("README.md", ". .venv/bin/activate"): "the environment is that of the test",
    ("README.md", "pip install"): "fetches packages",
    ("docs/how-to/install.md", "python3 -m venv"): "fetches packages",
    ("docs/how-to/install.md", ".venv/bin/pip"): "fetches packages",
    ("docs/how-to/assistants.md", "pip install"): "fetches packages",
    (
        "docs/how-to/cross-check.md",
        "planrunner cross-check",
    ): "takes minutes; test_cli_cross_check.py does",
    ("docs/how-to/ide.md", "pip install"): "fetches packages",
    ("docs/how-to/ide.md", "make vsix"): "test_vscode_extension.py does",
    ("docs/how-to/ide.md", "code "): "needs a desktop",
    ("docs/how-to/ide.md", "planrunner lsp"): "serves until its editor leaves",
    ("docs/how-to/notifications.md", "pip install"): "fetches packages",
    ("docs/how-to/debug.md", "planrunner execute plan.yaml --watch"): "lasts until Ctrl-C",
    ("docs/how-to/container.md", "docker "): "needs a container engine",
    ("docs/how-to/write-a-protocol.md", "pip install planrunner-echo"): "is installed by the test",
    ("docs/how-to/write-an-output.md", "pip install planrunner-carbon"): "as above",
    ("docs/how-to/grafana.md", "pip install"): "fetches packages",
    ("docs/how-to/grafana.md", "prometheus "): "is run by test_cli_prometheus.py, on free ports",
    ("docs/how-to/grafana.md", "planrunner execute"): "is run by test_cli_prometheus.py, too",
    ("docs/how-to/live-page.md", "planrunner ui"): "serves until Ctrl-C, and opens a browser",
    ("docs/how-to/cluster.md", "pip install"): "fetches packages",
    (
        "docs/how-to/cluster.md",
        "planrunner execute plans/stress.yaml",
    ): "test_cluster_hosts.py does",
    ("docs/how-to/cluster.md", "planrunner execute plan.yaml"): "test_cluster_tls.py does",
    ("docs/how-to/cluster.md", "kubectl"): "needs Kubernetes",
    ("docs/how-to/cluster.md", "planrunner cluster check"): "is run by test_cluster_local.py",
    ("docs/how-to/sql.md", "pip install"): "fetches packages",
    ("CONTRIBUTING.md", ".ci/run"): "runs this test",
}
"""What can't run here: the page, the beginning of the line, and why."""

CODES: Final = {
    ("README.md", "planrunner validate checkout.yaml"): (2,),  # it shows what a typo looks like
    ("docs/how-to/compare.md", "--fail-on regression"): (0, 1),  # runs of a second are too short
    ("docs/how-to/export.md", "plans/quickstart.yaml"): (1,),  # k6 counts the warm-up
    ("docs/how-to/etcd.md", "plans/etcd-helper.yaml"): (0, 1),  # a second shows no growth
    ("docs/how-to/run-several-plans.md", "plans/*.yaml"): (0, 1),  # nor does it here
    ("docs/how-to/run-several-plans.md", "--fail-on regression"): (0, 1),
    ("docs/how-to/ci-github.md", "--fail-on regression"): (0, 1),
    ("docs/how-to/ci-github.md", "--strict"): (0, 5),  # the machine may be busy
    ("docs/how-to/ci-nightly.md", "--strict"): (0, 5),
    ("docs/how-to/ci-nightly.md", "--if-passed"): (0, 1),  # as above: test_shipping.py is exact
}
"""Exit codes besides 0: the page, a part of the line, and what it may end with."""

ILLUSTRATIONS: Final = {
    ("docs/explanation/stability.md", "$ planrunner validate plan.yaml"): "nothing is deprecated",
}
"""Commands outside blocks of a shell, which show what can't be made to happen."""

# What a page says is there, without showing it.
FILES: Final = {
    "README.md": {
        "checkout.yaml": """\
name: checkout
http: {base_url: "http://127.0.0.1:8000"}
users:
  Buyer:
    wiat: 1s
    tasks:
      - {get: /cart}
stages: [{duration: 1s, users: 1}]
thresholds: [p95 < 500]
""",
    },
    "docs/how-to/debug.md": {
        "plan.yaml": """\
name: shop
http: {base_url: "http://127.0.0.1:8000"}
users:
  Visitor: {tasks: [{task: look at a product, steps: [{get: /products/7}]}]}
  Buyer: {tasks: [{get: /cart}, {get: /history, tags: [slow]}]}
phases: [{name: peak, users: 4, hold: 1m}]
""",
    },
    "docs/how-to/environments.md": {
        "theirs.yaml": """\
name: theirs
http: {base_url: "http://127.0.0.1:8000"}
users: {Visitor: {wait: 100ms, tasks: [{get: /}]}}
stages: [{duration: 1m, users: 2}]
""",
    },
    "docs/how-to/write-an-output.md": {
        "plan.yaml": """\
name: shop
http: {base_url: "http://127.0.0.1:8000"}
users: {Visitor: {tasks: [{get: /}]}}
stages: [{duration: 1s, users: 1}]
outputs: [{carbon: {address: "127.0.0.1:2003"}}]
""",
    },
    "docs/how-to/write-a-protocol.md": {
        "plan.yaml": """\
name: echo
echo: {address: "127.0.0.1:7"}
users: {Talker: {steps: [{echo.send: {text: hello}}]}}
stages: [{duration: 1s, users: 1}]
""",
    },
}


FEW: Final = {"docs/how-to/run-several-plans.md": ("ci-gate", "front-page", "routes")}
"""Which of the shipped plans are there, where a page runs all; each has a test that runs it."""

PACKAGES: Final = {
    "docs/how-to/write-a-protocol.md": ECHO,
    "docs/how-to/write-an-output.md": CARBON,
}
"""What the reader of a page has written by its end."""


@pytest.fixture
def walk(
    request: pytest.FixtureRequest, project: PlanProject, target: HttpServer
) -> Iterator[Walk]:
    """A folder with what the page takes for granted: the shipped plans and its own files."""
    page: str = request.node.callspec.params["page"]
    walk = Walk(project, target.origin.port)
    plans = ROOT / "plans"
    for path in plans.rglob("*"):
        if path.is_file() and (path.parent != plans or path.stem in FEW.get(page, path.stem)):
            name = f"plans/{path.relative_to(plans).as_posix()}"
            walk.save(name, path.read_text("utf-8"))
    for name, text in FILES.get(page, {}).items():
        walk.save(name, text)
    for block in reversed(BLOCKS[page]):
        if block.title:
            walk.save(block.title, block.text)
    yield walk
    walk.end()


@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("page", COMMANDS)
def test_what_a_page_shows_runs(
    page: str, walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the page, so a command may use what an earlier one wrote."""
    if page == "docs/how-to/etcd.md" and not shutil.which("etcd"):
        pytest.skip("there is no etcd")
    if page in PACKAGES:
        (tmp_path / ".site").mkdir()
        install(PACKAGES[page], tmp_path / ".site", monkeypatch)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path[:2]))

    faults = [fault for block in BLOCKS[page] for fault in faults_of(block, walk)]

    assert not faults, "\n\n".join(faults)


def faults_of(block: Block, walk: Walk) -> Iterator[str]:
    """Yield what doesn't run as the block says, after saving it if it is a file."""
    if block.title:
        walk.save(block.title, block.text)
    commands = [one for one in block.commands if not reason_for(block.page, one)]
    ended = walk.type(commands)
    if len(ended) != len(commands):
        yield f"{block.page}:{block.line}: the shell ended early"
    for command, (code, out) in zip(commands, ended, strict=False):
        if code not in codes_of(block.page, command):
            yield f"{block.page}: `{command.text}` ended with {code}: {out}"
        printed = {alike(line) for line in out.splitlines()}
        if missing := [line for line in command.output if alike(line) not in printed]:
            yield f"{block.page}: `{command.text}` prints no lines like {missing}: {out}"


def reason_for(page: str, command: Command) -> str:
    return next(
        (
            reason
            for (where, beginning), reason in NOT_RUN.items()
            if where == page and command.text.startswith(beginning)
        ),
        "",
    )


def codes_of(page: str, command: Command) -> tuple[int, ...]:
    found = [
        codes for (where, part), codes in CODES.items() if where == page and part in command.text
    ]
    return found[0] if found else (0,)


def test_exceptions_are_still_shown() -> None:
    """What a page no longer says needs no exception."""
    lines = {page: [one.text for one in commands] for page, commands in COMMANDS.items()}
    unused = [
        *(key for key in NOT_RUN if not any(line.startswith(key[1]) for line in lines[key[0]])),
        *(
            (page, line)
            for page, line in ILLUSTRATIONS
            if not any(line in block.text for block in BLOCKS[page])
        ),
        *(key for key in CODES if not any(key[1] in line for line in lines[key[0]])),
        *(
            (page, name)
            for page, files in FILES.items()
            for name in files
            if not any(name in line for line in lines[page])
        ),
    ]

    assert unused == []


@pytest.mark.parametrize("page", BLOCKS)
def test_commands_are_in_blocks_of_a_shell(page: str) -> None:
    """Else no test runs them: `bash` for what is typed, `console` for what a terminal shows."""
    elsewhere = [
        f"{block.page}:{block.line}: {line}"
        for block in BLOCKS[page]
        if not block.commands
        for line in block.text.splitlines()
        if re.match(r"(\$ )?(planrunner|make|pip|docker) ", line)
        and (block.page, line) not in ILLUSTRATIONS
    ]
    outside = re.findall(
        r"^ {4}\$? ?(?:planrunner|make|pip|docker) .*",
        (ROOT / page).read_text("utf-8"),
        re.MULTILINE,
    )

    assert (elsewhere, outside) == ([], [])
