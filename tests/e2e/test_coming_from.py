"""docs/how-to/coming-from-*.md: each mapping does what the original is known to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.support.coming_from import artillery_cases, jmeter_cases, k6_cases, locust_cases
from tests.support.coming_from.cases import Case
from tests.support.coming_from.checks import check
from tests.support.coming_from.pages import mappings_of
from tests.support.coming_from.replies import Shop
from tests.support.http_servers import HttpServer, serve
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

CASES: Final[Mapping[str, Mapping[str, Case]]] = {
    "coming-from-artillery.md": artillery_cases.CASES,
    "coming-from-jmeter.md": jmeter_cases.CASES,
    "coming-from-k6.md": k6_cases.CASES,
    "coming-from-locust.md": locust_cases.CASES,
}
MAPPINGS: Final = {page: mappings_of(page) for page in CASES}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[HttpServer]:
    with running(serve(shop.respond())) as up:
        yield up


@pytest.mark.parametrize("page", CASES)
def test_each_mapping_has_a_case(page: str) -> None:
    """A row that nothing tests is a promise that nobody keeps."""
    there, tested = {*MAPPINGS[page]}, {*CASES[page]}

    assert (sorted(there - tested), sorted(tested - there)) == ([], [])


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("page", "theirs"), [(page, theirs) for page, cases in CASES.items() for theirs in cases]
)
def test_a_mapping_does_what_the_original_does(
    page: str, theirs: str, project: PlanProject, shop: Shop, server: HttpServer
) -> None:
    """In what it sends, in its load, and in what counts as failed."""
    shop.logins = 0
    server.requests.clear()

    check(MAPPINGS[page][theirs], CASES[page][theirs], project, server)
