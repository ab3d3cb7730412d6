"""Access logs: what each line says, and the load that all of them are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.formats.access_log.lines import LogEntry, read_line
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.plan.yaml.document import parse

NOON_S = 1_767_268_800.0  # 2026-01-01T12:00:00Z


def combined(request: str, status: int = 200, minute: int = 0) -> str:
    time = f"01/Jan/2026:12:{minute:02}:30 +0000"
    return f'127.0.0.1 - me too [{time}] "{request} HTTP/1.1" {status} 512 "-" "Mozilla \\"x\\""\n'


def imported(text: str, *, assets: bool = False) -> Imported:
    source = SourceFile(None, "access.log", text.encode())
    return import_files([source], options=ImportOptions(keeps_assets=assets))


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (combined("GET /a?b=1", 404), LogEntry("GET", "/a?b=1", 404, NOON_S + 30)),
        (
            '::1 - - [01/Jan/2026:13:00:00 +0100] "HEAD / HTTP/2.0" 304 0',
            LogEntry("HEAD", "/", 304, NOON_S),
        ),
        (
            '{"method": "get", "path": "/x", "status": 200, "ts": 1767268800}',
            LogEntry("GET", "/x", 200, NOON_S),
        ),
        (
            '{"request": "POST /y HTTP/1.1", "status": "201", "msec": "1767268800.000"}',
            LogEntry("POST", "/y", 201, NOON_S),
        ),
        (
            '{"request": {"method": "PUT", "uri": "/z"}, "status": 204, "ts": 1767268800000}',
            LogEntry("PUT", "/z", 204, NOON_S),
        ),
        (
            '{"verb": "GET", "url": "/t", "status": 200, "time": "2026-01-01T12:00:00Z"}',
            LogEntry("GET", "/t", 200, NOON_S),
        ),
        ('{"method": "GET", "path": "/x", "status": 200}', LogEntry("GET", "/x", 200, None)),
        ("", None),
        ("starting up", None),
        ('127.0.0.1 - - [x] "\\x16\\x03" 400 0', None),
        ('{"method": "GET"}', None),
        ("{" * 2000, None),
        ("[1]", None),
    ],
)
def test_a_line_says_what_was_asked(line: str, entry: LogEntry | None) -> None:
    assert read_line(line) == entry


def test_requests_are_folded_weighted_and_spread_over_their_minutes() -> None:
    log = "".join(
        [
            *(combined(f"GET /items/{number}") for number in range(6)),
            *(combined("GET /search?q=a&page=1", minute=1) for _ in range(2)),
            combined("GET /search?q=b&page=2", 404, minute=1),
            *(combined("POST /orders", 201, minute=3) for _ in range(3)),
        ]
    )

    done = imported(log)
    data = parse(done.text, "plan.yaml").data

    assert check(done) == ()
    assert data["users"]["Visitor"]["tasks"] == [
        {
            "get": "/items/${items.v1}",
            "name": "GET /items/{id}",
            "weight": 2,
        },
        {
            "get": "/search?q=${search_q_page.v1}&page=${search_q_page.v2}",
            "name": "GET /search?q={id}&page={id}",
            "expect": {"status": ["2xx", "3xx", 404]},
        },
        {"post": "/orders"},
    ]
    assert data["phases"][0]["stages"] == [
        {"duration": "0s", "rate": "6/m"},
        {"duration": "1m", "rate": "6/m"},
        {"duration": "0s", "rate": "3/m"},
        {"duration": "1m", "rate": "3/m"},
        {"duration": "0s", "rate": "0/m"},
        {"duration": "1m", "rate": "0/m"},
        {"duration": "0s", "rate": "3/m"},
        {"duration": "1m", "rate": "3/m"},
    ]
    assert done.files["search_q_page.csv"] == b"v1,v2\na,1\nb,2\n"
    assert [one.why for one in done.ledger.findings()] == [
        "a log has no bodies: add `json` or `form`"
    ]


def test_every_line_is_counted() -> None:
    log = combined("GET /a.css") + combined("CONNECT x:443") + "noise\n" + combined("GET /b")

    done = imported(log)

    assert done.ledger.tally_of_kinds()["line"].total == 4
    assert [(one.words, one.place.line) for one in done.ledger.findings()] == [
        ("GET /a.css", 1),
        ("CONNECT x:443", 2),
        ("noise", 3),
    ]
    assert imported(log, assets=True).ledger.tally_of_kinds()["line"].counts["left_out"] == 2


def test_secrets_of_a_log_are_not_in_the_plan() -> None:
    done = imported(combined("GET /a?access_token=s3cr3t-value&page=1"))

    assert "s3cr3t" not in done.text + str(done.files)
    assert [one.why for one in done.ledger.findings()] == ["give the param `access_token` a value"]
    assert check(done) == ()


def test_a_log_without_times_is_spread_over_a_minute() -> None:
    line = json.dumps({"method": "GET", "path": "/x", "status": 200}) + "\n"
    data = parse(imported(line * 5).text, "plan.yaml").data

    assert data["phases"] == [{"rate": "5/m", "hold": "1m"}]


def test_a_log_of_nothing_but_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\xff\xfe\x00noise\n" * 3)
    with pytest.raises(UsageError, match="no line is a request"):
        import_files([SourceFile(path, "a.log")], format_name="access-log", options=ImportOptions())


def test_a_long_gap_is_an_hour_and_an_endless_url_is_left_out() -> None:
    line = combined("GET /a")
    done = imported(line + combined("GET /" + "b" * 9000) + line.replace("2026", "1996"))
    stages = parse(done.text, "plan.yaml").data["phases"][0]["stages"]

    assert [stage["duration"] for stage in stages[1::2]] == ["1m", "60m", "1m"]
    assert "no request for 15,77" in done.text
    assert ["9,001 characters" in one.why for one in done.ledger.findings()] == [True]
    assert check(done) == ()
