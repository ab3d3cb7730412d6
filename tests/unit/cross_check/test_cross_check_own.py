"""planrunner's own samples, as a tool among others has them."""

from __future__ import annotations

import json
from pathlib import Path

from planrunner.cross_check.own import OwnSamples
from planrunner.report.formats.samples.results_csv import CSV_COLUMNS

ROW = dict.fromkeys(CSV_COLUMNS, "")
ROW |= {"timestamp": "2026-12-01T00:55:37.431515Z", "endpoint": "GET /", "success": "true"}
ROW |= {"response_time": "0.010635", "connect": "0.007407"}


def fed(*changes: dict[str, str]) -> tuple[OwnSamples, list[tuple[int, int | None, str]]]:
    reader = OwnSamples(Path("nowhere"))
    rows = [",".join({**ROW, **change}[name] for name in CSV_COLUMNS) for change in changes]
    found = reader.feed("\n".join([",".join(CSV_COLUMNS), *rows, ""]).encode())
    return reader, [(one.start_ns, one.took_ns, one.failure) for one in found]


def test_rows_of_results_csv_are_samples() -> None:
    """But for what the end of the run cut."""
    _, found = fed({}, {"success": "false", "kind": "timeout"}, {"kind": "aborted"})

    start_ns = 1_796_086_537_431_515_000
    assert found == [(start_ns, 10_635_000, ""), (start_ns, 10_635_000, "timeout")]


def test_it_says_what_makes_it_differ() -> None:
    """Connections that many requests open, and a run that a threshold ended."""
    opens, _ = fed({}, {"connect": "0.000000"})
    keeps, _ = fed({}, *[{"connect": "0.000000"}] * 20)

    assert opens.notices() == ["it opened 1 connection for 2 requests"]
    assert (keeps.notices(), keeps.verdict(3)) == ([], "")
    assert keeps.verdict(4)
    assert keeps.notices() == ["a threshold of the plan ended the run early"]


def test_what_planrunner_says_of_its_numbers(tmp_path: Path) -> None:
    """A difference may be its own doing."""
    validity = {"level": "biased", "reasons": ["the generator was late"]}
    (tmp_path / "metrics.json").write_text(json.dumps({"validity": validity}))

    assert OwnSamples(tmp_path).notices() == ["its numbers are biased: the generator was late"]
