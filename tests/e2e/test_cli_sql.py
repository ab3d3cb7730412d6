"""Plans about databases: whole runs on SQLite, and on PostgreSQL with workers."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.support.bigquery_double import bigquery_double
from tests.support.database_servers import PostgresServer, needs_postgres, serving
from tests.support.plans import PlanProject

PLAN = Path(__file__).parents[2] / "plans" / "database.yaml"
TRANSACTIONS = """
planrunner: 1
name: transactions
params: {file: {type: str}}
sql: {url: "sqlite:///${file}"}
setup: [{sql.query: create table t (id integer primary key)}]
users:
  Fails:
    steps:
      - sql.transaction:
          name: fails
          do:
            - repeat: 2
              do: [{sql.query: {statement: insert into t values (1), name: twice}}]
            - sql.query: {statement: insert into t values (2), name: never}
      - sql.query: {statement: insert into t values (10), name: goes on}
  Lacks:
    steps:
      - sql.transaction:
          do:
            - sql.query: insert into t values (3)
            - sql.query: {statement: select id from t where id = 0, extract: {x: id}, name: lacks}
      - sql.query: {statement: insert into t values (11), name: never}
  Stops:
    steps:
      - sql.transaction: {name: stops, do: [
          {sql.query: insert into t values (4)}, {stop: iteration}]}
  Late:
    tasks:
      - {task: late, timeout: 50ms, steps: [{sql.transaction: {name: late, do: [
          {sql.query: insert into t values (5)}, {think: 20s}]}}]}
  Ends:
    steps:
      - sql.transaction:
          on_error: stop_iteration
          do: [{sql.query: insert into t values (8)}, {sql.query: select * from nowhere}]
      - sql.query: {statement: insert into t values (12), name: never}
  Keeps:
    steps:
      - sql.transaction: {name: keeps, do: [
          {sql.query: insert into t values (6)}, {sql.query: insert into t values (7)}]}
phases:
  - {users: {Fails: 1, Lacks: 1, Stops: 1, Late: 1, Ends: 1, Keeps: 1}, iterations_per_user: 1}
thresholds:
  - count of status:SQLITE_CONSTRAINT_PRIMARYKEY == 1
  - count of error:extract == 1
  - max execute of "twice" < 5s
"""


def test_what_fails_stops_or_is_cut_in_a_transaction_is_taken_back(project: PlanProject) -> None:
    """And only that: the iteration goes on after a failed request, unless it says otherwise."""
    file = project.directory / "t.db"
    project.write({"plan.yaml": TRANSACTIONS})

    ended = project.run("execute", "plan.yaml", "--set", f"file={file}", "--quiet")

    assert ended.code == 0, ended.out + ended.err
    with sqlite3.connect(file) as database:
        kept = [row[0] for row in database.execute("select id from t order by id")]
    database.close()
    assert kept == [6, 7, 10]
    names = {one["status_name"] for one in ended.metrics["failing_samples"]}
    assert names == {"", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_ERROR"}
    rows = {(row["by"], row["name"]): row for row in ended.metrics["rows"]}
    assert {name for _, name in rows if name == "never"} == set()
    failed = {name: row["failed"] for (by, name), row in rows.items() if by == "group"}
    assert failed.pop("late") in (0, 1)  # it may be cut in its statement, or after it
    assert failed == {"fails": 1, "stops": 0, "keeps": 0, "sql.transaction": 1}
    assert rows["request", "goes on"]["work"] == 1


def test_once_shows_a_statement_its_values_and_its_rows(project: PlanProject) -> None:
    """As a person reads them, with secrets masked."""
    project.write(
        {
            "plan.yaml": """
                planrunner: 1
                name: shown
                params: {pin: {type: str, default: "geheim-1234", secret: true}}
                sql: {url: "sqlite:///${run.dir}/x.db"}
                users:
                  A:
                    steps:
                      - sql.query:
                          statement: "select :pin as pin, :n as n union all select 'x', 2"
                          params: {pin: "${pin}", n: 1}
                phases: [{users: 1, iterations: 1}]
                """
        }
    )

    ended = project.run("execute", "plan.yaml", "--once", "--full")

    assert ended.code == 0, ended.out + ended.err
    assert "geheim" not in ended.out
    for words in (
        "→ query sqlite+aiosqlite",
        ":pin: ***",
        "select :pin as pin",
        "← OK, 2 rows",
        "pin | n",
        "work = 2",
    ):
        assert words in ended.out, ended.out


@pytest.mark.slow
@needs_postgres
def test_the_database_plan_runs_on_postgresql_with_workers(project: PlanProject) -> None:
    """Its URL is a secret of the environment, and no file of the run shows the password."""
    shutil.copy(PLAN, project.directory)
    with serving(PostgresServer) as server:
        ended = project.run_apart(
            *("execute", "database.yaml", "--workers", "2", "--set", "hold=1s", "--out", "out"),
            *("--override", "phases.main.warmup=0s"),
            env={"DATABASE_URL": server.url("asyncpg")},
        )

    assert ended.code in (0, 1), ended.out + ended.err  # a busy machine may break its limits
    assert "pw-of-me" not in ended.out + ended.err
    rows = {(row["by"], row["name"]): row for row in ended.metrics["rows"]}
    assert ended.metrics["totals"]["failed_requests"] == 0
    assert rows["request", "orders of a customer"]["work"] > 0
    assert rows["group", "sql.transaction"]["count"] > 0
    assert {row["protocol"] for row in ended.rows} == {"sql"}
    for path in (project.directory / "out").rglob("*"):
        assert path.is_dir() or b"pw-of-me" not in path.read_bytes(), path


@pytest.mark.slow
def test_validate_online_has_statements_judged_and_none_executed(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fault is at its statement; what only a run knows is left out."""
    pytest.importorskip("sqlalchemy_bigquery", reason="needs sqlalchemy-bigquery")
    credentials = project.directory / "account.json"
    with bigquery_double(credentials) as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)
        project.write(
            {
                "plan.yaml": f"""
                    name: judged
                    sql: {{url: "bigquery://p/ds?credentials_path={credentials}"}}
                    users:
                      Analyst:
                        steps:
                          - sql.query: select n from ds.t
                          - sql.query: select typo
                          - sql.query: {{statement: "select :n as n", params: {{n: "${{rand.int(1, 5)}}"}}, extract: {{n: n}}}}
                          - sql.query: {{statement: "select :n as later", params: {{n: "${{n}}"}}}}
                    phases: [{{users: 1, iterations: 1}}]
                    """  # noqa: E501 - YAML in one line
            }
        )

        ended = project.run("validate", "plan.yaml", "--online")

    assert ended.code == 2
    assert "typo" in ended.err
    assert "the database refuses the statement: 400: " in ended.err
    assert ended.err.count("error[") == 1
    assert [one["dryRun"] for one in server.asked] == [True] * 3
