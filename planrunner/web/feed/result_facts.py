"""What came of a run: its result → JSON."""

from __future__ import annotations

from typing import Any

from planrunner.results.exit_codes import ExitCode
from planrunner.results.model import RunResult

__all__ = ["result_facts", "verdict_of"]


def result_facts(result: RunResult) -> dict[str, Any]:
    """Return `result` of the state, but for files."""
    return {
        "verdict": verdict_of(result.exit_code),
        "exit_code": int(result.exit_code),
        "ended_because": result.ended_because,
        "duration_s": result.duration_seconds,
        "error": None,
        "validity": {
            "verdict": result.validity.level.value,
            "reasons": list(result.validity.reasons),
        },
        "judgements": [
            {
                "threshold": one.threshold,
                "verdict": one.verdict.value,
                "observed": one.observed,
                "limit": one.limit,
                "reason": one.reason,
            }
            for one in result.judgements
        ],
        "notices": list(result.notices),
        "report": None,
        "files": [],
    }


def verdict_of(exit_code: int) -> str:
    """Return what an exit code says of a run, in a word."""
    if exit_code == ExitCode.OK:
        return "pass"
    failed = (ExitCode.THRESHOLD_FAILED, ExitCode.ABORTED_BY_THRESHOLD, ExitCode.NOT_VALID)
    return "fail" if exit_code in failed else "error"
