"""What fails in Artillery, and how the plan says so.

A reply is no failure there, whatever its status; a request without one, a capture and a match
that find nothing end the visit. What the plug-in `expect` checks is counted, and decides the
exit code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftThreshold
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.shaping.requests import DraftRequest, all_requests

__all__ = ["say_failures"]

_ANY_STATUS: Final = ("2xx", "3xx", "4xx", "5xx")
_NOTE: Final = (
    "Replies of 400 and more fail nothing, as in Artillery: delete `http.expect` where they should"
)
_ALL_HOLD: Final = "checks == 100%"
_TAG: Final = "plugin"
_MATCH_COUNTS: Final = "`checks` counts it as it counts the expectations of its request"
_CHECKED: Final = "Artillery's exit code says whether an expectation failed"
_UNCHECKED: Final = (
    "the plug-in `expect` is not in `config.plugins`: Artillery never checks these expectations"
)


def say_failures(test: ArtilleryTest) -> None:
    """Add to the draft of a test what its requests accept, and what their failures lead to."""
    requests = list(all_requests(test.draft))
    _accept_statuses(test, requests)
    for one in test.draft.users:
        if sum(1 for step in one.steps if "log" not in step.body) > 1 and requests:
            one.keys["on_error"] = "stop_iteration"
    _judge_expectations(test)


def _accept_statuses(test: ArtilleryTest, requests: list[DraftRequest]) -> None:
    """Accept all statuses but those that a request insists on; what it hopes for is soft."""
    if not all(_names_status(one) and not _is_soft(one.keys) for one in requests):
        test.draft.http["expect"] = {"status": list(_ANY_STATUS)}
        test.draft.notes.append(_NOTE)
    if not test.expects_200:
        return
    wanted = {"status": 200, **({} if test.fails_visits else {"soft": True})}
    for one in test.draft.users if requests else ():
        one.keys["http"] = {"expect": dict(wanted)}
    for request in requests:
        expect = request.keys.get("expect")
        if isinstance(expect, dict) and "status" not in expect:
            expect["status"] = list(_ANY_STATUS)


def _names_status(request: DraftRequest) -> bool:
    expect = request.keys.get("expect")
    return isinstance(expect, dict) and "status" in expect


def _judge_expectations(test: ArtilleryTest) -> None:
    """Judge the run by its expectations, or say once that nothing checks them."""
    if test.checks_expect and (test.expects_200 or test.expects):
        of = _whose(test)
        known = [one for one in test.draft.thresholds if one.threshold == _ALL_HOLD]
        for one in known:
            one.threshold = f"checks{of} == 100%"
        if not known:
            test.draft.thresholds += _thresholds(test, of)
    if test.unchecked:
        first, *others = test.unchecked
        more = f", nor those of {len(others)} other requests" if others else ""
        first.suspicious(f"{_UNCHECKED}{more}; here they are `soft`: counted, no failures")


def _thresholds(test: ArtilleryTest, of: str) -> Iterator[DraftThreshold]:
    """Yield what decides the exit code: in all profiles, or in those of some environments."""
    for name, place in dict(test.expects_in).items():
        scope = f" in profile {_quoted(name)}" if name else ""
        yield DraftThreshold(f"checks{of}{scope} == 100%", origin=place, notes=[_CHECKED])


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z]\w*", name) else '"' + name.replace('"', '\\"') + '"'


def _whose(test: ArtilleryTest) -> str:
    """Return whose checks count: what a `match` finds decides no exit code."""
    apart = False
    for construct, step in test.matches:
        if test.expects_200 or any(step is one for one in test.expects):
            construct.changed(_MATCH_COUNTS)
        else:
            apart = True
    if not apart or test.expects_200:
        return ""
    for step in test.expects:
        step["tags"] = {_TAG: "expect"}
    return f" of tag:{_TAG}=expect"


def _is_soft(body: dict[str, object]) -> bool:
    expect = body.get("expect")
    return isinstance(expect, dict) and bool(expect.get("soft"))
