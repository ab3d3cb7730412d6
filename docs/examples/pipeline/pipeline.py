"""A small pipeline: files of orders go into SQLite, and questions are asked of them there."""

import csv
import sqlite3
from pathlib import Path

TABLE = "create table orders (id text, customer int, amount real, city text)"
ROW = "insert into orders values (:id, :customer, :amount, :city)"
REVENUE = "select city, count(*), sum(amount) from orders group by city order by city"


def ingest(path, database):
    """Replace what the database has by the orders of a file; returns how many there are."""
    orders = read_orders(path)
    with sqlite3.connect(database) as connection:
        connection.execute("drop table if exists orders")
        connection.execute(TABLE)
        connection.executemany(ROW, orders)
    connection.close()
    return len(orders)


def check_quality(path):
    """Return the ids of orders that occur twice, or that cost nothing."""
    seen, bad = set(), []
    for order in read_orders(path):
        if order["id"] in seen or float(order["amount"]) <= 0:
            bad.append(order["id"])
        seen.add(order["id"])
    return bad


def revenue_by_city(database):
    """Return a row for each city: its name, its orders and what they cost."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(REVENUE).fetchall()
    finally:
        connection.close()


def read_orders(path):
    """Return the rows of a CSV or Parquet file as mappings."""
    if Path(path).suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path).to_pylist()
    with Path(path).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
