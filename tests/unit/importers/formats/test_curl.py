"""Commands of curl, one construct each, and the step that it becomes."""

from __future__ import annotations

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

URL = "http://127.0.0.1/x"
# ruff: noqa: E501 - a command and its step are one line
STEPS = [
    ("curl -L http://127.0.0.1/x", {"get": "/x"}),
    ("$ curl -L 127.0.0.1/x", {"get": "/x"}),
    (f"curl -LX DELETE {URL}", {"delete": "/x"}),
    (f"curl -XPUT -L '{URL}?a=1#top'", {"put": "/x?a=1"}),
    (f"curl --request=PATCH --location {URL}", {"patch": "/x"}),
    (f"curl -IL {URL}", {"head": "/x"}),
    (f"curl -L -H 'X-A: b: c' {URL}", {"get": "/x", "headers": {"X-A": "b: c"}}),
    (f"curl -L -H 'X-A;' {URL}", {"get": "/x", "headers": {"X-A": ""}}),
    (f"curl -L -A me -e there {URL}", {"get": "/x", "headers": {"User-Agent": "me", "Referer": "there"}}),
    (f"curl -L -d a=1 -d b=2 {URL}", {"post": "/x", "form": {"a": "1", "b": "2"}}),
    (f"curl -L --data-urlencode 'q=a b' {URL}", {"post": "/x", "form": {"q": "a b"}}),
    (f"curl -LG -d a=1 {URL}", {"get": "/x?a=1"}),
    (f"curl -L --json '{{\"a\": 1}}' {URL}", {"post": "/x", "headers": {"Accept": "application/json"}, "json": {"a": 1}}),
    (f"curl -L -H 'Content-Type: application/json' --data-raw $'{{\"a\": \"it\\'s\"}}' {URL}", {"post": "/x", "json": {"a": "it's"}}),
    (f"curl -L -F a=1 --form-string b=@c {URL}", {"post": "/x", "multipart": {"a": "1", "b": "@c"}}),
    (f"curl -L -u me:pass {URL}", {"get": "/x", "auth": {"basic": {"username": "me", "password": "${password}"}}}),
    (f"curl -L -b a=1 {URL}", {"get": "/x", "headers": {"Cookie": "a=1"}}),
    (f"curl -L -m 2.5 {URL}", {"get": "/x", "timeout": "2.5s"}),
    (f"curl -L \\\n  {URL} \\\n  -sSv --compressed -o /dev/null", {"get": "/x"}),
    (f"curl -L ^\n  {URL} ^\n  --http1.1", {"get": "/x"}),
    (f"curl -L \"{URL}/$NAME\"", {"get": "/x/${name}"}),
    (f"curl -L '{URL}/${{NAME}}'", {"get": "/x/$${NAME}"}),
]  # fmt: skip


def imported(text: str) -> Imported:
    source = SourceFile(None, "a.sh", text.encode())
    return import_files([source], options=ImportOptions())


@pytest.mark.parametrize(("command", "step"), STEPS)
def test_a_command_is_a_step(command: str, step: object) -> None:
    data = parse(imported(command).text, "plan.yaml").data

    assert data["users"]["User"]["steps"] == [step]
    assert data["http"] == {"base_url": "http://127.0.0.1"}


def test_a_script_becomes_a_valid_plan_without_a_loss() -> None:
    done = imported(
        "#!/bin/sh\n# warm up\n"
        f'curl -L {URL} && curl -L -d "name=$NAME&to=${{TO:-all}}" {URL}/b | jq .\n'
        f"curl -Lk -x http://127.0.0.1:3128 {URL}/c {URL}/d; echo done\n"
    )

    assert [(one.words, one.fate) for one in done.ledger.findings()] == [
        ("jq", Fate.LEFT_OUT),
        ("echo", Fate.LEFT_OUT),
    ]
    assert check(done) == ()
    data = parse(done.text, "plan.yaml").data
    assert data["http"]["proxy"] == "http://127.0.0.1:3128"
    assert data["http"]["verify"] is False
    assert data["params"] == {
        "name": {"type": "str", "env": "NAME", "default": ""},
        "to": {"type": "str", "env": "TO", "default": "all"},
    }
    assert len(data["users"]["User"]["steps"]) == 4


def test_variables_of_a_script_are_params() -> None:
    done = imported(
        'HOST=127.0.0.1 N=1\nexport API_KEY=abc123\ncurl -L http://$HOST/$N -H "X: $API_KEY"\n'
    )
    data = parse(done.text, "plan.yaml").data

    assert data["params"] == {
        "host": {"type": "str", "env": "HOST", "default": "127.0.0.1"},
        "n": {"type": "str", "env": "N", "default": "1"},
        "api_key": {"type": "str", "env": "API_KEY", "secret": True},
    }
    assert "abc123" not in done.text
    assert check(done) == ()


def test_redirects_stay_where_curl_stays() -> None:
    none = parse(imported(f"curl {URL}; curl {URL}").text, "p").data
    one = parse(imported(f"curl {URL}; curl -L {URL}").text, "p").data

    assert none["http"]["follow_redirects"] is False
    assert one["users"]["User"]["steps"][0] == {"get": "/x", "follow_redirects": False}
    assert "follow_redirects" not in one["http"]


@pytest.mark.parametrize(
    ("command", "words", "fate"),
    [
        (f"curl --frobnicate {URL}", "--frobnicate", Fate.LEFT_OUT),
        (f"curl -X BREW {URL}", "-X BREW", Fate.LEFT_OUT),
        (f"curl -H X {URL}", "-H X", Fate.SUSPICIOUS),
        (f"curl '{URL}/[1-3]'", f"{URL}/[1-3]", Fate.CHANGED),
        (f"curl -T a.bin {URL}", "-T a.bin", Fate.LEFT_OUT),
        (f"curl -d @a.json {URL}", "-d @a.json", Fate.NEEDS_YOU),
        (f"curl $(cat token) {URL}", "$(cat token)", Fate.LEFT_OUT),
        (f"curl {URL} -H", "-H", Fate.LEFT_OUT),
    ],
)
def test_what_is_not_translated_is_named(command: str, words: str, fate: Fate) -> None:
    assert (words, fate) in {(one.words, one.fate) for one in imported(command).ledger.findings()}


@pytest.mark.parametrize("text", ["curl", "curl -s", "echo curl x"])
def test_half_a_command_is_no_traceback(text: str) -> None:
    with pytest.raises(UsageError, match=r"a\.sh"):
        imported(text)
