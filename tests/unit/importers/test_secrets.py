"""No secret of an original stands in the plan, its report or its comments."""

from __future__ import annotations

import json

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.report import as_json, as_text
from planrunner.plan.yaml.document import parse

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.S3CRETabcdef"
KEY = "sk_live_S3CRETABCDEF0123456789"


def artillery(*steps: str, config: str = "") -> tuple[str, str]:
    head = f"config:\n  target: http://127.0.0.1:8000\n{config}scenarios:\n  - flow:\n"
    return "load.yml", head + "".join(f"      - {step}\n" for step in steps)


def postman(script: str, **more: object) -> tuple[str, str]:
    events = [{"listen": "test", "script": {"exec": [script]}}]
    url = "http://127.0.0.1:8000/{{tok}}"
    item = {"name": "a", "event": events, "request": {"method": "GET", "url": url}}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return "a.json", json.dumps({"info": {"name": "a", "schema": schema}, "item": [item], **more})


CASES = {
    "address": artillery("get: {url: 'http://ada:S3CRET@127.0.0.1:8000/a'}"),
    "body of JSON": artillery("""post: {url: /a, body: '{"user": "a", "password": "S3CRET"}'}"""),
    "body of a form": artillery("post: {url: /a, body: 'user=a&password=S3CRET'}"),
    "parts": artillery(
        r"""post: {url: /a, body: "--x\r\nA: b; name=\"password\"\r\n\r\nS3CRET\r\n--x--"}"""
    ),
    "by its looks": artillery(f"get: {{url: '/a?x={KEY}'}}", f"log: 'it is {JWT}'"),
    "variable": artillery(
        "get: {url: '/{{ password }}/{{ other }}'}",
        config=f"  variables: {{password: S3CRET, other: {JWT}}}\n",
    ),
    "environment": artillery(
        "get: {url: '/{{ secret }}'}",
        config="  variables: {secret: S3CRET}\n"
        "  environments: {test: {variables: {secret: S3CRET2}}}\n",
    ),
    "headers of all": artillery(
        "get: {url: /a}", config=f"  defaults: {{headers: {{Authorization: Bearer {JWT}}}}}\n"
    ),
    "variable of scripts": postman(
        "pm.collectionVariables.set('tok', pm.response.json().t)",
        variable=[{"key": "tok", "value": JWT}],
    ),
    "script": postman(f"pm.environment.set('password', 'S3CRET'); compute('{JWT}')"),
    "expectation": postman(f"pm.test('a', () => pm.expect(pm.response.json().t).to.eql('{JWT}'))"),
    "option": ("a.sh", "curl http://127.0.0.1/a --cert c:S3CRET --proxy-user a:S3CRET -uad:S3CRET"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_secret_is_shown_nowhere(case: str) -> None:
    """Not in the plan, its comments, the report as text or JSON; the plan is still one."""
    name, text = CASES[case]
    done = import_files([SourceFile(None, name, text.encode())], options=ImportOptions())
    assert "S3CRET" not in done.text
    assert "S3CRET" not in as_text(done.ledger)
    assert "S3CRET" not in json.dumps(as_json(done.ledger))
    params = parse(done.text, "plan.yaml").data.get("params", {})
    assert case == "script" or [one for one in params.values() if one.get("secret")]
