"""Statements to BigQuery, by its own Python package, against a double of its REST API."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.metrics.measures import WORK
from planrunner.protocols.received import read_json
from planrunner.protocols.sql.sqlstates import status_text
from tests.support.bigquery_double import bigquery_double
from tests.support.sql_steps import Statements, settings_of, with_statements

pytestmark = pytest.mark.slow

pytest.importorskip("sqlalchemy_bigquery", reason="needs sqlalchemy-bigquery")


def test_statements_go_without_the_cache_and_say_what_they_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes, slots and the cache are recorded; its refusals have kinds and its codes."""
    credentials = tmp_path / "account.json"
    with bigquery_double(credentials) as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)
        url = f"bigquery://p/ds?credentials_path={credentials}"

        async def use(statements: Statements) -> None:
            step = {
                "statement": "select n from ds.t where n > :least",
                "params": {"least": 5},
                "expect": {"rows": 2, "json": {"$[1].n": 8}},
            }
            reply = await statements.done(step)
            assert reply.parsed(read_json) == [{"n": 7}, {"n": 8}]
            assert reply.thread_wait_ns is not None
            [sent] = server.asked
            assert sent["useQueryCache"] is False
            assert [one["parameterValue"]["value"] for one in sent["queryParameters"]] == ["5"]
            counts = statements.exchange(step).counts
            assert {word: count(reply) for word, _, count in counts} == {
                WORK.word: 2,
                "metric.bytes_processed": 1234,
                "metric.slot_ms": 56,
                "metric.cache_hit": False,
            }
            kind, status, words = await statements.failed("select * from ds.forbidden")
            assert (kind, status_text(status)) == ("permission", "403")
            assert "Access Denied" in words
            kind, status, _ = await statements.failed("select typo")
            assert (kind, status_text(status)) == ("status", "400")

        with_statements(settings_of(url=url, timeout="20s"), use)

        async def cached(statements: Statements) -> None:
            assert (await statements.done("select 1")).facts["cache_hit"] is True

        with_statements(settings_of(url=f"{url}&use_query_cache=true"), cached)


def test_without_an_account_a_statement_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google's package looks for one as the first statement is sent."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    async def use(statements: Statements) -> None:
        kind, _, words = await statements.failed("select 1")
        assert (kind, "credentials" in words) == ("permission", True)

    with_statements(settings_of(url="bigquery://p/ds"), use)
