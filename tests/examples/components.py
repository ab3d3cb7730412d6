"""The components that components.yaml measures: what a team's own package would bring."""

import csv
import sqlite3
from pathlib import Path

TABLE = "create table if not exists orders (id text, customer int, amount real, city text)"


def reset(database):
    """Start with an empty table."""
    with sqlite3.connect(database) as connection:
        connection.execute(TABLE)
        connection.execute("delete from orders")


def fill(database, rows):
    """Put some orders into the table, so that queries find any."""
    cities = ("Oslo", "Graz", "Nara")
    records = [(str(n), n % 50, n / 7, cities[n % 3]) for n in range(rows)]
    with sqlite3.connect(database) as connection:
        connection.executemany("insert into orders values (?, ?, ?, ?)", records)


def ingest(path, database):
    """Load the records of a file; returns how many went in and how many were refused."""
    records = _records(path)
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "insert into orders values (:id, :customer, :amount, :city)", records
        )
    return {"rows": len(records), "rejected": 0}


def check_quality(path):
    """Refuse a file whose ids repeat."""
    seen = set()
    for record in _records(path):
        if record["id"] in seen:
            raise ValueError(f"id {record['id']} twice")
        seen.add(record["id"])


def _records(path):
    if Path(path).suffix == ".parquet":
        import pyarrow.parquet  # noqa: PLC0415 - only where it is read

        return pyarrow.parquet.read_table(path).to_pylist()
    with Path(path).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
