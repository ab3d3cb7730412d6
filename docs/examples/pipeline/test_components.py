"""What ingestion, quality checks and queries take: `pytest`, or `pytest --perf-size=all`."""

import pytest
from pipeline import check_quality, ingest, revenue_by_city

ORDERS = {
    "id": "rand.uuid()",
    "customer": "rand.int(1, 5000)",
    "amount": "rand.float(1, 500)",
    "city": "rand.choice(['Graz', 'Nara', 'Oslo'])",
}


@pytest.fixture
def database(tmp_path):
    """Where the orders go."""
    return tmp_path / "warehouse.db"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_ingestion(perf, database, form):
    """Of each format that orders come in."""
    orders = perf.data(ORDERS, format=form)

    loaded = perf(ingest, orders, database, work=perf.rows, unit="rows")

    assert loaded.value == perf.rows


def test_quality(perf):
    """Generated ids are unique, and everything costs something."""
    orders = perf.data(ORDERS, format="parquet")

    checked = perf(check_quality, orders, work=perf.rows, unit="rows")

    assert checked.value == []


def test_queries(perf, database):
    """A dashboard waits for this one, however many orders there are."""
    ingest(perf.data(ORDERS, format="parquet"), database)

    asked = perf(revenue_by_city, database, limit="2s")

    assert [city for city, _, _ in asked.value] == ["Graz", "Nara", "Oslo"]
