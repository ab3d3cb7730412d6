"""What a construct of another tool is known to do, in the words of a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = [
    "ONE_ROW",
    "ROWS",
    "Case",
    "arrivals",
    "expects",
    "extracts",
    "holds",
    "is_sent",
    "users",
    "value",
]

ROWS: Final = {
    "rows.txt": "1;ada\n2;bob\n",
    "rows.csv": "id\n1\n2\n",
    "rows.json": '[{"id": 1}, {"id": 1}]',
}
ONE_ROW: Final = "[{get: '/rows/${rows.id}'}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the original is known to do; a mapping that does anything else is wrong.

    Attributes:
        sent: Requests in their order: method, target, `[header: value]` where it matters (`-` for
            none), and the body. `*` stands for anything, ` …` at the end for any number of them.
        in_any_order: They may arrive in any order.
        failed: How many of them count as failed.
        load: The load of the phases, as `explain` says it; it is not run unless `sent` is given.
        phase: The load to run with, where the mapping brings none.
        steps: Steps to run where the mapping brings none.
        does: Whether they are `steps` or `tasks`.
        url: What is requested where the mapping is a part of a request.
        broken_by: The URL of a reply that the expectation doesn't accept.
        before: Steps in front of those of the mapping, `after` behind them.
        more: Keys of the plan that the mapping takes for granted.
        files: Files beside the plan.
        judged: The verdict of its first threshold, and the value that it saw if that is given.
        code: The exit code.
        prints: What the output has to contain.
        connections: How many connections carried the requests.
        users: How many users the command line asks for.
    """

    sent: tuple[str, ...] = ()
    in_any_order: bool = False
    failed: int | None = 0
    load: str = ""
    phase: str = "users: 1, iterations: 1"
    steps: str = "[{get: /a}]"
    does: str = "steps"
    url: str = "/a"
    broken_by: str = ""
    before: str = ""
    after: str = ""
    more: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    judged: str = ""
    code: int = 0
    prints: str = ""
    connections: int = 0
    users: int = 0


def is_sent(*requests: str, **more: Any) -> Case:
    return Case(sent=requests, **more)


def value(text: str, **more: Any) -> Case:
    """An expression has this value."""
    return is_sent(f"POST /is {text}", **more)


def expects(broken_by: str = "/html") -> Case:
    """An expectation holds for the usual reply, and not for another one."""
    return is_sent("GET /a", broken_by=broken_by)


def extracts(text: str, url: str = "/a") -> Case:
    """The name `token` has this value after the request."""
    return is_sent(
        f"GET {url}", f"POST /got {text}", url=url, after='{post: /got, body: "${token}"}'
    )


def holds(seen: str = "") -> Case:
    """A threshold holds for three requests of which one has a name, one a tag, one a group."""
    return Case(
        sent=("GET /a", "GET /b", "GET /c"),
        steps="[{get: /a, name: home, tags: {kind: page}}, {group: checkout, do: [{get: /b}]}, "
        "{get: /c}]",
        judged=f"pass {seen}".rstrip(),
    )


def users(most: int, *stages: str) -> Case:
    """A closed phase; a single stage is how long the users are held."""
    if len(stages) == 1 and ":" not in stages[0]:
        stages = (f"ramp: {most} users at once", f"hold: {most} users for {stages[0]}")
    return Case(load="; ".join((f"closed model, at most {most} users", *stages)))


def arrivals(most: int, *stages: str, kind: str = "uniform") -> Case:
    said = f"open model, {kind} arrivals, at most {most:,} users"
    return Case(load="; ".join((said, "an arrival that finds all busy is dropped", *stages)))
