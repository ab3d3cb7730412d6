"""What faults say of options is said of the keywords of calls."""

from __future__ import annotations

from pathlib import Path

import pytest

import planrunner
from planrunner.python.faults import with_keywords


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("choose another one with --out; it", "choose another one with `out`; it"),
        ("with --out or `report.dir`", "with `out` or `report.dir`"),
        ("run with --workers 1", "run with `workers=1`"),
        ("`--workers N` shares the load", "`workers=N` shares the load"),
        ("give it one with `--set rows=…`", 'give it one with `params={"rows": …}`'),
        ("`--set format=csv` picks it", '`params={"format": "csv"}` picks it'),
        ("`--set rows` counts", '`params["rows"]` counts'),
        ("use `--override phases.a.hold=5s`", 'use `override={"phases.a.hold": "5s"}`'),
        ('pick with `--phase "a[case=…]"`', 'pick with `phase="a[case=…]"`'),
        ("or `--env staging`", 'or `env="staging"`'),
        ("leave out --no-exec", "leave out `no_exec`"),
        ("use `--run-time`", "use `hold`"),
        ("write `--header 'NAME: VALUE'`", "write `--header 'NAME: VALUE'`"),
        ("see `planrunner execute --out`", "see `planrunner execute --out`"),
    ],
)
def test_options_are_keywords(said: str, shown: str) -> None:
    """With their values; what no call has, and commands, stay as they are."""
    assert with_keywords(said) == shown
    assert with_keywords(shown) == shown


@pytest.mark.parametrize("kind", ["run", "collector"])
def test_errors_of_runs_name_keywords(kind: str, tmp_path: Path) -> None:
    """Not only those of plans."""
    taken = tmp_path / "a folder"
    taken.mkdir()
    (taken / "metrics.json").write_text("{}", "utf-8")
    plan = planrunner.Plan(
        users={"A": {"steps": [{"get": "http://127.0.0.1:1/"}]}},
        phases=[{"users": 1, "iterations": 1}],
    )

    calls = {
        "run": lambda: planrunner.run(plan, out=taken),
        "collector": lambda: planrunner.Collector("nightly", taken),
    }
    with pytest.raises(planrunner.CannotRun) as error:
        calls[kind]()

    assert "`out`" in error.value.hint
    assert "--out" not in str(error.value)
