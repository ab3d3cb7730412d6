"""Reports for other tools: each byte for byte, and read back by those that will read them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml, Skipped

from planrunner.formats import REPORT_FORMATS, FormatSource
from planrunner.report.formats.timeseries import TIMESERIES_COLUMNS
from planrunner.report.formats.writers import produced_files
from planrunner.results.model import Judgement, Validity, ValidityLevel, Verdict
from tests.support.golden import check_golden
from tests.support.long_run import make_long_run
from tests.support.results import AWKWARD_NAMES, RESULTS, make_result, make_row

OF_RESULTS = [
    name for name, report in REPORT_FORMATS.items() if report.source is FormatSource.RESULT
]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def written(result, name):
    texts = []
    for _, produce in produced_files(REPORT_FORMATS[name], result, Path("no samples")):
        out = io.StringIO()
        produce(out)
        texts.append(out.getvalue())
    return texts


@pytest.fixture(scope="module")
def short():
    """A minute of three requests, one of them failing now and then."""
    return make_long_run(seconds=60, requests=8)


@pytest.fixture(scope="module")
def evil():
    """A minute in which every name is hostile."""
    result = make_long_run(seconds=30, requests=8)
    names = ["=1+1", "@SUM(A1)", "-2", *AWKWARD_NAMES[:5]]
    series = [replace(one, request=names[n % 8]) for n, one in enumerate(result.series)]
    points = [replace(one, name=names[n % 8]) for n, one in enumerate(result.request_points)]
    return replace(result, series=tuple(series), request_points=tuple(points))


@pytest.mark.parametrize("name", ["junit.xml", "summary.md", "annotations", "metrics.txt"])
@pytest.mark.parametrize("case", ["passing", "failing", "awkward", "empty", "biased", "components"])
def test_reports_of_verdicts_are_what_was_reviewed(name, case, update_golden):
    """Byte for byte."""
    (text,) = written(RESULTS[case], name)
    check_golden(f"report/{case}.{name.replace('.', '-')}.txt", text, update=update_golden)


@pytest.mark.parametrize("name", ["timeseries.csv", "locust-csv"])
def test_reports_of_numbers_are_what_was_reviewed(name, short, update_golden):
    """Byte for byte."""
    text = "\n".join(written(short, name))
    check_golden(f"report/short.{name.replace('.', '-')}.txt", text, update=update_golden)


@pytest.mark.parametrize("case", RESULTS)
def test_junit_is_read_back_with_every_threshold_and_request(case):
    """A case for the run, each threshold and each request, and one for invalid numbers."""
    result = RESULTS[case]
    (text,) = written(result, "junit.xml")

    suites = {suite.name.rpartition(": ")[2]: suite for suite in JUnitXml.fromstring(text.encode())}

    requests = [row for row in result.rows if row.by == "request" and not row.phase]
    assert len(list(suites["run"])) == (2 if result.validity.level == "invalid" else 1)
    assert len(list(suites["thresholds"])) == len(result.judgements)
    assert len(list(suites.get("requests", ()))) == len(requests)


def test_junit_fails_at_each_broken_threshold_and_nowhere_else():
    """N/a is skipped; the run and a request whose failures broke a threshold say what they saw."""
    (text,) = written(RESULTS["failing"], "junit.xml")
    xml = JUnitXml.fromstring(text.encode())
    outcomes = {case.name: [type(one) for one in case.result] for suite in xml for case in suite}

    assert outcomes["error_rate < 1%"] == [Failure]
    assert outcomes["p95 of tag:rare < 1s"] == [Failure]
    assert outcomes["p95 in phase soak < 1s"] == [Skipped]
    assert outcomes["warn: p99 < 250ms"] == []
    assert outcomes["POST /broken"] == []
    assert outcomes["GET /fine"] == []
    assert outcomes["the run as a whole"] == []
    assert sum(suite.failures for suite in xml) == len(
        [one for one in RESULTS["failing"].judgements if one.verdict in ("fail", "no_data")]
    )


def test_a_pair_of_limits_without_data_is_one_failure_in_junit():
    """It is one threshold of the plan."""
    pair = [
        Judgement("p95 < 1s", Verdict.NO_DATA, "", "1 s", "a:1:1", level=level, pair=1)
        for level in ("warn", "fail")
    ]
    result = replace(RESULTS["failing"], judgements=tuple(pair))
    (text,) = written(result, "junit.xml")

    assert sum(suite.failures for suite in JUnitXml.fromstring(text.encode())) == 1


@pytest.mark.parametrize("exit_code", [3, 4, 130])
def test_a_run_that_ended_early_fails_in_junit_though_no_threshold_did(exit_code):
    """Something must say why the build failed."""
    result = replace(RESULTS["passing"], exit_code=exit_code, ended_because="the disk burnt")
    (text,) = written(result, "junit.xml")
    xml = JUnitXml.fromstring(text.encode())

    [failed] = [case for suite in xml for case in suite if case.result]
    assert failed.name == "the run as a whole"
    assert "the disk burnt" in failed.result[0].message


INVALID = replace(
    RESULTS["passing"], validity=Validity(ValidityLevel.INVALID, ("half the arrivals dropped",))
)


@pytest.mark.parametrize(("exit_code", "expected"), [(0, []), (5, [Failure])])
def test_invalid_numbers_fail_a_case_of_their_own_where_the_run_is_strict(exit_code, expected):
    """`--strict` ends with 5; without it the case is there and passes."""
    (text,) = written(replace(INVALID, exit_code=exit_code), "junit.xml")
    suites = JUnitXml.fromstring(text.encode())
    cases = {case.name: case.result for suite in suites for case in suite}

    found = cases["the numbers can be trusted"]
    assert [type(one) for one in found if isinstance(one, Failure)] == expected


@pytest.mark.parametrize("format_name", ["summary.md", "report.html"])
def test_no_report_says_pass_alone_of_invalid_numbers(format_name):
    """Whoever reads one line reads that too."""
    (text,) = written(INVALID, format_name)

    assert "pass, but the numbers are invalid" in text


def test_annotations_of_invalid_numbers_are_errors_where_the_run_is_strict():
    """A warning is what they are otherwise."""
    assert [written(replace(INVALID, exit_code=code), "annotations")[0][:9] for code in (0, 5)] == [
        "::warning",
        "::error t",
    ]


def test_a_run_that_passes_has_no_failed_case():
    """CI must not turn red for a request that the plan's thresholds allow to fail."""
    rows = tuple(
        replace(row, failed=500, failures={"status": 500}) if row.name == "POST /cart" else row
        for row in RESULTS["passing"].rows
    )
    (text,) = written(replace(RESULTS["passing"], rows=rows), "junit.xml")

    xml = JUnitXml.fromstring(text.encode())
    assert sum(suite.failures for suite in xml) == 0
    assert "500 of 402 failed" in text or "500 of" in text


def test_markdown_marks_percentiles_of_few_requests():
    """As the report does, with what the mark means."""
    rows = tuple(replace(row, count=28) for row in RESULTS["passing"].rows if row.by == "request")
    (text,) = written(replace(RESULTS["passing"], rows=rows), "summary.md")

    assert re.search(r"\| \d+ ms\\\* \|$", text, re.MULTILINE)
    assert "\n\\* n too small: p95 needs 20 requests, p99 needs 100\n" in text


def test_markdown_keeps_phases_apart():
    """A rate over two phases is the rate of neither."""
    rows = tuple(
        make_row("all" if by == "phase" else name, by=by, phase=phase, count=count)
        if by == "request"
        else make_row(name, by="phase", count=count)
        for name, count in (("put bench", 36_400), ("get bench", 107_680))
        for by, phase in (("phase", ""), ("request", name))
    )
    (text,) = written(replace(RESULTS["passing"], rows=rows), "summary.md")

    assert text.splitlines()[2] == "8,337 requests · 0 % failed · took 21.5 s"
    assert "### Phase put bench, worst first" in text
    assert "| all requests | 36,400 | 0 | 1,820.0 |" in text
    assert "| all requests | 107,680 | 0 | 5,384.0 |" in text


@pytest.mark.parametrize("name", ["timeseries.csv", "locust-csv"])
def test_no_cell_is_a_formula(name, evil):
    """Spreadsheets run cells that begin with `=`."""
    for text in written(evil, name):
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(FORMULA) for cell in row)


def test_timeseries_has_phases_requests_and_tracks(short):
    """Each line has every column."""
    (text,) = written(short, "timeseries.csv")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert tuple(rows[0]) == TIMESERIES_COLUMNS
    assert {row["by"] for row in rows} == {"phase", "request", "all", "track"}
    assert all(None not in row and None not in row.values() for row in rows)


def test_annotations_stand_at_the_line_of_the_threshold():
    """One line each, whatever names hold."""
    (text,) = written(RESULTS["failing"], "annotations")
    (awkward,) = written(RESULTS["awkward"], "annotations")

    assert "::error file=plans/stress.yaml,line=63,col=5,title=threshold%3A fail::" in text
    assert "::warning file=" in text
    assert all(re.match(r"::(error|warning) ", line) for line in awkward.splitlines())


def test_names_in_markdown_are_text():
    """No table is broken, no tag, link or mention made."""
    (text,) = written(RESULTS["awkward"], "summary.md")

    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} <= {5, 6, 8}
    assert not re.search(r"(?<!\\)<", text)


@pytest.mark.parametrize("name", OF_RESULTS)
def test_the_same_result_gives_the_same_bytes(name, short):
    """Reports can be made again."""
    assert written(short, name) == written(short, name)


@pytest.mark.parametrize("name", ["junit.xml", "summary.md", "metrics.txt"])
def test_a_step_that_never_did_its_work_has_no_latency(name):
    """It failed at once: 0 ns would look like the fastest of all."""
    rows = (make_row("boom", slower=0, failures={"error": 1000}), make_row("GET /many"))

    text = "".join(written(make_result(rows=rows), name))

    assert "boom" in text
    assert not re.search(r"\b0 ns|quantile.* 0$", text, re.MULTILINE)


def test_timeseries_has_no_rate_of_a_fraction_of_the_last_second(short):
    """Divided by a whole one it would fall to nothing; how many there were is still said."""
    ends_ns = 59_250_000_000
    measured = (short.measured[0], replace(short.measured[1], end_ns=ends_ns))

    (text,) = written(replace(short, measured=measured), "timeseries.csv")

    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["by"] != "track"]
    last = [row for row in rows if row["second"] == "60"]
    assert {row["by"] for row in last} == {"phase", "all", "request"}
    assert all(row["requests"] and not row["requests_per_second"] for row in last)
    assert all(row["requests_per_second"] for row in rows if row["second"] == "59")
