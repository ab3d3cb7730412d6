"""No byte that a run leaves behind tells a secret, however it was used and whoever echoes it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, plan_text, running

SECRET = 'p&ss "wörd"/1='
"""Every way of writing text down has a character here that it writes in its own way."""

PLAN = """
name: audit
params:
  token: {type: str, env: AUDIT_TOKEN, secret: true}
  sealed: {type: str, default: literal-in-the-plan, secret: true}
  shown: {type: str, default: harmless}
http:
  base_url: URL
  headers: {X-Plan: "${token | urlencode}"}
setup:
  - {get: "/setup?s=${token}", extract: {leak: {regex: "(?s).*"}}}
users:
  Careless:
    tasks:
      - task: everything
        tags: {tenant: "${token}"}
        steps:
          - get: "/in-url/${token}?q=${token | urlencode}"
            name: url
            expect: {json: {$.no: "${token}"}}
          - get: /in-query
            query: {q: "${token}"}
            expect: {status: 404, json: {$.query: {is: other}}}
          - post: /in-json
            json: {password: "${token}", deep: ["${sealed}"]}
            expect: {status: 404, json: {$.body: 1}}
          - post: /in-form
            form: {password: "${token}"}
            expect: {status: 404, contains: "not ${token} not"}
          - post: /in-body
            body: "${token}"
            expect: {status: 404, matches: "never-${sealed}"}
          - get: /in-basic
            auth: {basic: {username: "${token}", password: "${sealed}"}}
            expect: {status: 404, header: {X-Echo: nothing}}
          - get: /in-bearer
            auth: {bearer: "${token | b64}"}
            expect: {status: 404, json: {$.query: {in: ["${token}"]}}}
          - get: /in-key
            auth: {api_key: {cookie: key, value: "${token | urlencode}"}}
            tags: {echoed: "${headers['x-echo']}", said: "${json.target}"}
            expect: {status: 404, json: {$.target: {type: integer}}}
          - {get: "/redirect?to=${token | urlencode}"}
          - {get: "http://${sealed}.invalid/"}
          - {get: /broken-head}
          - {log: "token is ${token} and leak is ${leak}"}
          - set: {made: "${token ~ '!'}"}
          - if: made == token
            then: [{log: never}]
          - get: /late
            extract: {x: {jsonpath: "$['${token}']"}}
          - {get: "/undefined/${[made][iteration + 7]}"}
      - task: by number
        steps:
          - get: /number
            expect: {status: 404}
          - set: {n: "${[token][iteration + 1]}"}
      - task: command
        steps:
          - exec: "sh -c 'echo ${sealed} >&2; exit 3'"
phases:
  - {users: 2, hold: 2s, graceful_stop: 1s}
thresholds:
  - error_rate < 100%
  - p95 of tag:tenant < 5s
"""


async def echo(request: Request, wire: Wire) -> None:
    """Say back all that was sent, in body and head, as careless servers do."""
    seen = {
        "target": request.target,
        "query": request.target.partition("?")[2],
        "headers": request.headers,
        "body": request.body.decode("utf-8", "replace"),
    }
    if request.target.startswith("/redirect"):
        where = request.target.partition("=")[2]
        await wire.send(reply(302, b"", ("Location", f"http://{where}.invalid/{where}")))
    elif request.target.startswith("/broken-head"):
        await wire.send(f"HTTP/1.1 {request.headers.get('x-plan')} {SECRET}\r\n\r\n".encode())
        await wire.close()
    else:
        body = json.dumps({**seen, "raw": SECRET}).encode()
        echoed = "X-Echo", quote_plus(request.target)
        status = 200 if request.target.startswith("/setup") else 404
        await wire.send(reply(status, body, echoed, ("Content-Type", "application/json")))


def forms(secret: str) -> set[str]:
    """Return what the secret looks like, written by whoever."""
    data = secret.encode()
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        escape(secret),
        data.decode("latin-1"),
        repr(data)[2:-1],
        b64encode(data).decode().rstrip("=")[:-1],
        secret[:9],  # a part is too much, too
        quote(secret[:9]),
    }


def assert_silent(ended: Ended, directory: Path) -> None:
    texts = {"stdout": ended.out, "stderr": ended.err}
    for file in directory.rglob("*"):
        if file.is_file():
            texts[str(file)] = file.read_bytes().decode("utf-8", "replace")
    found = [
        (where, text[max(0, at - 60) : at + 60])
        for where, text in texts.items()
        for secret in (SECRET, "literal-in-the-plan")
        for form in forms(secret)
        if (at := text.lower().find(form.lower())) >= 0
    ]

    assert found == []


@pytest.fixture
def target() -> Iterator[HttpServer]:
    """A server that tells everything it hears."""
    with running(serve(echo)) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("client", ["wire", "httpx"])
def test_a_run_leaves_no_secret_behind(
    project: PlanProject, target: HttpServer, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    """In stdout, stderr and every byte of the run directory; the server did get it."""
    monkeypatch.setenv("AUDIT_TOKEN", SECRET)
    settings = f'base_url: "{target.url}"\n  client: {client}'
    project.write({"plan.yaml": PLAN.replace("base_url: URL", settings)})

    ended = project.run("execute", "plan.yaml", "--out", "run")

    assert ended.code in (0, 1)
    assert any(b"p%26ss" in request.raw for request in target.requests)
    assert "***" in (project.directory / "run" / "results.csv").read_text()
    assert_silent(ended, project.directory / "run")


WRONG = """
name: wrong
params:
  token: {type: str, env: AUDIT_TOKEN, secret: true}
  number: {type: int, default: literal-in-the-plan, secret: true}
http: {base_url: "http://${token}/x", proxy: "${token}", hosts: {a: "${token}"}, ca: "${token}.pem"}
users:
  A:
    tasks:
      - {get: /a, expect: {time: "< ${token}", schema: "${token}.json", matches: "(${token}"}}
      - {get: /b, timeout: "${token}", extract: {x: {css: "${token}["}, y: "$.['${token}'["}}
      - {get: /c, expect: {json: {"$.${token}": 1}}, headers: {"${token}": a}}
      - {get: "http://u:${token}@host:99999/", body_file: "${token}.txt"}
stages: [{duration: 1s, users: "${token}"}]
thresholds: ["p95 < ${token}", "p95 of ${token} < 1s"]
"""


@pytest.mark.parametrize("without", ["nothing", "number:"])
@pytest.mark.parametrize("command", ["validate", "explain", "execute"])
def test_what_is_wrong_with_a_plan_tells_no_secret(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch, command: str, without: str
) -> None:
    """Neither whole nor in pieces, whether the loader or the compiler finds it."""
    monkeypatch.setenv("AUDIT_TOKEN", SECRET)
    lines = [line for line in WRONG.splitlines() if without not in line]
    project.write({"plan.yaml": "\n".join(lines)})

    ended = project.run(command, "plan.yaml")

    assert ended.code == 2
    assert "the value of the secret `token` is not valid here" in ended.err
    assert not ended.files
    for piece in ("p&ss", '"w', "/1"):
        assert piece not in ended.out + ended.err
    assert "literal" not in ended.out + ended.err


def test_a_target_that_is_not_there_is_named_without_the_secret(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base URL may hold a password."""
    monkeypatch.setenv("AUDIT_TOKEN", "sword-fish")
    url = "http://me:${token}@127.0.0.1:1/"
    params = "params: {token: {type: str, env: AUDIT_TOKEN, secret: true}}"
    project.write({"plan.yaml": plan_text(params, url=url)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 3
    assert "http://me:***@127.0.0.1:1/" in ended.err
    assert "sword" not in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "broken"),
    [
        ("validate", "planrunner.plan.loader.resolve_params"),
        ("explain", "planrunner.cli.commands.explain.compile_plan"),
        ("execute", "planrunner.cli.live.page.run"),
        ("execute", "planrunner.runner.api.write_reports"),
    ],
)
def test_a_bug_is_reported_without_the_secret(
    project: PlanProject,
    target: HttpServer,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    broken: str,
) -> None:
    """The traceback of what nobody foresaw quotes values; people paste it into reports."""

    def fail(*_given: object, **_more: object) -> None:
        raise RuntimeError(f"unforeseen {SECRET}") from ValueError("Bearer literal-in-the-plan")

    params = """
        params:
          token: {type: str, env: AUDIT_TOKEN, secret: true}
          sealed: {type: str, default: literal-in-the-plan, secret: true}
    """
    monkeypatch.setenv("AUDIT_TOKEN", SECRET)
    monkeypatch.setattr(broken, fail)
    project.write({"plan.yaml": plan_text(params, url=target.url)})

    ended = project.run(command, "plan.yaml")

    assert ended.code == 70
    assert "RuntimeError: unforeseen ***" in ended.err
    assert "ValueError: Bearer ***" in ended.err
    assert ended.err.endswith("this is a bug in planrunner; please report it with the plan\n")
    assert_silent(ended, project.directory / "reports")


# -- values that a secret could have had ---------------------------------------------------

COULD_BE = r"""
name: every value
x-anchor: &kept "Anchor-Pass-0000"
params:
  pw: {type: str, secret: true, default: "Default-\x50ass-1111"}
  key: {type: str, secret: true, env: AUDIT_KEY, default: *kept}
  pin: {type: list, secret: true, default: [Pin-Code-5151, "Pin-Code-6161"]}
  choice: {type: str, secret: true, default: Choice-A-7171, choices: [Choice-A-7171, Choice-B-7272]}
  region: {type: str, default: north}
  made: {type: str, secret: true, default: "Made-${region}-8181"}
environments:
  staging: {pw: "Staging-Pass-2222", region: south}
  prod:
    pw: >-
      Prod-Pass-3333
    key: 'Prod-Key-4444'
http: {base_url: "URL"}
users:
  V:
    tasks:
      - get: "/ok/${region}"
        headers: {X-Pw: "${pw}"}
        auth: {basic: {username: admin, password: "${key}"}}
profiles:
  short: [{users: 1, hold: 100ms}]
  other: [{users: 1, hold: 100ms, params: {pw: Phase-Pass-9191}}]
"""

COULD_HAVE = (
    *("Default-Pass-1111", r"Default-\x50ass-1111", "Anchor-Pass-0000", "Pin-Code-5151"),
    *("Pin-Code-6161", "Choice-A-7171", "Choice-B-7272", "Made-south-8181", "Made-north-8181"),
    *("Staging-Pass-2222", "Prod-Pass-3333", "Prod-Key-4444", "Phase-Pass-9191"),
    *("Set-Pass-5555", "Variable-Key-6666"),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--env", "staging"),
        ("--env", "prod", "--set", "pw=Set-Pass-5555"),
        ("--override", "params.pw.default=Set-Pass-5555"),
        ("--once", "-v"),
    ],
    ids=" ".join,
)
def test_no_value_that_a_secret_could_have_had_is_shown(
    project: PlanProject,
    monkeypatch: pytest.MonkeyPatch,
    target: HttpServer,
    options: tuple[str, ...],
) -> None:
    """Of environments that are not picked, of profiles, of defaults; not even beside others."""
    monkeypatch.setenv("AUDIT_KEY", "Variable-Key-6666")
    project.write({"plan.yaml": COULD_BE.replace("URL", target.url)})

    ended = project.run("execute", "plan.yaml", *options)

    written = [path.read_text("utf-8", "replace") for path in ended.files.values()]
    shown = "\n".join([ended.out, ended.err, *written])
    encoded = [b64encode(f"admin:{secret}".encode()).decode() for secret in COULD_HAVE]
    assert ended.code in (0, 1)
    assert [secret for secret in (*COULD_HAVE, *encoded) if secret in shown] == []
    assert "YWRtaW4" not in shown  # the user's name beside a password
    assert "X-Pw" in shown or "x-anchor" in shown
