"""Whom a run will load, said before it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from planrunner.cli.reach import announce, peak_users
from tests.support.plans import compiled


def said(
    capsys: pytest.CaptureFixture[str],
    *sections: str,
    environ: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    asyncio.run(announce(compiled(*sections, **more), environ or {}))
    return capsys.readouterr().err


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
def test_nothing_is_said_about_hosts_of_ones_own(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """Loopback, private and link-local addresses, and names for this machine."""
    assert said(capsys, at(url)) == ""


@pytest.mark.parametrize("url", ["http://8.8.8.8", "https://[2606:4700::1111]:8443"])
def test_a_host_of_others_is_named_with_the_peak_load(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """Before anything is sent."""
    load = "phases: [{users: 30, hold: 1s}, {users: 1200, hold: 1s}]"

    words = said(capsys, at(url), load)

    assert "up to 1,200 users at once will load" in words
    assert url.split("//")[1].strip("[]").split("]")[0] in words


def test_a_name_that_does_not_resolve_counts_as_somebody_elses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who it is may be known once the load begins."""
    assert "`shop.invalid` (no address yet)" in said(capsys, at("http://shop.invalid"))


def test_what_counts_is_where_hosts_points(capsys: pytest.CaptureFixture[str]) -> None:
    """A name of the world that `hosts` takes home, and the other way round."""
    home = 'http: {base_url: "http://shop.example.com", hosts: {shop.example.com: 127.0.0.1}}'
    away = "http: {base_url: 'http://shop.localnet', hosts: {shop.localnet: 8.8.4.4}}"

    assert said(capsys, home) == ""
    assert "`shop.localnet` (8.8.4.4)" in said(capsys, away)


def test_every_host_of_the_plan_counts(capsys: pytest.CaptureFixture[str]) -> None:
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

    words = said(capsys, plan)

    assert [words.count(f"`{host}`") for host in ("1.1.1.1", "8.8.8.8", "9.9.9.9")] == [1, 1, 1]


def test_proxies_of_the_environment_are_ignored_with_a_notice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Named without their values; where the plan has a proxy, or all is local, nothing is said."""
    environ = {"HTTPS_PROXY": "http://me:pass@proxy", "http_proxy": "http://p", "all_proxy": ""}
    private = at("http://10.0.0.1")

    words = said(capsys, private, environ=environ)

    assert "`HTTPS_PROXY`, `http_proxy` of the environment are ignored" in words
    assert "pass" not in words
    assert said(capsys, environ=environ) == ""
    assert said(capsys, private[:-1] + ', proxy: "http://10.0.0.2"}', environ=environ) == ""


def test_phases_in_order_are_not_added_up() -> None:
    """Only those that run beside the others are."""
    graph = compiled("phases: [{users: 3, hold: 1s}, {users: 4, hold: 1s}, {users: 5, hold: 1s}]")
    first, second, third = graph.phases

    assert peak_users(graph) == 5
    assert peak_users(replace(graph, phases=(first, second, replace(third, start_at_ns=0)))) == 9
