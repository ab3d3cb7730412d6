"""Whom a run will load, said before it does."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.errors import UsageError
from planrunner.runner.reach import check_hosts, client_notices, foreign_hosts, peak_load
from tests.support.plans import compiled


def said(*sections: str) -> str:
    return "\n".join(asyncio.run(foreign_hosts(compiled(*sections))))


def at(url: str) -> str:
    return f'http: {{base_url: "{url}"}}'


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://api.localhost",
        "http://127.0.0.1",
        "http://[::1]:80",
        "http://10.1.2.3",
        "http://192.168.0.9",
        "http://[fd00::1]",
        "http://[::ffff:10.0.0.1]",
        "http://169.254.1.1",
    ],
)
def test_nothing_is_said_about_hosts_of_ones_own(url: str) -> None:
    """Loopback, private and link-local addresses, and names for this machine."""
    assert said(at(url)) == ""


@pytest.mark.parametrize("url", ["http://8.8.8.8", "https://[2606:4700::1111]:8443"])
def test_a_host_of_others_is_named_with_the_peak_load(url: str) -> None:
    """Before anything is sent."""
    load = "phases: [{users: 30, hold: 1s}, {users: 1200, hold: 1s}]"

    words = said(at(url), load)

    assert "up to 1,200 users at once will send load to" in words
    assert url.split("//")[1].strip("[]").split("]")[0] in words


def test_a_name_that_does_not_resolve_counts_as_somebody_elses() -> None:
    """Who it is may be known once the load begins."""
    assert "`shop.invalid` (no address yet)" in said(at("http://shop.invalid"))


def test_what_counts_is_where_hosts_points() -> None:
    """A name of the world that `hosts` takes home, and the other way round."""
    home = 'http: {base_url: "http://shop.example.com", hosts: {shop.example.com: 127.0.0.1}}'
    away = "http: {base_url: 'http://shop.localnet', hosts: {shop.localnet: 8.8.4.4}}"

    assert said(home) == ""
    assert "`shop.localnet` (8.8.4.4)" in said(away)


def test_every_host_of_the_plan_counts() -> None:
    """Those of steps, setup and token requests too; each is named once."""
    plan = """
        setup: [{get: "http://1.1.1.1/a"}]
        users:
          A:
            tasks:
              - {get: "http://8.8.8.8/a"}
              - {get: "http://8.8.8.8/b"}
              - get: /c
                auth:
                  oauth2: {token_url: "http://9.9.9.9/t", client_id: a, client_secret: b}
    """

    words = said(plan)

    assert [words.count(f"`{host}`") for host in ("1.1.1.1", "8.8.8.8", "9.9.9.9")] == [1, 1, 1]


def test_proxies_of_the_environment_are_ignored_with_a_notice() -> None:
    """Named without their values, whatever the host; where the plan has a proxy nothing is said."""
    environ = {"HTTPS_PROXY": "http://me:pass@proxy", "http_proxy": "http://p", "all_proxy": ""}
    proxied = 'http: {base_url: "http://10.0.0.1", proxy: "http://10.0.0.2"}'

    [words] = client_notices(compiled(at("http://10.0.0.1")), environ)

    assert "`HTTPS_PROXY`, `http_proxy` of the environment are ignored" in words
    assert "pass" not in words
    assert client_notices(compiled(at("http://127.0.0.1")), environ) == (words,)
    assert client_notices(compiled(proxied), environ) == ()


def test_members_of_a_cluster_count_too() -> None:
    """Those of plans with etcd steps only, since nothing else is sent there."""
    etcd = 'etcd: {endpoints: ["127.0.0.1:2379", "1.1.1.1:2379", "[2606:4700::1111]:2379"]}'

    words = said(etcd, "users: {A: {steps: [{etcd.get: {key: k}}]}}")

    assert "127.0.0.1" not in words
    assert "`1.1.1.1`" in words
    assert "`2606:4700::1111`" in words
    assert said(etcd) == ""


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ("[{users: 3, hold: 1s}, {users: 4, hold: 1s}]", "4 users at once"),
        ("[{users: 1, iterations: 5}]", "1 user at once"),
        ("[{users: 3, hold: 1s}, {users: 4, hold: 1s, start_at: 0s}]", "7 users at once"),
        ("[{rate: 1500/s, hold: 1s, max_users: 7}]", "1,500 arrivals a second"),
        ("[{rate: 30/m, hold: 1s}]", "0.5 arrivals a second"),
        ("[{stages: [{duration: 1s, rate: 9/s}, {duration: 1s, rate: 2/s}]}]",
         "9 arrivals a second"),
        ("[{rate: 5/s, hold: 1s}, {users: 20, hold: 1s}, {rate: 7/s, hold: 1s, start_at: 0s}]",
         "20 users at once and 12 arrivals a second"),
        ("[{search: {vary: rate, from: 10/s, to: 400/s, step: x2, hold: 1s, slo: [p95 < 1s]}}]",
         "400 arrivals a second"),
        ("[{search: {vary: users, from: 10, to: 60, step: +10, hold: 1s, slo: [p95 < 1s]}}]",
         "60 users at once"),
    ],
)  # fmt: skip
def test_the_peak_is_said_in_the_words_of_the_load(phases: str, words: str) -> None:
    """Phases in turn are not added up, those beside others are; a rate is no number of users."""
    assert peak_load(compiled(f"phases: {phases}")) == words


def check(allowed: str, *sections: str) -> None:
    asyncio.run(check_hosts(compiled(*sections), allowed.split()))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:1", "own"),
        ("http://10.1.2.3", "own shop.example"),
        ("http://api.staging.example", "own *.staging.example"),
        ("http://API.Example", "api.example"),
        ("http://8.8.8.8", ""),
    ],
)
def test_hosts_that_are_allowed_pass(url: str, allowed: str) -> None:
    """Without the option, all are."""
    check(allowed, at(url))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://8.8.8.8", "own"),
        ("http://127.0.0.1", "shop.example"),
        ("http://staging.example", "own *.staging.example"),
        ("http://shop.invalid", "own"),
    ],
)
def test_other_hosts_are_refused_by_name(url: str, allowed: str) -> None:
    """One that doesn't resolve may be anybody's."""
    with pytest.raises(UsageError, match=url.removeprefix("http://")) as refused:
        check(allowed, at(url))

    assert refused.value.hint.startswith(f"add `--only-hosts {url.removeprefix('http://')}`")


def test_a_host_that_only_the_run_knows_is_refused() -> None:
    """Nobody can say whose it will be."""
    plan = """
users:
  Reader:
    tasks:
      - task: look
        steps: [{get: /where, extract: {place: $.url}}, {get: "${place}"}]
"""

    with pytest.raises(UsageError, match="only the run knows"):
        check("own", at("http://127.0.0.1:1"), plan)


SQL = "users: {U: {steps: [{sql.query: select 1}]}}"


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        (('http: {base_url: "http://127.0.0.1", hosts: {127.0.0.1: 8.8.4.4}}',), "`8.8.4.4`"),
        (('http: {base_url: "http://127.0.0.1", proxy: "http://p.example:1"}',), "`p.example`"),
        (('sql: {url: "postgresql:///x?host=/run/pg,db.example:1"}', SQL), "`db.example`"),
        (('sql: {url: "mysql://127.0.0.1/x?host=db.example"}', SQL), "`db.example`"),
        (('sql: {url: "bigquery://project/x"}', SQL), "`bigquery.googleapis.com`"),
        (('sql: {url: "postgresql://127.0.0.1/x?service=shop"}', SQL), "only the run knows"),
    ],
)
def test_ways_around_the_name_are_seen(sections: tuple[str, ...], name: str) -> None:
    """What a plan maps, goes through, or has in the query of a URL."""
    with pytest.raises(UsageError, match=name):
        check("127.0.0.1", *sections)
