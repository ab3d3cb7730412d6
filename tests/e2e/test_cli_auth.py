"""Plans that answer challenges and sign requests, as users run them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.aws_server import AwsServer
from tests.support.digest_server import DigestServer
from tests.support.http_servers import serve
from tests.support.plans import Ended, PlanProject, running

PASSWORDS = {"ada": "love-lace-1815", "grace": "hop-per-1906"}

DIGEST = """
name: digest
data:
  accounts:
    list: [{{username: ada, password: love-lace-1815}}, {{username: grace, password: hop-per-1906}}]
    secret: [password]
    per: user
    unique: true
http:
  base_url: "{url}"
  client: {client}
  auth: {{digest: {{username: "${{accounts.username}}", password: "${{accounts.password}}"}}}}
flows: {{twice: [{{get: "/flow?n=${{user.id}}"}}]}}
users:
  A: {{steps: [{{get: /a}}, {{post: /b, json: {{a: 1}}}}, {{call: twice}}]}}
phases: [{{users: 2, iterations_per_user: 3}}]
"""


@pytest.mark.slow
@pytest.mark.parametrize("client", ["wire", "httpx"])
def test_each_user_is_challenged_once(project: PlanProject, client: str) -> None:
    """With its own account; the round trip is part of the sample, and no password is shown."""
    asking = DigestServer(PASSWORDS, challenges=("SHA-256", "MD5", "Basic"))
    with running(serve(asking.respond)) as server:
        project.write({"plan.yaml": DIGEST.format(url=server.url, client=client)})

        explained = project.run("explain", "plan.yaml").out
        ended = project.run("execute", "plan.yaml", "--out", "run")

    assert ended.code == 0
    assert ", with `digest` credentials" in explained
    assert Counter(asking.seen) == {"bare": 2, "ok": 18}
    assert {answer["username"] for answer in asking.answers} == {"ada", "grace"}
    rows = rows_of(project.directory / "run")
    assert [row["status_code"] for row in rows] == ["200"] * 18
    assert leaks(ended, project.directory, PASSWORDS.values()) == []


@pytest.mark.slow
def test_workers_are_challenged_alike(project: PlanProject) -> None:
    """Two workers with a user each do as one worker with both."""
    asking = DigestServer(PASSWORDS)
    with running(serve(asking.respond)) as server:
        project.write({"plan.yaml": DIGEST.format(url=server.url, client="wire")})

        ended = project.run_apart("execute", "plan.yaml", "--workers", "2", "--out", "run")

    assert ended.code == 0
    assert Counter(asking.seen) == {"bare": 2, "ok": 18}


def test_the_trace_shows_the_challenge(project: PlanProject) -> None:
    """Both messages and that it was sent twice, without what could be replayed."""
    asking = DigestServer(PASSWORDS)
    with running(serve(asking.respond)) as server:
        project.write({"plan.yaml": DIGEST.format(url=server.url, client="wire")})

        ended = project.run("execute", "plan.yaml", "--once", "--full")

    assert ended.code == 0
    assert ended.out.count("Authorization: Digest ***") == 3
    assert "sent 2 times" in ended.out


SIGNED = """
name: signed
params:
  secret_key: {{type: str, env: SECRET_KEY, secret: true}}
  token: {{type: str, env: TOKEN, secret: true, default: null}}
http:
  base_url: "{url}"
  auth:
    sigv4: {{access_key: AKIDEXAMPLE, secret_key: "${{secret_key}}", session_token: "${{token}}",
             region: eu-west-1, service: s3}}
users:
  A:
    steps:
      - {{get: /bucket/some key, query: {{list-type: 2, prefix: "a/b c"}}}}
      - {{put: /bucket/file, body_file: file.bin}}
      - {{get: /open, auth: none, expect: {{status: 403, contains: unsigned}}}}
      - get: /own
        headers: {{Authorization: own}}
        expect: {{status: 403, contains: unreadable}}
phases: [{{users: 1, iterations: 2}}]
"""


@pytest.mark.parametrize("how", [("--out", "run"), ("--once", "--full", "--show-secrets")])
def test_requests_are_signed(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...]
) -> None:
    """Those that don't say otherwise; neither key nor token is shown."""
    secrets = {"SECRET_KEY": "wJalrXUtnFEMI/K7MDENG", "TOKEN": "session-token-4711"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    checking = AwsServer(secrets["SECRET_KEY"])
    with running(serve(checking.respond)) as server:
        project.write({"plan.yaml": SIGNED.format(url=server.url), "file.bin": b"x" * 100_000})

        ended = project.run("execute", "plan.yaml", *how)

    assert ended.code == 0
    assert set(checking.verdicts) == {"ok", "unsigned", "unreadable: own"}
    assert Counter(checking.verdicts)["ok"] == 2 * len(checking.verdicts) // 4
    assert leaks(ended, project.directory, secrets.values()) == []


def rows_of(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def leaks(ended: Ended, directory: Path, secrets: Iterable[str]) -> list[tuple[str, str]]:
    texts = {"stdout": ended.out, "stderr": ended.err}
    for file in (directory / "run").rglob("*"):
        if file.is_file():
            texts[file.name] = file.read_bytes().decode("utf-8", "replace")
    return [(where, word) for word in secrets for where, text in texts.items() if word in text]
