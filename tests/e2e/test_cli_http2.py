"""HTTP/2 in whole runs, against a real nginx: over TLS, cleartext, and to one that lacks it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.support.plans import PlanProject

NEEDS_NGINX = pytest.mark.skipif(
    shutil.which("nginx") is None and not os.environ.get("CI"),
    reason="needs nginx: apt-get install nginx-light",
)

NGINX = """\
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{both} ssl http2; {shared} }}
  server {{ listen 127.0.0.1:{old} ssl; {shared} }}
  server {{ listen 127.0.0.1:{clear} http2; {shared} }}
}}
"""
SHARED = """ssl_certificate server.pem; ssl_certificate_key server.pem; keepalive_requests 7;
  location /gone { return 410 "gone"; } location / { return 200 '{"ok": true}'; }"""

PLAN = """
name: versions
params: {both: {type: int}, old: {type: int}, clear: {type: int}}
users:
  Both:
    http: {base_url: "https://127.0.0.1:${both}", ca: ca.pem}
    steps: [&page {get: /, name: both, expect: {json: {$.ok: true}}}, {parallel: [*page, *page]}]
  Old:
    http: {base_url: "https://127.0.0.1:${old}", ca: ca.pem}
    steps: [{get: /, name: old}]
  Clear:
    http: {base_url: "http://127.0.0.1:${clear}", version: 2}
    steps: [{get: /gone, name: clear, expect: {status: 410}}]
phases: [{iterations: 9, users: 3}]
thresholds: [error_rate == 0]
"""


@contextmanager
def nginx(folder: Path) -> Iterator[list[str]]:
    """Run it below `folder`; gives the options that tell a plan where."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = dict(zip(("both", "old", "clear"), (s.getsockname()[1] for s in sockets), strict=True))
    for each in sockets:
        each.close()
    (folder / "nginx.conf").write_text(NGINX.format(shared=SHARED, **ports))
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", "nginx.conf"]) as process:
        try:
            for port in ports.values():
                _await(port)
            yield [part for name, port in ports.items() for part in ("--set", f"{name}={port}")]
        finally:
            process.send_signal(signal.SIGTERM)


def _await(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "nginx doesn't listen"
            time.sleep(0.02)
        else:
            return


@NEEDS_NGINX
@pytest.mark.slow
def test_each_sample_says_which_version_was_spoken(project: PlanProject) -> None:
    """In every report; a server that ends connections after a few requests costs none of them."""
    project.write({"plan.yaml": PLAN})

    with nginx(project.directory) as where:
        ended = project.run("execute", "plan.yaml", *where, "--formats", "results.csv")
        once = project.run("execute", "plan.yaml", *where, "--once")

    assert ended.code == 0, ended.out
    spoken = {(row["endpoint"], row["status_code"], row["protocol"]) for row in ended.rows}
    assert spoken == {
        ("both", "200", "http/2"),
        ("old", "200", "http/1.1"),
        ("clear", "410", "http/2"),
    }
    rows = {row["name"]: row for row in ended.metrics["rows"] if row["by"] == "request"}
    counts = {name: row["count"] for name, row in rows.items()}
    assert rows["both"]["protocols"] == {"http/2": counts["both"]}
    assert rows["old"]["protocols"] == {"http/1.1": counts["old"]}
    assert rows["both"]["retries"] == 0
    words = f"over http/2 ({counts['both'] + counts['clear']}), http/1.1 ({counts['old']})"
    assert words in ended.out
    assert "HTTP/2 410" in once.out
    assert "HTTP/1.1 200" in once.out
