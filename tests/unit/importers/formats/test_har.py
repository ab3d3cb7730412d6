"""Recordings: what becomes of their entries, and any recording gives a valid plan."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.importers.contract import ImportOptions
from planrunner.importers.formats.har import reader, stream
from planrunner.importers.formats.har.stream import JsonStream
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

HOST = "http://shop.test"
# ruff: noqa: E501 - an entry and its step are one line


def entry(url: str = "/", method: str = "GET", at: float = 0.0, **keys: Any) -> dict[str, Any]:
    """Return an entry that began `at` seconds after noon and took 100 ms."""
    reply = {
        "status": keys.pop("status", 200),
        "headers": keys.pop("reply_headers", []),
        "content": {"mimeType": keys.pop("mime", "text/html"), "text": keys.pop("text", "")},
    }
    more = {key: keys.pop(key) for key in ("pageref", "_resourceType", "comment") if key in keys}
    if "post" in keys:
        keys["postData"] = keys.pop("post")
    request = {
        "method": method,
        "url": HOST + url if url.startswith("/") else url,
        "headers": [],
        **keys,
    }
    begun = f"2024-05-01T12:{int(at) // 60:02}:{int(at) % 60:02}.{round(at % 1 * 1000):03}Z"
    return {"startedDateTime": begun, "time": 100, "request": request, "response": reply, **more}


def headers(**pairs: str) -> list[dict[str, str]]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in pairs.items()]


def recording(*entries: object, pages: object = ()) -> bytes:
    return json.dumps(
        {"log": {"version": "1.2", "pages": list(pages), "entries": entries}}
    ).encode()  # type: ignore[call-overload] - any iterable


def imported(content: bytes, **options: bool) -> Imported:
    return import_files([SourceFile(None, "a.har", content)], options=ImportOptions(**options))


def steps_of(done: Imported) -> list[Any]:
    return list(parse(done.text, "plan.yaml").data["users"]["Visitor"]["steps"])


OK = {"expect": {"status": 200}}
STEPS = [
    (entry(headers=headers(Host="a", Connection="close", Accept_Encoding="br", If_None_Match="x", X_A="1")), {"get": "/", "headers": {"X-A": "1"}, **OK}),
    (entry(headers=[{"name": ":path", "value": "/"}]), {"get": "/", **OK}),
    (entry("/a?b=c%20d#e"), {"get": "/a?b=c%20d", **OK}),
    (entry("/items/42"), {"get": "/items/42", "name": "GET /items/{id}", **OK}),
    (entry("/${x}"), {"get": "/$${x}", **OK}),
    (entry(status=304), {"get": "/"}),
    (entry(status=404), {"get": "/", "expect": {"status": 404}}),
    (entry("/in", "POST", post={"mimeType": "application/json", "text": '{"a": [1]}'}, headers=headers(Content_Type="application/json")), {"post": "/in", "json": {"a": [1]}, **OK}),
    (entry("/in", "POST", post={"mimeType": "application/x-www-form-urlencoded", "text": "a=1&a=2&b=x%20y"}), {"post": "/in", "form": {"a": ["1", "2"], "b": "x y"}, **OK}),
    (entry("/in", "POST", post={"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "1"}]}), {"post": "/in", "form": {"a": "1"}, **OK}),
    (entry("/in", "POST", post={"mimeType": "multipart/form-data; boundary=x", "params": [{"name": "f", "fileName": "C:\\a b.png", "contentType": "image/png"}]}), {"post": "/in", "multipart": {"f": {"file": "a_b.png", "type": "image/png"}}, **OK}),
    (entry("/in", "PUT", post={"mimeType": "text/plain", "text": "hi"}, headers=headers(Content_Type="text/plain")), {"put": "/in", "headers": {"Content-Type": "text/plain"}, "body": "hi", **OK}),
    (entry(headers=headers(Authorization="Bearer abc")), {"get": "/", "headers": {"Authorization": "Bearer ${token}"}, **OK}),
    (entry(status=302, reply_headers=headers(Location="/elsewhere")), {"get": "/", "follow_redirects": False, "expect": {"status": 302}}),
    (entry("/api", _resourceType="xhr", mime="application/javascript; charset=utf-8", method="POST"), {"post": "/api", **OK}),
    ({"request": {"method": "GET", "url": HOST + "/only"}}, {"get": "/only"}),
]  # fmt: skip


@pytest.mark.parametrize(("one", "step"), STEPS)
def test_an_entry_is_a_step(one: object, step: object) -> None:
    assert steps_of(imported(recording(one))) == [step]


SKIPPED = [
    (entry("/a.css", mime="text/css"), "static file"),
    (entry("/logo", mime="image/png"), "static file"),
    (entry("/app.js?v=1", mime=""), "static file"),
    (entry("http://www.google-analytics.com/collect", "POST"), "another site"),
    (entry("http://cdn.example/frame"), "another site"),
    (entry("/gone", status=0), "no reply"),
    (entry("ws://shop.test/chat", status=101), "WebSocket"),
    (entry("data:image/png;base64,AAAA"), "no server"),
    (entry("http://shop.test:__PORT__/a"), "no server"),
    (entry("/x", "PROPFIND"), "planrunner sends"),
]


@pytest.mark.parametrize(("one", "why"), SKIPPED)
def test_what_is_not_sent_is_named(one: object, why: str) -> None:
    done = imported(recording(entry(), one))

    assert steps_of(done) == [{"get": "/", **OK}]
    (lost,) = [found for found in done.ledger.findings() if found.fate is Fate.LEFT_OUT]
    assert why in lost.why


def test_assets_are_kept_when_asked_for_and_apis_of_other_hosts_always() -> None:
    api = entry("http://api.example/v1", mime="application/json", _resourceType="fetch", at=1)
    done = imported(
        recording(entry(), api, entry("/a.css", mime="text/css", at=2)), keeps_assets=True
    )

    steps = [step.get("get") for step in steps_of(done) if "get" in step]
    assert steps == ["/", "http://api.example/v1", "/a.css"]
    assert not done.ledger.tally().has_loss


def test_what_a_reply_gave_is_extracted_and_sent_on() -> None:
    """From JSON, HTML and headers, into paths, queries, headers and bodies; sent values are not."""
    login = entry(
        "/login",
        "POST",
        text=json.dumps(
            {"token": "eyJhbGciOi.9x", "me": {"id": 7341}, "ok": True, "n": 1, "name": "ada-1815"}
        ),
        mime="application/json",
        post={"mimeType": "application/json", "text": '{"name": "ada-1815"}'},
    )
    form = entry(
        "/users/7341",
        at=1,
        headers=headers(Authorization="Bearer eyJhbGciOi.9x"),
        text='<input type="hidden" name="csrf" value="a1b2c3d4e5">',
        reply_headers=headers(X_Request_Key="zz-0099-zz"),
    )
    save = entry(
        "/save?by=zz-0099-zz",
        "POST",
        at=2,
        post={
            "mimeType": "application/json",
            "text": '{"csrf": "a1b2c3d4e5", "n": 1, "ok": true, "user": 7341, "name": "ada-1815"}',
        },
    )

    done = imported(recording(login, form, save))

    steps = [one for one in steps_of(done) if "think" not in one]
    assert steps[0]["extract"] == {
        "login_id": "$.me.id",
        "token": {"jsonpath": "$.token", "secret": True},
    }
    assert steps[1]["get"] == "/users/${login_id}"
    assert steps[1]["headers"] == {"Authorization": "Bearer ${token}"}
    assert steps[1]["extract"]["csrf"] == {"css": "input[name='csrf']::attr(value)"}
    assert steps[2]["post"] == "/save?by=${x_request_key | urlencode}"
    assert steps[2]["json"] == {
        "csrf": "${csrf}",
        "n": 1,
        "ok": True,
        "user": "${login_id}",
        "name": "ada-1815",
    }
    assert not check(done)


def test_redirects_pauses_pages_and_requests_at_once() -> None:
    """A chain is one request with the last status; what overlaps is `parallel`; a page is a group."""
    pages = [{"id": "p1", "title": "Front"}, {"id": "p2", "title": "http://shop.test/cart?x=1"}]
    done = imported(
        recording(
            entry("/old", at=0, pageref="p1", status=302, reply_headers=headers(Location="/new")),
            entry("/new", at=0.1, pageref="p1"),
            entry("/a", at=0.2, pageref="p1"),
            entry("/b", at=0.25, pageref="p1"),
            entry("/cart", at=3.5, pageref="p2", comment="the cart"),
            pages=pages,
        )
    )

    assert steps_of(done) == [
        {
            "group": "Front",
            "do": [{"get": "/old", **OK}, {"parallel": [{"get": "/a", **OK}, {"get": "/b", **OK}]}],
        },
        {"think": "3.2s"},
        {"group": "/cart", "do": [{"get": "/cart", **OK}]},
    ]
    assert "# the cart" in done.text
    assert not check(done)


def test_cookies_of_before_are_told_and_later_ones_are_the_jars() -> None:
    first = entry(
        headers=headers(Cookie="sid=1; _ga=2"), reply_headers=headers(Set_Cookie="cart=5; Path=/")
    )
    done = imported(recording(first, entry("/b", at=1, headers=headers(Cookie="sid=1; cart=5"))))

    (found,) = [one for one in done.ledger.findings() if one.kind == "cookie"]
    assert (found.words, found.fate) == ("sid", Fate.NEEDS_YOU)
    assert "Cookie" not in done.text.replace("cookies", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "a.har:1:1: not a recording"),
        (b'{"log": {"entries": [{"request": }]}}', "a.har:1:22: not a recording"),
        (b'{"entries": []}', "it has no `log`"),
        (recording(entry("/a.css", mime="text/css")), "no request of the recording"),
        (b'{"log": {"entries": ' + b"[" * 100_000, "nests too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_said_with_its_place(content: bytes, message: str) -> None:
    with pytest.raises(ImportFault, match=message):
        imported(content)


def test_a_recording_that_was_cut_gives_what_is_whole() -> None:
    content = recording(entry(), entry("/b", at=1)).rpartition(b', {"startedDateTime"')[0]

    done = imported(content)

    assert steps_of(done) == [{"get": "/", **OK}]
    assert [one.fate for one in done.ledger.findings()] == [Fate.SUSPICIOUS]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.lists(JSON, max_size=5), st.integers(1, 40), st.sampled_from([None, 2]))
def test_a_stream_gives_what_the_text_has(
    values: list[object], piece: int, indent: int | None
) -> None:
    """However the pieces are cut; and each place is where the value begins."""
    text = json.dumps({"log": values}, indent=indent)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "_PIECE", piece)
        reading = JsonStream(SourceFile(None, "a.har", text.encode()))
        found: list[object] = []
        for _ in reading.members():
            for place in reading.items():
                line = text.split("\n")[place.line - 1]
                value = reading.value()
                assert line[place.column - 1 :].startswith(json.dumps(value, indent=indent)[0])
                found.append(value)

    assert found == values


TEXT = st.text(alphabet="aZ9 ${}{{%&=/:?#\"'\\\n\u00e9", max_size=12)
ENTRIES = st.builds(
    entry,
    st.builds("/{}".format, TEXT),
    st.sampled_from(["GET", "POST", "OPTIONS"]),
    st.floats(0, 50),
    status=st.sampled_from([0, 200, 302, 304, 500]),
    mime=st.sampled_from(["text/html", "application/json", "image/png"]),
    text=st.one_of(TEXT, JSON.map(json.dumps)),
    headers=st.lists(st.fixed_dictionaries({"name": TEXT, "value": TEXT}), max_size=2),
    post=st.fixed_dictionaries(
        {
            "mimeType": st.sampled_from(
                ["application/json", "application/x-www-form-urlencoded", "text/plain"]
            ),
            "text": st.one_of(TEXT, JSON.map(json.dumps)),
        }
    ),
    pageref=st.sampled_from(["p1", "p2", ""]),
)


@settings(max_examples=25)
@given(st.lists(ENTRIES, min_size=1, max_size=4), TEXT)
def test_any_recording_gives_a_valid_plan_or_a_fault(entries: list[object], title: str) -> None:
    """Whatever stands in URLs, headers, bodies and titles; each key has its fate, and no bytes vary."""
    content = recording(*entries, pages=[{"id": "p1", "title": title}])
    try:
        done = imported(content)
    except ImportFault:
        return

    assert not check(done), done.text
    assert imported(content).text == done.text
    keys: list[str] = []
    json.loads(content, object_pairs_hook=lambda pairs: keys.extend(key for key, _ in pairs))
    assert done.ledger.tally_of_kinds()["key"].total == len(keys)


def test_what_is_not_sent_is_left_out_with_all_that_it_says() -> None:
    """What the recording measured of it changes no load, and a plan holds only so much."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "_LARGEST_PLAN", 10)
        done = imported(recording(entry(), entry("/a.png"), entry("/b", at=1)))

    assert steps_of(done) == [{"get": "/", "expect": {"status": 200}}]
    assert [(one.words, one.number, one.why) for one in done.ledger.findings()] == [
        (f"GET {HOST}/a.png", 1, "a static file: `--assets` keeps it"),
        (f"GET {HOST}/b", 4, "the plan holds no more: import a shorter recording"),
    ]


@pytest.mark.slow
def test_a_long_recording_is_read_in_little_memory(tmp_path: Path) -> None:
    """Sixty megabytes of pictures: what is in memory is a few entries, not the file."""
    picture = entry("/a.png", mime="image/png", text="A" * 1_000_000)
    path = tmp_path / "long.har"
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"entries": [' + json.dumps(entry()))
        for _ in range(60):
            file.write(", " + json.dumps(picture))
        file.write("]}}")

    tracemalloc.start()
    done = import_files([SourceFile(path, str(path))], options=ImportOptions())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 25_000_000
    assert len(steps_of(done)) == 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_text_is_read_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are characters of Latin-1, in pieces as well."""
    text = recording(entry("/in", "POST", post={"mimeType": "text/plain", "text": "Köln"})).decode()
    content = text.replace("\\u00f6", "ö").encode(encoding)
    path = tmp_path / "a.har"
    path.write_bytes(content)
    for file in (SourceFile(None, "a.har", content), SourceFile(path, "a.har")):
        done = import_files([file], format_name="har", options=ImportOptions())
        assert steps_of(done) == [{"post": "/in", "body": "Köln", **OK}]
        assert [one.kind for one in done.ledger.findings()] == ["text"] * (encoding == "latin-1")
