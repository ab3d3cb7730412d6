"""Plans that choose what their users connect from, as users run them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running


async def whence(request: Request, wire: Wire) -> None:
    await wire.send(reply(200, wire.writer.get_extra_info("peername")[0].encode()))


SPREAD = """
name: spread
params: {{second: {{type: str, default: 127.0.0.3}}}}
http:
  base_url: "{url}"
  source_addresses: [127.0.0.2, "${{second}}"]
users:
  A:
    count: 3
    steps: [{{get: /a, extract: {{from: {{regex: "(.*)"}}}}, tags: {{from: "${{body}}"}}}}]
  B:
    http: {{source_addresses: 127.0.0.4, pool: {{keepalive: iteration}}}}
    steps: [{{get: /b, tags: {{from: "${{body}}"}}}}, {{get: /b}}]
phases: [{{users: 4, iterations_per_user: 2}}]
"""


def places(directory: Path) -> Counter[tuple[str, str]]:
    tagged = (row for row in rows_of(directory) if row["tags"])
    return Counter((row["user"], row["tags"]) for row in tagged)


def test_users_connect_from_addresses_in_turn(project: PlanProject) -> None:
    """A class may have its own, params may stand in them, and explain shows them."""
    with running(serve(whence)) as server:
        project.write({"plan.yaml": SPREAD.format(url=server.url)})
        explained = project.run("explain", "plan.yaml").out

        ended = project.run("execute", "plan.yaml", "--out", "run")

        connections = server.connections
    assert ended.code == 0
    assert "from 2 addresses in turn (127.0.0.2, 127.0.0.3)" in explained
    assert "from 1 address in turn (127.0.0.4), on connections that end with" in explained
    assert places(project.directory / "run") == {
        ("A", "from=127.0.0.2"): 4,
        ("A", "from=127.0.0.3"): 2,
        ("B", "from=127.0.0.4"): 2,
    }
    # One for the check before the load, one a user of A, one an iteration of B.
    assert connections <= 1 + 3 + 2 + 1


@pytest.mark.slow
def test_workers_give_users_the_same_addresses(project: PlanProject) -> None:
    """By the number of the user, whoever runs it."""
    with running(serve(whence)) as server:
        project.write({"plan.yaml": SPREAD.format(url=server.url)})

        for workers in ("1", "2"):
            options = "--workers", workers, "--out", f"run{workers}"
            assert project.run_apart("execute", "plan.yaml", *options).code == 0

    assert places(project.directory / "run1") == places(project.directory / "run2")


@pytest.mark.parametrize("how", [(), ("--once",)])
def test_a_foreign_address_is_said_before_the_load(
    project: PlanProject, how: tuple[str, ...]
) -> None:
    """With its place; validate accepts it, as the plan may be for another machine."""
    with running(serve(whence)) as server:
        plan = SPREAD.format(url=server.url).replace("127.0.0.4", "192.0.2.7")
        project.write({"plan.yaml": plan})

        validated = project.run("validate", "plan.yaml")
        ended = project.run("execute", "plan.yaml", *how)

        requests = list(server.requests)
    assert (validated.code, ended.code) == (0, 3)
    assert "plan.yaml:12:30: the address `192.0.2.7` isn't one of this machine" in ended.err
    assert requests == []


def rows_of(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))
