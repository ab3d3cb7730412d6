"""Commands of curl, one construct each, and the step that it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

URL = "http://127.0.0.1/x"
FORM = "application/x-www-form-urlencoded"
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
    (rf"curl -L -d $'\x41\101\u00e9\ud83d\ude00\xc3\xa9' -H 'Content-Type: a/b' {URL}", {"post": "/x", "headers": {"Content-Type": "a/b"}, "body": "AAé😀é"}),
    (f"curl -L {URL} > /dev/null 2>&1 < /dev/null", {"get": "/x"}),
    (f"curl -L {URL} -d @- <<END\nn=$N\nEND\n", {"post": "/x", "headers": {"Content-Type": FORM}, "body": "n=${n}"}),
    (f"curl -L {URL} -d \"$(cat <<'END'\nit's $N\nEND\n)\"", {"post": "/x", "headers": {"Content-Type": FORM}, "body": "it's $N"}),
    (f"echo '{{\"a\": 1}}' | curl -L --json @- {URL}", {"post": "/x", "headers": {"Accept": "application/json"}, "json": {"a": 1}}),
    (f"curl -L -F 'a=1;type=text/csv' -F b=2 -F b=3 {URL}", {"post": "/x", "multipart": {"a": {"text": "1", "type": "text/csv"}, "b": ["2", "3"]}}),
    (f"curl -L --url-query 'a=b c' {URL}", {"get": "/x?a=b+c"}),
    (f"curl -L --data-urlencode '=a&b' --data-urlencode \"n=$N\" {URL}", {"post": "/x", "headers": {"Content-Type": FORM}, "body": "a%26b&n=${n | urlencode}"}),
    (f"curl -L -H 'Accept:' -H 'A: 1' -H 'A: 2' -A '' {URL}", {"get": "/x", "headers": {"A": "1, 2"}}),
    (f"curl -L -r 0-9 --user me:secretly --digest {URL}", {"get": "/x", "headers": {"Range": "bytes=0-9"}, "auth": {"digest": {"username": "me", "password": "${password}"}}}),
    (f"curl -L -H 'Content-Type: application/json' -d '{{\"a\": 1, \"a\": 2}}' {URL}", {"post": "/x", "headers": {"Content-Type": "application/json"}, "body": '{"a": 1, "a": 2}'}),
    (f"sudo timeout 5 curl -L {URL}/../a/./x", {"get": "/a/x"}),
    (f"curl --locat {URL}#top --proto =https --ciphers DEFAULT --max-filesize 9", {"get": "/x"}),
    (f"curl -L ^\n  ^\"{URL}?a=1^&b=%20^\" ^\n -H ^\"A: ^\\^\"b^\\^\"^\" > out 2>&1", {"get": "/x?a=1&b=%20", "headers": {"A": '"b"'}}),
    (f"curl -L \"{URL}\" ^\n -d \"{{\"\"a\"\": 1, \\\"b\\\": 2}}\" -H \"Content-Type: application/json\"", {"post": "/x", "json": {"a": 1, "b": 2}}),
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

    assert [*done.ledger.findings()] == []
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


def test_a_variable_that_is_sent_as_a_secret_has_no_value_in_the_plan() -> None:
    done = imported(
        f'PW=hunter22 H=abcdef12\ncurl -L {URL} -u me:$PW; curl {URL} -H "Authorization: Bearer $H"'
    )

    assert check(done) == ()
    assert "hunter22" not in done.text
    assert "abcdef12" not in done.text
    assert parse(done.text, "p").data["params"] == {
        "pw": {"type": "str", "env": "PW", "secret": True},
        "h": {"type": "str", "env": "H", "secret": True},
    }


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
        (f"curl '{URL}/[1-999]'", f"{URL}/[1-999]", Fate.CHANGED),
        (f"curl -T a.bin {URL}", "-T a.bin", Fate.NEEDS_YOU),
        (f"curl {URL} -d a=1 -d @a.txt", "-d @a.txt", Fate.NEEDS_YOU),
        (f"curl {URL} ftp://127.0.0.1/a", "ftp://127.0.0.1/a", Fate.LEFT_OUT),
        (f'curl $CURL_OPTS "${{args[@]}}" {URL}', "${CURL_OPTS}", Fate.LEFT_OUT),
        (f"curl -X post {URL}", "-X post", Fate.SUSPICIOUS),
        (f"for i in 1 2; do curl {URL}/$i; done", "for i in 1 2", Fate.LEFT_OUT),
        (f"for i in 1 2; do curl {URL}/$i; done", "i", Fate.LEFT_OUT),
        (f"if curl -sf {URL}; then curl {URL}; fi", f"if curl -sf {URL}", Fate.LEFT_OUT),
        (f"X=1 curl {URL}", "X", Fate.LEFT_OUT),
        (f"curl {URL} | grep -q ok", "grep", Fate.LEFT_OUT),
        (f"A=$(date); curl {URL}/$A", "A", Fate.NEEDS_YOU),
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


def test_a_pattern_is_several_urls_and_next_begins_anew() -> None:
    done = imported(f"curl -d a=1 '{URL}/{{p,q}}' --next '{URL}/[08-10:2]'")

    steps = parse(done.text, "p").data["users"]["User"]["steps"]
    urls = [next(iter(step.values())) for step in steps]
    assert urls == ["/x/p", "/x/q", "/x/08", "/x/10"]
    assert [step.get("form") for step in steps] == [{"a": "1"}, {"a": "1"}, None, None]


def test_a_value_that_a_script_takes_from_a_reply_is_extracted() -> None:
    done = imported(
        "#!/bin/bash\nset -e\nBASE=${BASE:-http://127.0.0.1}\n"
        'ITEM="$(curl -sL "$BASE/new" --data-urlencode "a=b)" | jq -r ".items[0].id")"\n'
        'sleep 2\ncurl -L "$BASE/x/$ITEM" >/dev/null || exit 1\n'
    )

    data = parse(done.text, "p").data
    assert [*done.ledger.findings()] == []
    assert check(done) == ()
    assert data["params"]["base"]["default"] == "http://127.0.0.1"
    assert data["users"]["User"]["steps"] == [
        {"post": "/new", "form": {"a": "b)"}, "extract": {"item": "$.items[0].id"}},
        {"think": "2s"},
        {"get": "/x/${item}"},
    ]


def test_files_of_a_command_are_copied_as_curl_sends_them(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a=1\n&b=2\n")
    script = tmp_path / "a.sh"
    script.write_text(
        f"curl {URL} -d @rows.txt; curl {URL} --data-binary @rows.txt -F x=@no/../gone\n"
        f"curl {URL}/up/ -T rows.txt; curl {URL} -F 't=<rows.txt' -F 'f=@rows.txt;filename=\"q;r\"'\n"
    )
    done = import_files([SourceFile(script, "a.sh")], options=ImportOptions())

    steps = parse(done.text, "p").data["users"]["User"]["steps"]
    assert done.files["one-line/rows.txt"] == b"a=1&b=2"
    assert steps[2]["put"] == "/x/up/rows.txt"
    assert steps[3]["multipart"]["t"] == "a=1\n&b=2\n"
    assert steps[3]["multipart"]["f"]["filename"] == "q;r"
    assert check(done) == ()
