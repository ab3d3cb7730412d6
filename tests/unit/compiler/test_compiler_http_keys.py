"""No key of HTTP is accepted and then ignored: the compiler reads every one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from trustme import CA

from planrunner.compiler import compile_plan
from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.loader import load
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.http.spec_settings import HttpModel

PLAN = """
name: every key
http:
  base_url: http://localhost:1
  headers: {X-All: a}
  timeout: 5s
  verify: false
  ca: some.pem
  cert: {cert: some.pem, key: some.pem, password: secret}
  auth: {basic: {username: ada, password: secret}}
  follow_redirects: false
  pool: {keepalive: true, per_user: 2}
  client: httpx
  version: auto
  streams: 1
  session: user
  proxy: http://localhost:2
  hosts: {shop.test: 127.0.0.1}
  source_addresses: [127.0.0.2]
  expect: {time: < 2s}
  pause: 1s
  tags: {team: core}
users:
  A:
    steps:
      - get: /all
        name: all
        query: {page: 1}
        headers: {X-One: a}
        auth: {bearer: token}
        timeout: 1s
        pause: 1s
        follow_redirects: true
        tags: {kind: read}
        measure: false
        when: "1 == 1"
        retry: {times: 2, wait: 1s, on: [503]}
        expect:
          status: 200
          time: < 1s
          json:
            $.type: {type: string}
            $.min: {min: 1, max: 2}
            $.in: {in: [a, b], matches: "a"}
            $.is: {is: {a: 1}}
            $.none: {exists: false}
            $.many: {length: {min: 1, max: 2}}
          header: {X-Reply: a}
          url: {is: /all, in: [/all], matches: all}
          contains: a
          not_contains: z
          not_matches: z
          matches: b
          schema: schema.json
          soft: [time]
        extract:
          a: {jsonpath: $.a, index: last, default: none, required: false}
          b: {regex: a}
          c: {css: p}
          d: {xpath: //p}
          e: {header: a}
          f: {cookie: a}
      - get: /stream
        stream: events
        until: event.data == 'x'
        reconnect: 1
        expect: {first_event: < 1s, gap: < 1s, events: {min: 1, max: 2}}
      - {post: /, json: {a: 1}, auth: {api_key: {header: X-Key, value: secret}}}
      - {put: /, form: {a: 1}, auth: {api_key: {query: key, value: secret}}}
      - {patch: /, body: a, auth: {api_key: {cookie: key, value: secret}}}
      - post: /
        multipart:
          file: {file: schema.json, filename: a.json, type: application/json}
          text: {text: hello}
        auth: {oauth2: {token_url: /t, client_id: me, client_secret: secret, scope: all}}
      - {delete: /, body_file: schema.json}
      - {head: /, auth: {digest: {username: ada, password: secret}}}
      - graphql: "query Q($a: Int) { q(a: $a) }"
        url: /q
        variables: {a: 1}
        expect: {errors: true}
      - {graphql: {query: "query Q { a } query R { b }", operation: Q, variables: {}}}
      - {graphql: {file: q.graphql}}
      - options: /
        auth:
          sigv4: {access_key: a, secret_key: b, session_token: c, region: d, service: e}
stages: [{duration: 1s, users: 1}]
"""

_WALKERS = ("mapping.py", "texts.py", "survey")
"""Code that looks at all keys alike, whatever they mean."""


def models_of(model: type[PlanMapping]) -> Iterator[type[PlanMapping]]:
    seen: set[type[PlanMapping]] = set()

    def visit(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, PlanMapping):
            if kind not in seen:
                seen.add(kind)
                for field in kind.model_fields.values():
                    visit(field.annotation)
            return
        for argument in get_args(kind):
            visit(argument)

    visit(model)
    yield from seen


def keys_of(*models: type[PlanMapping]) -> set[tuple[str, str]]:
    found = {kind for model in models for kind in models_of(model)}
    return {(kind.__name__, name) for kind in found for name in kind.model_fields}


def test_every_key_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the plan above has all of them: a new key fails here until something reads it."""
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "schema.json").write_text(json.dumps({"type": "object"}))
    CA().issue_cert("a.b").private_key_and_cert_chain_pem.write_to_path(tmp_path / "some.pem")
    (tmp_path / "q.graphql").write_text("{ a }")
    plan = load(tmp_path / "plan.yaml", environ={})
    read: set[tuple[str, str]] = set()

    def spy(self: PlanMapping, name: str) -> Any:
        if name in type(self).model_fields:
            caller = sys._getframe(1).f_code.co_filename
            if not any(walker in caller for walker in _WALKERS):
                for kind in type(self).__mro__:
                    read.add((kind.__name__, name))
        return object.__getattribute__(self, name)

    monkeypatch.setattr(PlanMapping, "__getattribute__", spy)
    compile_plan(plan)
    monkeypatch.undo()

    wanted = keys_of(RequestKeys, HttpModel)
    assert len(wanted) > 80
    assert wanted - read == set()
