"""The live page's server: who is let in, and what viewers get."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from planrunner.engine.coordinator.events import PhaseStarted, RunStarted, Standing
from planrunner.errors import CannotRun
from planrunner.metrics.judging.verdict import Verdict
from planrunner.units import NS_PER_S
from planrunner.web.feed.messages import LoadAsked, RunOver, StopAsked
from planrunner.web.server.access import PageAccess
from planrunner.web.server.serving import bound
from tests.support.web_pages import ServedPage, second, served_page

NAME = 'GET /"\n<script>alert(1)</script>'


@pytest.fixture(scope="module")
def page() -> Iterator[ServedPage]:
    with served_page() as page:
        yield page


@pytest.fixture(scope="module")
def browser(page: ServedPage) -> Iterator[httpx.Client]:
    with page.browser() as client:
        yield client


class TestWhoIsLetIn:
    """Browsers that have opened the page, and show it."""

    def test_the_cookie_is_out_of_reach(self, page: ServedPage) -> None:
        """Of scripts, other sites, and servers on other ports, which get cookies of their host."""
        cookie = httpx.get(page.access.url).headers["set-cookie"]

        assert cookie.endswith(f"; Path={page.access.base}; HttpOnly; SameSite=Strict")

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            pytest.param("/", {}, id="no-token"),
            pytest.param("/?token=x", {}, id="wrong-token"),
            pytest.param("/static/main.js", {}, id="another-path"),
            pytest.param("BASE", {"host": "evil.example"}, id="rebound-name"),
            pytest.param("BASE", {"host": "127.0.0.1"}, id="another-port"),
            pytest.param("BASEapi/session", {"origin": "http://evil.example"}, id="foreign-script"),
            pytest.param("BASEapi/session", {"origin": "null"}, id="sandboxed-report"),
            pytest.param("BASE", {"sec-fetch-site": "cross-site"}, id="foreign-link"),
            pytest.param("BASEapi/session", {"sec-fetch-site": "same-site"}, id="another-server"),
            pytest.param("BASEapi/session", {"cookie": "x=1"}, id="no-cookie"),
            pytest.param("BASEapi/session", {"authorization": "Bearer x"}, id="wrong-bearer"),
        ],
    )
    def test_nobody_else_can_read(
        self, page: ServedPage, browser: httpx.Client, path: str, headers: dict[str, str]
    ) -> None:
        """Whatever they know but the token."""
        url = page.access.origin + path.replace("BASE", page.access.base)

        assert browser.get(url, headers=headers).status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({"origin": ""}, id="no-origin"),
            pytest.param({"origin": "http://evil.example"}, id="foreign"),
            pytest.param({"origin": "OWN", "sec-fetch-site": "cross-site"}, id="cross-site"),
            pytest.param({"origin": "OWN", "content-type": "text/plain"}, id="a-form"),
        ],
    )
    def test_no_other_site_can_stop_a_run(
        self, page: ServedPage, browser: httpx.Client, headers: dict[str, str]
    ) -> None:
        """Not even with the cookie, which a browser might send."""
        given = {"content-type": "application/json", **headers}
        own = {name: page.access.origin if it == "OWN" else it for name, it in given.items()}

        before = len(page.asked)
        answer = browser.post(page.url("api/runs/r1/stop"), content=b"{}", headers=own)

        assert (answer.status_code, len(page.asked)) == (403, before)

    def test_a_ticket_opens_the_page_once(self, page: ServedPage) -> None:
        """Others may read the command line of the browser that was started with it."""
        ticket = page.access.ticket()

        assert [httpx.get(ticket).status_code for _ in range(2)] == [200, 403]

    def test_a_script_may_have_the_token_itself(self, page: ServedPage) -> None:
        """And needs no cookie."""
        token = page.access.url.partition("token=")[2]

        answer = httpx.get(
            page.url("api/session"), headers={"authorization": f"Bearer {token}"}
        ).json()

        assert (answer["mode"], answer["run"]) == ("run", "r1")

    def test_an_answer_lets_nothing_in(self, page: ServedPage, browser: httpx.Client) -> None:
        """No inline script, no other source, no frame around it."""
        headers = browser.get(page.url("api/session")).headers

        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"

    def test_a_server_for_all_answers_to_addresses_alone(self) -> None:
        """Any name may be a stranger's that leads here; an address is none."""
        access = PageAccess("0.0.0.0", 8089)

        assert access.is_own_host("192.0.2.7:8089")
        assert access.is_own_host("[2001:db8::1]:8089")
        assert not access.is_own_host("evil.example:8089")
        assert not access.is_own_host("192.0.2.7:80")


class TestViewers:
    """What they see, when they come and however fast they read."""

    def test_who_comes_late_gets_the_whole_past(self) -> None:
        """As data: a name is no markup."""
        standing = Standing("p95 < 1s", Verdict.FAIL, "2 s", 0, "1 s", 2e9, 1e9)
        with served_page() as page, page.browser() as browser:
            page.take(RunStarted("r1", "shop", 1, 0, 60 * NS_PER_S))
            page.take(PhaseStarted("main", 0, 60 * NS_PER_S, 10))
            page.take(second(1, {NAME: [5, 7]}, standings=(standing,)))
            state = browser.get(page.url("api/runs/r1/state")).json()

        assert state["status"]["second"] == 1
        assert state["columns"]["by_request"][NAME]["requests"] == [2]
        assert state["columns"]["asked_users"] == [1.0]
        assert state["columns"]["thresholds"] == [[2000.0]]
        assert state["thresholds"][0]["verdict"] == "fail"
        assert [one["name"] for one in state["requests"]] == [NAME]

    def test_a_tab_that_slept_gets_what_it_missed(
        self, page: ServedPage, browser: httpx.Client
    ) -> None:
        """`Last-Event-ID` says what it has."""
        page.pass_second({"GET /late": [3]})
        seq = page.hub.seq

        event = next(events(browser, page, {"last-event-id": str(seq - 1)}))

        assert event["id"] == str(seq)
        update = json.loads(event["data"])
        assert update["column"]["by_request"] == {"GET /late": [1, 0, 3.0, 3.0, 3.0]}
        assert update["column"]["at"] == update["status"]["second"] - 1

    @pytest.mark.parametrize("seen", ["99999", "no number"])
    def test_who_has_seen_another_run_starts_anew(
        self, page: ServedPage, browser: httpx.Client, seen: str
    ) -> None:
        """The same for one who has been away for too long."""
        for _ in range(100 if seen == "no number" else 0):
            page.pass_second({})

        found = [*events(browser, page, {"last-event-id": seen})]

        assert [one["event"] for one in found] == ["reload"]

    def test_a_viewer_that_reads_nothing_holds_up_nobody(
        self, page: ServedPage, browser: httpx.Client
    ) -> None:
        """Nothing piles up for it: others get their updates, and it starts anew."""
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        path = page.url(f"api/runs/r1/events?after={page.hub.seq}").removeprefix(page.access.origin)
        host = page.access.origin.removeprefix("http://")
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2]))) as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.sendall(head.encode())
            names = {f"GET /{number}{'x' * 50_000}": [1] for number in range(5)}
            for _ in range(12):  # 9 MB, more than the system keeps for a connection
                page.pass_second(names)

            event = next(events(browser, page, {"last-event-id": str(page.hub.seq - 1)}))

        assert event["id"] == str(page.hub.seq)

    def test_a_viewer_can_stop_the_run(self, page: ServedPage, browser: httpx.Client) -> None:
        """With its reports, or at once."""
        for how in ("graceful", "at_once"):
            browser.post(
                page.url("api/runs/r1/stop"),
                json={"how": how},
            ).raise_for_status()

        assert page.asked[-2:] == [StopAsked(at_once=False), StopAsked(at_once=True)]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"phase": "main", "how": "set", "level": "7"}, 202),
            ({"phase": "main", "how": "pause"}, 202),
            ({"phase": "main", "how": "more"}, 400),
            ({}, 400),
        ],
    )
    def test_a_viewer_can_change_the_load(
        self, page: ServedPage, browser: httpx.Client, body: dict[str, str], status: int
    ) -> None:
        """What the run makes of it comes as an update."""
        before = len(page.asked)
        answer = browser.post(page.url("api/runs/r1/load"), json=body)

        assert answer.status_code == status
        said = page.asked[before:]
        assert said == ([] if status == 400 else [LoadAsked(**{"level": "", **body})])


def test_the_report_can_do_nothing(tmp_path: Path) -> None:
    """It has an origin of its own; and nothing else of the directory is given away."""
    (tmp_path / "report.html").write_text("<h1>a report</h1>")
    (tmp_path / "secrets.log").write_text("swordfish")
    with served_page() as page, page.browser() as browser:
        page.take(RunOver(0, str(tmp_path), ("report.html",)))
        result = browser.get(page.url("api/runs/r1/state")).json()["result"]

        report = browser.get(page.url(result["report"]))
        others = [
            browser.get(page.url(f"runs/r1/files/{name}")).status_code
            for name in ("secrets.log", "..%2Fsecrets.log", "%2Fetc%2Fpasswd")
        ]

    assert report.text == "<h1>a report</h1>"
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]
    assert others == [404, 404, 404]


def test_a_port_in_use_is_said() -> None:
    """With the address, and what to do."""
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotRun, match=f"--ui can't listen on 127.0.0.1:{port}: Address"):
            bound("127.0.0.1", port)


def events(
    browser: httpx.Client, page: ServedPage, headers: dict[str, str]
) -> Iterator[dict[str, str]]:
    """Yield the events that a viewer gets, as long as they are asked for."""
    with browser.stream("GET", page.url("api/runs/r1/events"), headers=headers) as answer:
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                event[name] = value
            elif "event" in event:
                yield event
                event = {}
