"""`execute --ui` and `planrunner ui`: as a person uses them in a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.plans import PlanProject, plan_text

SHOP = """\
name: shop
services: {shop: {demo: shop}}
http: {base_url: "${services.shop.url}"}
users: {Buyer: {wait: 20ms, tasks: [{get: /products}]}}
phases: [{name: p, users: 2, hold: 60s, graceful_stop: 1s}]
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ui", "--repeat", "2"], "--ui shows a single run under load"),
        (["--ui", "--once"], "--ui shows a single run under load"),
        (["--ui", "--keep-going"], "--ui shows a single run under load"),
        (["--open"], "--open needs --ui"),
        (["--ui=nowhere"], "--ui: `nowhere` is not an address"),
        (["--ui=127.0.0.1:99999"], "--ui: `127.0.0.1:99999` is not an address"),
    ],
)
def test_what_a_page_cannot_show(project: PlanProject, options: list[str], said: str) -> None:
    """Is said before anything starts."""
    ended = project.write({"plan.yaml": plan_text()}).run("execute", "plan.yaml", *options)

    assert (ended.code, said in ended.err) == (2, True)


@pytest.mark.slow
def test_a_port_in_use_ends_the_run_before_its_load(project: PlanProject) -> None:
    """With the address, and what to do; nothing is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = project.write({"plan.yaml": plan_text()}).run(
            "execute", "plan.yaml", f"--ui={port}"
        )

    assert ended.code == 3
    assert f"--ui can't listen on 127.0.0.1:{port}" in ended.err
    assert not ended.files


@contextmanager
def started(*arguments: str, directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a command; gives it, and the address that it prints."""
    command = (sys.executable, "-m", "planrunner", *arguments)
    with subprocess.Popen(
        command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found
            yield process, found[0]
        finally:
            process.kill()


@contextmanager
def opened(url: str) -> Iterator[tuple[httpx.Client, str]]:
    """Open a page; gives what has its cookie, and the address below which everything is."""
    with httpx.Client(timeout=20, trust_env=False) as browser:
        entrance = browser.get(url)
        way = re.search(r'url=([^"]+)"', entrance.text)
        assert way
        origin = url.partition("/?")[0]
        browser.headers["origin"] = origin
        yield browser, origin + way[1]


def updates(browser: httpx.Client, url: str) -> Iterator[dict[str, object]]:
    with browser.stream("GET", url) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


@pytest.mark.slow
def test_a_quiet_run_is_shown_and_stopped_from_the_page(tmp_path: Path) -> None:
    """The page sees the whole run to its reports, and the exit code is as after Ctrl-C."""
    (tmp_path / "plan.yaml").write_text(SHOP)

    with (
        started("execute", "plan.yaml", "--ui", "--quiet", directory=tmp_path) as (process, url),
        opened(url) as (browser, base),
    ):
        run = browser.get(f"{base}api/session").json()["run"]
        result = None
        for update in updates(browser, f"{base}api/runs/{run}/events?after=0"):
            if "column" in update and update["column"]["t"] == 1:  # type: ignore[index]
                browser.post(f"{base}api/runs/{run}/stop", json={"how": "graceful"})
            result = update.get("result") or result
            if result and result["files"]:  # type: ignore[index]
                break
        report = browser.get(base + result["report"])  # type: ignore[index]
        code = process.wait(20)

    assert code == 130
    assert result["ended_because"] == "stopped from the live page"  # type: ignore[index]
    assert "shop" in report.text
    assert [*tmp_path.glob("reports/shop/*/report.html")]


@pytest.mark.slow
def test_on_a_terminal_the_page_stays_as_long_as_it_is_open(tmp_path: Path) -> None:
    """And the exit code is that of the run."""
    (tmp_path / "plan.yaml").write_text(SHOP.replace("hold: 60s", "hold: 1s"))
    ours, its = pty.openpty()
    command = (sys.executable, "-m", "planrunner", "execute", "plan.yaml", "--ui", "--quiet")
    process = subprocess.Popen(command, cwd=tmp_path, stdin=its, stdout=its, stderr=its)
    os.close(its)
    try:
        told = b""
        while b"token=" not in told or b"\n" not in told:
            told += os.read(ours, 4096)
        url = re.search(r"http://\S+", told.decode())
        assert url
        with opened(url[0]) as (browser, base):
            run = browser.get(f"{base}api/session").json()["run"]
            seen = updates(browser, f"{base}api/runs/{run}/events?after=0")
            next(one for one in seen if (one.get("result") or {}).get("files"))  # type: ignore[attr-defined]
            while b"press Ctrl-C" not in told:
                told += os.read(ours, 4096)
            still = process.poll()
            seen.close()  # type: ignore[attr-defined]  # a generator
        code = process.wait(20)
    finally:
        process.kill()
        process.wait()
        os.close(ours)

    assert (still, code) == (None, 0)


@pytest.mark.slow
def test_ctrl_c_ends_what_was_started_from_the_page(tmp_path: Path) -> None:
    """The run, which has a value from an env file, writes its reports first."""
    plan = SHOP.replace("users: 2", 'users: "${count}"')
    (tmp_path / "plan.yaml").write_text(f"params: {{count: {{type: int, env: HOW_MANY}}}}\n{plan}")
    (tmp_path / "shop.env").write_text("HOW_MANY=3\n")

    with (
        started("ui", "--env-file", "shop.env", directory=tmp_path) as (process, url),
        opened(url) as (browser, base),
    ):
        answer = browser.post(f"{base}api/plans/plan.yaml/start", json={"choices": {}})
        run = answer.json()["run"]
        seen = updates(browser, f"{base}api/runs/{run}/events?after=0")
        next(one for one in seen if "column" in one)
        process.send_signal(signal.SIGINT)
        code = process.wait(20)

    assert code == 0
    [metrics] = tmp_path.glob("reports/shop/*/metrics.json")
    found = json.loads(metrics.read_text())
    assert (found["exit_code"], found["params"]) == (130, {"count": "3"})
