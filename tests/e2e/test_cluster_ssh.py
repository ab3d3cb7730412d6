"""`execute --cluster ssh:hosts.txt`: Dask over a real sshd, and nothing of it left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.etcd_servers import free_ports
from tests.support.http_servers import HttpServer
from tests.support.net_hosts import wait_until
from tests.support.plans import PlanProject, plan_text
from tests.support.ssh_servers import SshServer, needs_sshd, ssh_server

pytest.importorskip("distributed")
pytest.importorskip("asyncssh")

pytestmark = [pytest.mark.slow, needs_sshd, pytest.mark.xdist_group("cluster ssh")]

PLAN = "phases: [{users: 2, iterations: 40}]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("sshd")) as made:
        yield made


def test_a_run_goes_over_ssh(project: PlanProject, target: HttpServer, server: SshServer) -> None:
    """All requests are sent, and what was started ends by itself."""
    project.write({"plan.yaml": plan_text(PLAN, url=target.url), "hosts.txt": server.host})

    ended = project.run_apart(
        *("execute", "plan.yaml", "--cluster", "ssh:hosts.txt"), env={"HOME": str(server.home)}
    )

    assert ended.code == 0, ended.err
    assert len(ended.rows) == len(target.requests) == 40
    wait_until(lambda: not server.dask_processes())


def test_a_host_that_fails_is_said_and_nothing_is_left_on_the_others(
    project: PlanProject, target: HttpServer, server: SshServer
) -> None:
    """The first host has started by then."""
    [nobody] = free_ports(1)
    hosts = f"{server.host}\n127.0.0.1:{nobody}\n"
    project.write({"plan.yaml": plan_text(PLAN, url=target.url), "hosts.txt": hosts})

    ended = project.run_apart(
        *("execute", "plan.yaml", "--cluster", "ssh:hosts.txt"), env={"HOME": str(server.home)}
    )

    assert ended.code == 3
    assert "can't start Dask over SSH: " in ended.err
    assert "Connect" in ended.err  # call failed, or connection refused: an event loop each
    assert "hint: look whether each host in `hosts.txt` answers without a question" in ended.err
    assert "Traceback" not in ended.err
    assert not target.requests
    wait_until(lambda: not server.dask_processes(), 40)


def test_a_key_that_a_host_does_not_know_is_said(project: PlanProject, server: SshServer) -> None:
    """The home of somebody who has none."""
    known = (server.home / ".ssh" / "known_hosts").read_bytes()
    project.write({"plan.yaml": plan_text(PLAN), "hosts.txt": server.host})
    project.write({".ssh/known_hosts": known})

    ended = project.run_apart(
        *("execute", "plan.yaml", "--cluster", "ssh:hosts.txt"),
        env={"HOME": str(project.directory), "SSH_AUTH_SOCK": ""},
    )

    assert ended.code == 3
    assert "can't start Dask over SSH: Permission denied for user" in ended.err
    assert "Traceback" not in ended.err
