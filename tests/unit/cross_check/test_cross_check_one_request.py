"""Which plans tools of one request can send, and what they then get."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.cross_check.command_lines import LINES, arguments_of
from planrunner.cross_check.one_request import CanNotSend, one_request
from tests.support.plans import compiled, plan_text

ORDER = """
params: {name: {type: str, default: "é\\"\\\\"}}
http: {base_url: "http://127.0.0.1:9", headers: {X-Name: "${name}"}, timeout: 5s}
users: {A: {steps: [{post: /orders, json: {id: 7}}]}}
phases: [{users: 4, hold: 2s}]
"""
STEADY = "phases: [{users: 1, hold: 1s}]"
FEW = "phases: [{users: 2, iterations: 6}]"


def test_all_that_planrunner_sends() -> None:
    """With its headers, as they change what a target answers."""
    found = one_request(compiled(plan_text(ORDER)))

    assert (found.method, found.url) == ("POST", "http://127.0.0.1:9/orders")
    assert dict(found.headers) == {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "X-Name": 'é"\\',
        "Content-Type": "application/json",
    }
    assert (found.body, found.users, found.lasting_ns) == (b'{"id":7}', 4, 2_000_000_000)
    assert (found.iterations, found.timeout_s, found.has_secret) == (0, 5, False)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ("users: {A: {steps: [{get: /}, {get: /b}]}}", "more than one request"),
        ("users: {A: {wait: 1s, steps: [{get: /}]}}", "pause"),
        ("users: {A: {steps: [{get: /, pause: 1s}]}}", "pause"),
        ("users: {A: {tasks: [{get: /}, {get: /b}]}}", "several tasks"),
        ("users: {A: {on_start: [{get: /}], steps: [{get: /}]}}", "before or after"),
        ("users: {A: {steps: [{get: '/${rand.int(1, 9)}'}]}}", "URL"),
        ("users: {A: {steps: [{get: /, headers: {a: '${rand.uuid()}'}}]}}", "headers"),
        ("users: {A: {steps: [{post: /, json: {a: '${rand.int(1, 9)}'}}]}}", "body"),
        ("phases: [{rate: 5/s, hold: 1s}]", "open"),
        ("phases: [{users: 5, hold: 1s, ramp_up: 1s}]", "ramps"),
        ("phases: [{users: 5, hold: 1s, throttle: 9/s}]", "caps"),
        ("phases: [{users: 5, hold: 1s}, {users: 6, hold: 1s}]", "several phases"),
        ("setup: [{get: /}]", "before its load"),
        ("http: {base_url: 'http://127.0.0.1:9', version: 2}", "HTTP/2"),
    ],
)
def test_what_they_can_not_send(plan: str, why: str) -> None:
    """Each with the reason."""
    graph = compiled(plan_text(plan, *([] if "phases" in plan else [STEADY])))

    with pytest.raises(CanNotSend, match=why):
        one_request(graph)


def test_the_words_of_each_tool(tmp_path: Path) -> None:
    """The same connections, kept open, for the same time."""
    request = one_request(compiled(plan_text(ORDER.replace("é", "e"))))
    words = {name: line(request, name, tmp_path / name) for name, line in LINES.items()}

    assert " ".join(words["ab"].args[:13]) == "-k -c 4 -l -q -r -s 5 -t 2 -n 200000 -p"
    assert words["hey"].args[:8] == ("-c", "4", "-t", "5", "-m", "POST", "-z", "2000ms")
    assert all(job.args[-1] == request.url for job in words.values())
    assert (tmp_path / "ab" / "body").read_bytes() == request.body


def test_a_number_of_requests(tmp_path: Path) -> None:
    """hey has no words for one that its workers can't share."""
    request = one_request(compiled(plan_text(FEW)))

    assert "6" in LINES["ab"](request, "ab", tmp_path).args
    assert "6" in LINES["hey"](request, "hey", tmp_path).args
    odd = one_request(compiled(plan_text(FEW.replace("6", "7"))))
    with pytest.raises(CanNotSend, match="same number"):
        LINES["hey"](odd, "hey", tmp_path)


@pytest.mark.parametrize("name", ["ab", "hey"])
def test_secrets_are_on_no_command_line(name: str, tmp_path: Path) -> None:
    """Everybody on the machine may read those."""
    text = "http: {base_url: 'http://127.0.0.1:9', headers: {Authorization: Bearer 1234567}}"
    request = one_request(compiled(plan_text(text, STEADY)))

    with pytest.raises(CanNotSend, match="others can read"):
        LINES[name](request, name, tmp_path)


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("k6 run FILE", ()),
        ("locust --headless -f FILE --users 2", ("--users", "2")),
        ("jmeter -n -t FILE -l results.jtl", ()),
        (
            "wrk -t1 -c2 --latency -s FILE 'http://h/a b'",
            ("-t1", "-c2", "--latency", "http://h/a b"),
        ),
    ],
)
def test_what_stands_beside_an_exported_script(command: str, args: tuple[str, ...]) -> None:
    """Without what a run of the tool has anyway."""
    assert arguments_of(command.split(maxsplit=1)[0], [command]) == args


@pytest.mark.parametrize(
    ("commands", "why"),
    [
        (["wrk -s FILE http://h", "wrk -s FILE http://h"], "2 runs"),
        (["sh FILE"], "is run by `sh FILE`"),
        (['wrk -s FILE "$TARGET"'], "is run by"),
        (["wrk http://h"], "is run by"),
    ],
)
def test_what_is_no_single_run_of_a_tool(commands: list[str], why: str) -> None:
    """A shell does more."""
    with pytest.raises(CanNotSend, match=why):
        arguments_of("wrk", commands)
