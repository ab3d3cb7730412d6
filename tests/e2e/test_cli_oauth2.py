"""Client credentials and the tokens that they buy: nothing that people read shows them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, running

SECRET = "shared-secret/9"
TOKEN = "granted.token-4711_abc"
BASIC = b64encode(b"shop:shared-secret%2F9").decode()

PLAN = """
name: oauth2
params: {{secret: {{type: str, env: OAUTH_SECRET, secret: true}}}}
http:
  base_url: "{url}"
  client: {client}
  auth: {{oauth2: {{token_url: /token, client_id: shop, client_secret: "${{secret}}"}}}}
users:
  A:
    tasks:
      - task: all
        steps:
          - get: /echo
            extract: {{seen: $.authorization}}
            expect: {{status: 404, json: {{$.authorization: none}}}}
          - {{get: /moved}}
          - {{get: /echo, name: plain}}
          - {{get: /echo, name: refused, auth: {{oauth2: {{token_url: /refuse, client_id: shop,
              client_secret: "${{secret}}"}}}}}}
phases: [{{users: 1, iterations: 2}}]
"""


async def careless(request: Request, wire: Wire) -> None:
    """Grant tokens, and say back the header that carries them."""
    told = request.headers.get("authorization", "")
    target = request.target
    if target == "/token":
        body = json.dumps({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        await wire.send(reply(200, body.encode(), ("Content-Type", "application/json")))
    elif target == "/moved":
        await wire.send(reply(302, b"", ("Location", f"/echo?t={told.rpartition(' ')[2]}")))
    else:
        body = json.dumps({"authorization": told, "target": target})
        status = 401 if target == "/refuse" else 404
        headers = ("Content-Type", "application/json"), ("X-Echo", told)
        await wire.send(reply(status, body.encode(), *headers))


def leaks(ended: Ended, directory: Path) -> list[tuple[str, str]]:
    texts = {"stdout": ended.out, "stderr": ended.err}
    for file in directory.rglob("*"):
        if file.is_file():
            texts[file.name] = file.read_bytes().decode("utf-8", "replace")
    return [
        (where, text[max(0, at - 80) : at + 40])
        for where, text in texts.items()
        for form in (SECRET, "shared-secret%2F9", TOKEN, BASIC)
        if (at := text.find(form)) >= 0
    ]


@pytest.mark.parametrize("client", ["wire", "httpx"])
@pytest.mark.parametrize("how", [("--once", "--full"), ("--once", "--json"), ("--out", "run")])
def test_neither_secret_nor_token_is_shown(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch, client: str, how: tuple[str, ...]
) -> None:
    """In the trace, the log, failing requests and every file; although the target echoes them."""
    monkeypatch.setenv("OAUTH_SECRET", SECRET)
    with running(serve(careless)) as server:
        project.write({"plan.yaml": PLAN.format(url=server.url, client=client)})

        ended = project.run("execute", "plan.yaml", *how)

        sent = {request.headers.get("authorization") for request in server.requests}
    assert sent == {f"Basic {BASIC}", f"Bearer {TOKEN}"}
    assert ended.code == 1
    assert leaks(ended, project.directory / "run") == []
