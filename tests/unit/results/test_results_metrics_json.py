from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from planrunner.errors import CannotRun, UsageError
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.metrics_json import (
    from_json,
    metrics_schema,
    read_metrics,
    to_json,
    to_text,
    write_metrics,
)
from planrunner.results.model import (
    AchievedTask,
    Judgement,
    Point,
    Row,
    RunResult,
    Totals,
    Validity,
    ValidityLevel,
    Verdict,
)
from planrunner.results.record import RequestPoints, Track

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schema" / "metrics.schema.json"
LATENCIES = {"min": 1, "avg": 2, "p50": 2, "p90": 3, "p95": 3, "p99": 3, "p99.9": 3, "max": 3}


@pytest.fixture
def result():
    return RunResult(
        run_id="a1",
        plan="front page",
        plan_path="plans/front-page.yaml",
        plan_hash="c0ffee",
        profile="",
        seed=7,
        started="2024-01-01T00:00:00.000Z",
        duration_seconds=12.5,
        ended_because="finished",
        exit_code=1,
        totals=Totals(100, 99, 1, 0.0123, 0.025, 8.25, 1.0),
        aborted=2,
        unmeasured=3,
        warmup=4,
        rows=(
            Row(
                by="request",
                name="GET /naïve",
                phase="",
                count=100,
                failed=1,
                failures={"timeout": 1},
                statuses={"0": 1, "200": 99},
                seconds=12.0,
                requests_per_second=8.25,
                latency_ns=LATENCIES,
                service_ns=LATENCIES,
                received_bytes=1000,
                sent_bytes=900,
                connects=3,
                retries=0,
            ),
        ),
        points=(
            Point(
                1,
                "main",
                warmup=False,
                users=10,
                requests=8,
                failed=0,
                p50_ns=1,
                p95_ns=2,
                p99_ns=3,
            ),
        ),
        judgements=(
            Judgement("p95 < 20ms", Verdict.FAIL, "25 ms", "20 ms", "plan.yaml:9:5"),
            Judgement("p95 in phase x < 1s", Verdict.NOT_APPLICABLE, "", "1 s", "", "not run"),
        ),
        validity=Validity(ValidityLevel.BIASED, ("the generator was late",)),
        task_mix=(
            AchievedTask(
                user="V",
                task="t",
                weight=1,
                declared_percent=100.0,
                share_percent=100.0,
                runs=9,
                skipped=0,
                substituted=0,
                mix_error_percent=None,
            ),
        ),
        request_points=(RequestPoints("", 1, (1, 2), (8, 9), (0, 1), (1, 1), (2, 2), (3, 3)),),
        tracks=(Track("generator.cpu", (1.0,), (0.25,)),),
        params={"target": "http://localhost"},
        host={"python": "3.11"},
        notices=("no thresholds: `error_rate < 1%` was applied",),
    )


def test_a_result_is_the_same_after_the_file(result, tmp_path):
    """Every report can be made again from metrics.json."""
    path = tmp_path / "metrics.json"

    write_metrics(result, path)

    assert read_metrics(path) == result
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_the_totals_have_the_names_of_the_contract(result):
    """Programs read these seven names; they stand in front."""
    data = to_json(result)

    assert list(data)[:3] == ["$schema", "schema_version", "totals"]
    assert data["schema_version"] == 1
    assert data["totals"] == {
        "total_requests": 100,
        "successful_requests": 99,
        "failed_requests": 1,
        "average_response_time": 0.0123,
        "p95_response_time": 0.025,
        "requests_per_second": 8.25,
        "error_rate": 1.0,
    }


def test_the_same_result_gives_the_same_bytes(result):
    """Mappings are sorted and floats rounded to a nanosecond, so files can be compared."""
    shuffled = replace(
        result,
        params=dict(reversed({"a": "1", "b": "2"}.items())),
        duration_seconds=12.5 + 1e-12,
    )
    ordered = replace(result, params={"a": "1", "b": "2"})

    assert to_text(shuffled) == to_text(ordered)


@pytest.mark.slow
def test_the_file_is_valid_by_its_schema(result):
    """What is written is what the schema promises."""
    jsonschema.Draft202012Validator.check_schema(metrics_schema())

    jsonschema.validate(to_json(result), metrics_schema())


@pytest.mark.slow
def test_the_schema_asks_for_every_total(result):
    """A file without one of the contract's names is invalid."""
    for name in list(to_json(result)["totals"]):
        data = to_json(result)
        del data["totals"][name]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, metrics_schema())


def test_the_committed_schema_is_fresh():
    """schema/metrics.schema.json is what the model generates; `make schema` renews it."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == metrics_schema()


def test_unknown_fields_are_passed_over_and_missing_defaults_filled(result):
    """A file of a neighbouring version with the same schema_version is readable."""
    data = to_json(result)
    data["invented_later"] = {"a": 1}
    del data["notices"]

    assert from_json(data) == replace(result, notices=())


def test_a_newer_file_is_refused_with_a_way_out(result):
    """A file that this version could misread is an error, not a guess."""
    with pytest.raises(
        UsageError, match="schema_version 2, but this planrunner reads up to 1"
    ) as it:
        from_json(to_json(result) | {"schema_version": 2})

    assert it.value.hint


@pytest.mark.parametrize("data", [None, [], {}, {"schema_version": "1"}, {"schema_version": True}])
def test_other_json_is_no_result(data):
    """JSON of something else is named as such."""
    with pytest.raises(UsageError, match=r"not a metrics\.json"):
        from_json(data)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("seed",), "7", r"\$\.seed is not a whole number"),
        (("seed",), True, r"\$\.seed is not a whole number"),
        (("totals", "error_rate"), float("nan"), r"\$\.totals\.error_rate is out of range"),
        (("totals", "error_rate"), float("inf"), r"\$\.totals\.error_rate is out of range"),
        (("totals", "error_rate"), 10**400, r"\$\.totals\.error_rate is out of range"),
        (("rows", 0, "latency_ns"), {"p50": 1}, r"\$\.rows\[0\]\.latency_ns\.min is missing"),
        (("task_mix", 0), {"user": "V"}, r"\$\.task_mix\[0\]\.task is missing"),
        (("task_mix", 0, "runs"), [0], r"\$\.task_mix\[0\]\.runs is not a whole number"),
        (("task_mix", 0, "user"), 7, r"\$\.task_mix\[0\]\.user is not text"),
        (("task_mix", 0, "share_percent"), "a", r"\.share_percent is not a number"),
        (("points", 0, "seconds"), 0, r"\$\.points\[0\]\.seconds is less than 1"),
        (
            ("request_points", 0, "p99_ns"),
            [1],
            r"\$\.request_points\[0\]\.p99_ns has 1 values where `seconds` has 2",
        ),
        (("tracks", 0, "values"), [], r"\$\.tracks\[0\]\.values has 0 values"),
        (("totals", "error_rate"), "high", r"\$\.totals\.error_rate is not a number"),
        (("totals",), [], r"\$\.totals is not an object"),
        (("rows",), {}, r"\$\.rows is not a list"),
        (("rows", 0, "statuses", "0"), None, r"\$\.rows\[0\]\.statuses\.0 is not a whole number"),
        (("judgements", 0, "verdict"), "maybe", r"verdict is `maybe`, expected one of pass, warn"),
        (("points", 0, "warmup"), 1, r"warmup is not true or false"),
    ],
)
def test_a_broken_file_says_where(result, path, value, message):
    """The message names the place in the file and what belongs there."""
    data = json.loads(to_text(result))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(UsageError, match=message):
        from_json(data)


def test_a_missing_field_says_which(result):
    """A field without a default must be there."""
    data = to_json(result)
    del data["plan"]

    with pytest.raises(UsageError, match=r"\$\.plan is missing"):
        from_json(data)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 200_000])
def test_a_damaged_file_is_an_error_in_words(tmp_path, content):
    """Half a file, binary rubbish or a nesting bomb gives one sentence with the path."""
    path = tmp_path / "metrics.json"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=r"metrics\.json"):
        read_metrics(path)


def test_no_file_is_an_error_in_words(tmp_path):
    """A directory without results is the caller's mistake."""
    with pytest.raises(UsageError, match="does not exist"):
        read_metrics(tmp_path / "metrics.json")


def test_half_a_surrogate_pair_is_written(result, tmp_path):
    """Text of any origin can be written and read back."""
    path = tmp_path / "metrics.json"
    odd = replace(result, notices=("half \udc80 pair",))

    write_metrics(odd, path)

    assert read_metrics(path) == odd


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    """A fault in the middle changes nothing and leaves nothing behind."""
    path = tmp_path / "report.html"
    path.write_text("old")

    def write_half():
        with atomic_text_file(path) as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()

    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path):
    """The message has the path that was asked for, not that of the temporary neighbour."""
    path = tmp_path / "missing" / "metrics.json"

    with (
        pytest.raises(CannotRun, match=r"missing/metrics\.json`: No such file"),
        atomic_text_file(path),
    ):
        pass
