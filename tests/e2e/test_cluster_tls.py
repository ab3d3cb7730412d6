"""`execute --cluster tls://…`: who has no certificate of its authority is told so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from planrunner.cluster import software
from tests.support.dask_servers import DaskServers, PemFiles, tls_servers
from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text

pytest.importorskip("distributed")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster tls")]

SECRET = "secret-of-this-plan-and-no-other"
PLAN = f"""
params: {{token: {{type: str, default: {SECRET}, secret: true}}}}
users: {{A: {{tasks: [{{get: /, headers: {{X-Token: "${{token}}"}}}}]}}}}
phases: [{{users: 2, iterations: 40}}]
"""


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> PemFiles:
    return PemFiles.make(tmp_path_factory.mktemp("pem") / "ours")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> PemFiles:
    return PemFiles.make(tmp_path_factory.mktemp("pem") / "theirs")


@pytest.fixture(scope="module")
def cluster(pem: PemFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskServers]:
    with tls_servers(tmp_path_factory.mktemp("dask"), pem) as made:
        yield made


def test_a_run_goes_over_tls_and_tells_dask_no_secret(
    project: PlanProject, target: HttpServer, cluster: DaskServers, pem: PemFiles
) -> None:
    """Requests have the secret, and neither log does."""
    project.write({"plan.yaml": plan_text(PLAN, url=target.url)})
    options = ["--cluster", cluster.address, *pem.options("cluster")]

    ended = project.run_apart("execute", "plan.yaml", "--quiet", *options)

    assert ended.code == 0, ended.err
    assert len(ended.rows) == 40
    assert {request.headers["x-token"] for request in target.requests} == {SECRET}
    assert SECRET not in cluster.said


def test_another_version_of_dask_is_said(
    project: PlanProject, cluster: DaskServers, pem: PemFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of that version may not even be understood."""
    project.write({"plan.yaml": plan_text(PLAN)})
    own = replace(software.own_software(), distributed="2024.8.0")
    monkeypatch.setattr(software, "own_software", lambda: own)
    options = ["--cluster", cluster.address, *pem.options("cluster")]

    ended = project.run("execute", "plan.yaml", *options)

    assert ended.code == 3
    assert f"error: the Dask scheduler at {cluster.address} has distributed 20" in ended.err
    assert "and this is 2024.8.0\nhint: the scheduler and all Dask workers need" in ended.err


def test_who_has_not_the_right_certificates_is_told_what_to_do(
    project: PlanProject,
    cluster: DaskServers,
    target: HttpServer,
    pem: PemFiles,
    other: PemFiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In seconds, without a traceback, and before anything is sent."""
    project.write({"plan.yaml": plan_text(PLAN, url=target.url)})
    monkeypatch.setattr("planrunner.cluster.dask_cluster._GREET_S", 3)
    plain = cluster.address.replace("tls:", "tcp:")
    mixed = PemFiles(pem.ca, other.cert, other.key)
    torn = PemFiles(pem.ca, pem.cert, other.key)
    for address, options, words in (
        (cluster.address, [], "TLS needs certificates\nhint: name --cluster-ca"),
        (plain, [], "it hangs up\nhint: if it has TLS, write tls://"),
        (plain, pem.options("cluster"), "hint: write tls://"),
        (cluster.address, other.options("cluster"), "is not one of the authority"),
        (cluster.address, mixed.options("cluster"), ""),  # OpenSSL may say that it hangs up
        (cluster.address, torn.options("cluster"), "the key is not that of the certificate"),
        (target.url.replace("http:", "tcp:"), [], "what listens there did not greet"),
    ):
        ended = project.run("execute", "plan.yaml", "--cluster", address, *options)

        assert ended.code == 3, (address, options)
        assert f"no Dask scheduler answers at {address}: " in ended.err
        assert words in ended.err
        assert "Traceback" not in ended.err
        assert not [name for name in ended.files if name.endswith("results.csv")]
    assert not target.requests
