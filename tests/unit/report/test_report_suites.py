"""Reports of a suite: the table on the console, junit.xml and index.html."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from xml.etree import ElementTree as ET

import pytest

from planrunner.report.suites.console import print_suite
from planrunner.report.suites.html import write_suite_html
from planrunner.report.suites.junit import write_suite_junit
from planrunner.report.suites.rows import titles_of
from planrunner.report.terminal.console import open_console
from planrunner.results.suites.model import SuitePlan, SuiteResult, SuiteRun
from tests.support.results import AWKWARD_NAMES
from tests.support.suites import make_plan, make_repeated, make_suite

NOT_RUN = SuitePlan("last", "plans/last.yaml", "", "last", None, "not run", "`b` before it: fail")
UNREACHED = SuitePlan(
    plan="door",
    path="plans/door.yaml",
    profile="load",
    directory="door",
    exit_code=3,
    verdict="could not run",
    reason="nothing answers at `http://127.0.0.1:9`",
    runs=(SuiteRun("door", "", 3, "could not run", "nothing answers"),),
)
SUITE = make_suite(
    make_plan(), make_plan("b", exit_code=1, verdict="fail"), UNREACHED, NOT_RUN, exit_code=3
)
REPEATED = make_suite(make_repeated((90, 150, 160)), make_plan("other"), exit_code=1)


def printed(suite: SuiteResult, width: int = 80, *, terminal: bool = True) -> str:
    out = StringIO()
    out.isatty = lambda: terminal  # type: ignore[method-assign]  # as a terminal would say
    print_suite(suite, open_console(out, width=width, color=False), files=["a/index.html"])
    return out.getvalue()


def test_a_log_has_whole_names_and_sentences() -> None:
    """What is searched for in it stands on one line."""
    name = "the long name of a plan that no column has room for, " * 3
    judged = make_plan(name, exit_code=1, verdict="fail")

    text = printed(make_suite(judged, make_plan("b")), 60, terminal=False)

    assert text.count(name.strip()) == 2
    assert "   fail: count < 100: observed 150, limit 100\n" in text
    assert "…" not in text


def test_the_table_has_a_line_for_each_plan() -> None:
    """With its verdict and figures; what is wrong is said below, and what was not run above."""
    text = printed(make_suite(*SUITE.plans, exit_code=3, ended_because="`b` came to fail"))

    lines = [line.strip() for line in text.splitlines()]
    assert lines[1] == "FAIL  4 plans: 1 pass, 1 fail, 1 could not run, 1 not run"
    assert "ended early: `b` came to fail" in lines
    assert "seed 7 · build=1.4" in lines
    table = lines[lines.index(next(line for line in lines if line.startswith("plan "))) :]
    assert [line.split()[0] for line in table[1:5]] == ["shop", "b", "door", "last"]
    assert "fail: count < 100: observed 150, limit 100" in lines
    assert "could not run: nothing answers at `http://127.0.0.1:9`" in lines
    assert lines[-2] == "a/index.html"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_window(width: int) -> None:
    """Columns go before verdicts do."""
    for suite in (SUITE, REPEATED):
        text = printed(suite, width)

        assert max(map(len, text.splitlines())) <= max(width, 21)
        assert "fail" in text


def test_repeats_show_their_median_and_spread() -> None:
    text = printed(REPEATED, 100)

    assert "3/3" in text
    assert "median" in text
    assert "MAD" in text
    assert "fail: count < 100: observed 150 (90 … 160), limit 100" in text


def test_titles_are_as_long_as_it_takes() -> None:
    """Only those that would be the same get more."""
    same = make_plan()
    plans = (
        same,
        replace(same, profile="load", directory="shop-2"),
        replace(same, path="else.yaml", directory="shop-3"),
        replace(same, directory="shop-4"),
        make_plan("other"),
    )

    titles = titles_of(make_suite(*plans))

    assert titles == ["shop (shop)", "shop (load)", "shop (else.yaml)", "shop (shop-4)", "other"]


def junit(suite: SuiteResult) -> ET.Element:
    out = StringIO()
    write_suite_junit(suite, out)
    return ET.fromstring(out.getvalue())


def test_junit_has_a_suite_for_each_plan() -> None:
    """Each broken threshold is a failure; a plan fails by itself where no threshold says why."""
    root = junit(SUITE)

    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "2", "1")
    by_name = {suite.get("name"): suite for suite in root}
    assert list(by_name) == ["shop", "b", "door", "last"]
    failed = {
        name: [case.get("name") for case in suite if case.find("failure") is not None]
        for name, suite in by_name.items()
    }
    assert failed == {"shop": [], "b": ["count < 100"], "door": ["the run as a whole"], "last": []}
    assert by_name["last"].find("testcase/skipped") is not None


def test_junit_judges_repeats_by_their_medians() -> None:
    root = junit(REPEATED)

    [failure] = root.iter("failure")
    assert failure.get("message") == "fail: observed 150 (90 … 160), limit 100"
    assert [case.get("name") for case in root[0]] == ["all 3 runs", "count < 100"]


class Links(HTMLParser):
    """Gathers the addresses and the ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    @property
    def outside(self) -> list[str]:
        return [link for link in self.links if not link.startswith("#")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href" and value:
                self.links.append(value)
            elif name == "id" and value:
                self.ids.append(value)


def page(suite: SuiteResult) -> tuple[str, Links]:
    out = StringIO()
    write_suite_html(suite, out)
    found = Links()
    found.feed(out.getvalue())
    return out.getvalue(), found


def test_the_page_links_to_each_report() -> None:
    """With addresses relative to it, and none outside."""
    _, single = page(SUITE)
    _, repeated = page(REPEATED)

    reports = [f"shop/{number}/report.html" for number in (1, 2, 3)]
    assert single.outside == ["shop/report.html", "b/report.html"]
    assert repeated.outside == ["other/report.html", *reports]
    for found in (single, repeated):
        assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert "#plan-3" in single.links
    assert "#plan-1" in repeated.links
    assert "script" not in single.tags | repeated.tags


def test_the_page_says_what_is_wrong() -> None:
    text, _ = page(SUITE)

    assert "4 plans: 1 pass, 1 fail, 1 could not run, 1 not run" in text
    assert "count &lt; 100: observed 150, limit 100" in text
    assert "nothing answers at <code>http://127.0.0.1:9</code>" in text


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_any_name_can_be_shown(name: str) -> None:
    """Names come from plans."""
    plan = replace(make_repeated((90, 150)), plan=name, profile=name, reason=name, path=name)
    suite = make_suite(plan, replace(plan, directory="x"), ended_because=name)

    text, found = page(suite)
    printed(suite)
    junit(suite)

    assert "script" not in found.tags
    assert "\x1b" not in text
