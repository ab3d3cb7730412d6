"""Secrets that only a run meets: columns, what a login answers, and what names give away."""

from __future__ import annotations

import json
import shlex
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, running

DECLARED = (
    "Column-Pin/4711",
    "Column-Pin/4712",
    "Inline-Pass-33",
    "Plain-Word-44",
    "Grant+ab/123",
    "Made-Up-99",
)
NEVER_EXTRACTED = "Never-Extracted-22"
"""Its request fails before it comes to that."""
NAMED = ("Refresh-ef456", "Named-Column-55", "Header-Key-66", "Body-Pass-77", "Cookie-Value-88")

PLAN = """
name: learnt
http:
  base_url: "URL"
  headers: {X-Api-Key: Header-Key-66}
data:
  accounts: {csv: accounts.csv, per: user, secret: [pin]}
  people:
    list: [{name: bob, code: Inline-Pass-33}, {name: eve, code: "Inline-Pass-33"}]
    secret: [code]
  words: {list: [Plain-Word-44], secret: true}
  minted: {generate: {rows: 2, fields: {code: "'Made-Up-' ~ 99"}}, secret: [code]}
users:
  Careful:
    on_start:
      - post: /login
        json: {login: "${accounts.name}"}
        extract:
          grant: {jsonpath: $.grant, secret: true}
          refresh_token: $.refresh_token
    tasks:
      - task: everything
        steps:
          - get: "/q?a=${accounts.pin | urlencode}&b=${grant | urlencode}"
            name: in url
            headers: {X-Plain: "${grant}", Also: "${words} ${accounts.password} ${minted.code}"}
            auth: {basic: {username: me, password: "${people.code}"}}
            expect: {json: {$.nothing: "${grant}"}}
          - get: /late
            expect: {status: 500, json: {$.nothing: 1}}
            extract: {late: {jsonpath: $.late, secret: true}}
          - post: /form
            form: {some: "${refresh_token}", password: Body-Pass-77}
            expect: {status: 500, json: {$.token: other}}
          - post: /json
            json: {deep: {passwd: Body-Pass-77, pin: "${accounts.pin}"}}
            expect: {status: 500, header: {X-Session: other}}
          - {log: "the grant is ${grant}, the pin ${accounts.pin}, refreshed ${refresh_token}"}
          - get: "http://${grant}.invalid/"
            name: no such host
          - get: /tag
            tags: {said: "${json.query}"}
            expect: {status: 500}
          - set: {made: "${[grant][7]}"}
phases: [{users: 1, iterations: 3}]
thresholds: [error_rate < 101%]
report: {formats: [results.csv, report.html, junit.xml, summary.md, jtl]}
"""


async def echo(request: Request, wire: Wire) -> None:
    """Answer a login, and say back everything else in more than one notation."""
    if request.target == "/login":
        body = json.dumps({"grant": "Grant+ab/123", "refresh_token": "Refresh-ef456"})
        cookie = "Set-Cookie", "sid=Cookie-Value-88; Path=/"
        await wire.send(reply(200, body.encode(), cookie))
        return
    said = request.raw.decode("latin-1")
    seen = {
        "query": request.target.partition("?")[2],
        "token": "Refresh-ef456",
        "late": "Never-Extracted-22" if request.target == "/late" else "",
        "said": said,
        "raw": " ".join(DECLARED),
        "encoded": b64encode(" ".join(DECLARED).encode()).decode(),
        "quoted": quote_plus(" ".join(DECLARED)),
    }
    headers = ("X-Session", "Refresh-ef456"), ("X-Echo", quote_plus(request.target))
    await wire.send(reply(500, json.dumps(seen).encode(), *headers))


@pytest.fixture
def target() -> Iterator[HttpServer]:
    """A careless server."""
    with running(serve(echo)) as server:
        yield server


@pytest.fixture
def plan(project: PlanProject, target: HttpServer) -> PlanProject:
    """A project with the plan and its data."""
    rows = "name,pin,password\nann,Column-Pin/4711,Named-Column-55\n"
    rows += "tom,Column-Pin/4712,Named-Column-55\n"
    project.write({"plan.yaml": PLAN.replace("URL", target.url), "accounts.csv": rows})
    return project


def shown_by(ended: Ended, directory: Path) -> dict[str, str]:
    texts = {"stdout": ended.out, "stderr": ended.err}
    for file in directory.rglob("*"):
        if file.is_file():
            texts[file.name] = file.read_bytes().decode("utf-8", "replace")
    return texts


def found_in(texts: dict[str, str], secrets: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return where a secret stands, in which form, and what is around it."""
    return [
        (where, form, text[max(0, at - 80) : at + 80])
        for where, text in texts.items()
        for secret in secrets
        for form in (secret, quote_plus(secret), b64encode(b"me:" + secret.encode()).decode()[:-4])
        if (at := text.lower().find(form.lower())) >= 0
    ]


def sent_to(target: HttpServer) -> str:
    return "".join(request.raw.decode("latin-1") for request in target.requests)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_leaves_no_secret_behind(plan: PlanProject, target: HttpServer, workers: int) -> None:
    """Not in the console, a report, the samples or a failing exchange, in whatever notation."""
    ended = plan.run("execute", "plan.yaml", "--out", "run", "--workers", str(workers))

    texts = shown_by(ended, plan.directory / "run")
    assert ended.code == 0
    assert "Grant+ab/123" in sent_to(target)
    assert {"results.csv", "samples.bin", "junit.xml", "report.html"} <= texts.keys()
    assert len(json.loads(texts["metrics.json"])["failing_samples"]) > 5
    assert "the grant is ***" in texts["stderr"] + texts["stdout"]
    # The raw echo of both columns comes with the first reply, so the other row is not yet known.
    drawn = tuple(one for one in DECLARED if one in sent_to(target))
    assert found_in(texts, (*drawn, NEVER_EXTRACTED)) == []
    assert found_in({key: texts[key] for key in texts if key != "plan.yaml"}, NAMED[:2]) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_a_trace_shows_neither(plan: PlanProject, target: HttpServer, *, as_json: bool) -> None:
    """Headers, bodies, extractions and log lines; the names stay, so that one can follow."""
    options = ("--json",) if as_json else ()

    ended = plan.run("execute", "plan.yaml", "--once", "--full", *options)

    assert "refresh_token" in ended.out
    assert "***" in ended.out
    texts = {"stdout": ended.out, "stderr": ended.err}
    drawn = tuple(one for one in DECLARED if one in sent_to(target))
    assert found_in(texts, (*drawn, *NAMED, NEVER_EXTRACTED)) == []


@pytest.mark.slow
def test_show_secrets_shows_what_was_only_guessed(plan: PlanProject) -> None:
    """What the plan declares stays masked."""
    once = plan.run("execute", "plan.yaml", "--once", "--full", "--show-secrets")
    ended = plan.run("execute", "plan.yaml", "--out", "run", "--show-secrets")

    texts = shown_by(ended, plan.directory / "run")
    samples = json.dumps(json.loads(texts["metrics.json"])["failing_samples"])
    for text in (once.out, samples):
        assert [
            one for one in ("Refresh-ef456", "Header-Key-66", "Body-Pass-77") if one not in text
        ] == []
        assert found_in({"": text}, ("Column-Pin/4711", "Grant+ab/123", "Inline-Pass-33")) == []


@pytest.mark.slow
def test_failing_exchanges_are_covered_by_name(plan: PlanProject) -> None:
    """Headers, form fields and JSON members whose name says so, sent and received."""
    ended = plan.run("execute", "plan.yaml", "--out", "run")

    texts = shown_by(ended, plan.directory / "run")
    samples = json.dumps(json.loads(texts["metrics.json"])["failing_samples"])
    assert found_in({"samples": samples}, NAMED) == []
    assert "X-Api-Key: ***" in samples
    assert "password=***" in samples
    assert '`$.token` is \\"***\\"' in samples


SERVICE = """
import http.server, sys
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("got", self.headers["X-Plain"], flush=True)
        body = b'{"grant": "Late-Grant-99"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Server).serve_forever()
"""

SERVED = """
name: late
services:
  shop: {run: "PYTHON shop.py ${port}", port: auto, ready: {tcp: "127.0.0.1:${port}"}}
http: {base_url: "${services.shop.url}"}
users:
  V:
    tasks:
      - task: t
        steps:
          - {get: /, extract: {grant: {jsonpath: $.grant, secret: true}}}
          - {get: /, headers: {X-Plain: "${grant}"}}
phases: [{users: 1, iterations: 2}]
"""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_a_service_printed_is_masked_at_the_end(project: PlanProject, workers: int) -> None:
    """Its supervisor doesn't know what is learnt while it prints."""
    plan = SERVED.replace("PYTHON", shlex.quote(sys.executable))
    project.write({"plan.yaml": plan, "shop.py": SERVICE})

    ended = project.run("execute", "plan.yaml", "--out", "run", "--workers", str(workers))

    printed = (project.directory / "run/shop.log").read_text()
    assert ended.code == 0
    assert printed.count("got ***") == 2
    assert "Late-Grant" not in "".join(shown_by(ended, project.directory / "run").values())


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("[pim]", "`people` has no column `pim`"),
        ("[code, name]", ""),
        ("true", ""),
    ],
)
def test_a_column_that_is_not_there_is_named(
    plan: PlanProject, target: HttpServer, secret: str, words: str
) -> None:
    """A typing error must not leave a password in clear."""
    text = PLAN.replace("secret: [code]", f"secret: {secret}", 1).replace("URL", target.url)
    plan.write({"plan.yaml": text})

    ended = plan.run("validate", "plan.yaml")

    assert ended.code == (2 if words else 0)
    assert words in ended.err
    assert "Inline-Pass" not in ended.err + ended.out
