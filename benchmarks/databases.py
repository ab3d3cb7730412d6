"""SQL: planrunner beside a bare loop of SQLAlchemy Core, on SQLite and on PostgreSQL.

`python benchmarks/databases.py URL SECONDS` is the loop; each generator runs in a process of its
own, ten statements at a time, each user with a connection of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # as a script it has only its own folder

from benchmarks.etcd import in_memory, on_processor  # noqa: E402
from benchmarks.processes import Outcome, run  # noqa: E402
from benchmarks.turns import (  # noqa: E402
    SHORT_S,
    Figures,
    Generated,
    Rounds,
    in_turns,
    without_start,
)

USERS = 10
STATEMENT = "select id, amount from orders where customer = :customer"
PLAN = """\
name: sql bench
params: {{seconds: {{type: duration, default: 5s}}}}
sql: {{url: "{url}"}}
users:
  Reader:
    steps:
      - sql.query: {{statement: "{statement}", params: {{customer: "${{rand.int(1, 50)}}"}}}}
phases: [{{name: read, users: {{Reader: {users}}}, hold: "${{seconds}}"}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

_SERVER_CPU, _GENERATOR_CPU = 0, 1


def databases(rounds: int, seconds: int) -> dict:
    """Statements a second of ten users, on SQLite and PostgreSQL, generators interleaved."""
    from tests.support.database_servers import PostgresServer, serving  # noqa: PLC0415 - a real one

    found: dict[str, Rounds] = {}
    with tempfile.TemporaryDirectory(dir=in_memory()) as directory, ExitStack() as stack:
        with on_processor(_SERVER_CPU):
            server = stack.enter_context(serving(PostgresServer))
        urls = {
            "SQLite": f"sqlite+aiosqlite:///{directory}/bench.db",
            "PostgreSQL": server.url("asyncpg"),
        }
        for database, url in urls.items():
            asyncio.run(_fill(url))

            def measure(name: str, url: str = url) -> Figures:
                return _measure(name, url, max(seconds, SHORT_S + 1), Path(directory))

            print(f"  {database}", flush=True)
            found[database] = in_turns(["planrunner", "bare"], rounds, measure)
    rate = {name: one.medians("rate") for name, one in found.items()}
    cpu = {name: one.medians("cpu_us_per_statement") for name, one in found.items()}
    summary = [
        f"{name}: {rate[name]['planrunner'] / rate[name]['bare']:.2f} × a bare loop of "
        f"SQLAlchemy Core (target 0.85); CPU per statement "
        f"{cpu[name]['planrunner'] / cpu[name]['bare']:.2f} × the loop's"
        for name in urls
    ]
    for name, one in found.items():
        summary += [f"{name}: {words}" for words in one.said]
    return {
        "summary": summary,
        "rounds": {name: one.counted for name, one in found.items()},
        "left_out": {name: one.left_out for name, one in found.items()},
        "median_rate": rate,
        "median_cpu_us": cpu,
    }


async def _fill(url: str) -> None:
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    engine = create_async_engine(url)
    async with engine.begin() as connection:
        create = "create table orders (id integer primary key, customer integer, amount numeric)"
        await connection.execute(text(create))
        await connection.execute(text("create index of_customer on orders (customer)"))
        insert = text("insert into orders values (:id, :customer, :amount)")
        rows = [{"id": n, "customer": n % 50 + 1, "amount": n} for n in range(200)]
        await connection.execute(insert, rows)
    await engine.dispose()


def _measure(generator: str, url: str, seconds: int, directory: Path) -> Figures:
    """Return the rate, and the CPU of a statement without that of starting."""
    generate = _planrunner if generator == "planrunner" else _script
    return without_start(lambda within_s: generate(url, within_s, directory), seconds, "statement")


def _script(url: str, seconds: int, _: Path) -> Generated:
    done = _completed([sys.executable, __file__, url, str(seconds)])
    rate = float(done.output)
    return Generated(done, rate * seconds, rate)


def _planrunner(url: str, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    plan.write_text(PLAN.format(url=url, statement=STATEMENT, users=USERS))
    done = _completed(
        [sys.executable, "-m", "planrunner", "execute", str(plan), "--set", f"seconds={seconds}s",
         "--out", str(out), "-q"]
    )  # fmt: skip
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    assert totals["failed_requests"] == 0
    count, rate = totals["total_requests"], totals["requests_per_second"]
    return Generated(done, float(count), float(rate))


def _completed(command: list[str]) -> Outcome:
    outcome = run(command, cpu=_GENERATOR_CPU, cwd=Path(ROOT))
    if outcome.exit_code:
        raise RuntimeError(outcome.output + outcome.errors)
    return outcome


def bare(url: str, seconds: float) -> float:
    """Tasks that do nothing but execute the statement and read its rows, as SQLAlchemy shows it."""
    import uvloop  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    async def main() -> float:
        engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        connections = [await engine.connect() for _ in range(USERS)]
        draw, statement, done = random.Random(1), text(STATEMENT), 0
        until = time.perf_counter() + seconds

        async def read(connection) -> None:
            nonlocal done
            while time.perf_counter() < until:
                result = await connection.execute(statement, {"customer": draw.randint(1, 50)})
                result.all()
                done += 1

        await asyncio.gather(*map(read, connections))
        for connection in connections:
            await connection.close()
        return done / seconds

    return uvloop.run(main())


if __name__ == "__main__":
    print(bare(sys.argv[1], float(sys.argv[2])))
