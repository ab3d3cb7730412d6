"""Every form that a clause of a threshold may have, as the reference describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds.model import OnNoData, Operator
from planrunner.metrics.thresholds.selector import SelectorKind
from planrunner.values import dataclass

__all__ = [
    "ABORTS",
    "COMBINED_SELECTORS",
    "EACH",
    "LIMITS",
    "MEASURED",
    "NO_DATA",
    "OPERATORS",
    "OTHER_LIMITS",
    "PATTERNS",
    "SCOPES",
    "SELECTORS",
    "SHARES",
    "WINDOWS",
    "ClauseForm",
]


@dataclass(frozen=True, slots=True)
class ClauseForm:
    """One form.

    Attributes:
        written: Upper-case words stand for what a plan names.
        meaning: Without a full stop. In Markdown.
        example: A whole threshold.
    """

    written: str
    meaning: str
    example: str


MEASURED: Final = (
    ClauseForm(
        "",
        "the latency of requests, which is the time that a user waits; the duration of iterations "
        "and groups",
        "p95 of iteration:Buyer < 10s",
    ),
    ClauseForm(
        "`service.NAME.cpu`, `service.NAME.rss`",
        "the processor time of a service (100 % is one processor) and its memory",
        "avg of service.api.cpu < 80%",
    ),
    ClauseForm(
        "`monitor.NAME`, `monitor.NAME.METRIC`",
        "what a monitor of the plan measures, in any unit",
        "max of monitor.queue < 100",
    ),
    ClauseForm(
        "`generator.cpu`, `generator.loop_lag`",
        "the processor time and the delay of planrunner itself",
        "p99 of generator.loop_lag < 20ms",
    ),
    ClauseForm(
        "`metric.NAME`, `metric.NAME of SELECTOR`",
        "what requests of the plan [record](../how-to/metrics-of-your-own.md), in any unit: "
        "seconds where the limit is a time, bytes where it is a size; true is 1, so a limit in "
        "percent is one on the share of true",
        'avg of metric.tokens of "POST /chat" < 500',
    ),
    ClauseForm(
        "a gauge or `metric.NAME` without aggregation", "its average", "service.api.cpu < 80%"
    ),
    ClauseForm(
        "`ratio(METRIC, METRIC)`",
        "the first divided by the second, which is in the same unit; each has its own `of` and "
        "`in`, neither has windows",
        "ratio(p95 of task:search, p95 of task:browse) < 3",
    ),
)
"""What values are of, and what stands in place of an aggregation."""

SELECTORS: Final[Mapping[SelectorKind, ClauseForm]] = {
    SelectorKind.REQUEST: ClauseForm(
        "`NAME`, `PROTOCOL.ACTION`",
        "the request of that name, in quotes unless it is one word; an action such as "
        "`etcd.put`, without quotes, takes all of its requests",
        'p95 of "GET /items" < 500ms',
    ),
    SelectorKind.TASK: ClauseForm(
        "`task:NAME`", "requests that a task sends", 'p95 of task:"get key" < 1s'
    ),
    SelectorKind.USER: ClauseForm(
        "`user:CLASS`", "requests of a user class", "error_rate of user:Admin < 1%"
    ),
    SelectorKind.GROUP: ClauseForm(
        "`group:NAME`",
        "the runs of a group, each timed as one; with a request, status or error beside it, the "
        "requests inside",
        "p95 of group:checkout < 3s",
    ),
    SelectorKind.TAG: ClauseForm(
        "`tag:KEY`, `tag:KEY=VALUE`",
        "requests with a tag, whatever its value, or with this value",
        "p95 of tag:cached=false < 150ms",
    ),
    SelectorKind.STATUS: ClauseForm(
        "`status:404`, `status:5xx`, `status:NOT_FOUND`",
        "requests with a status: a number, a class, or a name that its protocol gives it",
        "rate of status:5xx < 1%",
    ),
    SelectorKind.ERROR: ClauseForm(
        "`error:KIND`",
        "requests that failed in this way; `error:aborted` are those cut by the end of a phase",
        "count of error:timeout == 0",
    ),
    SelectorKind.ITERATION: ClauseForm(
        "`iteration`, `iteration:CLASS`",
        "iterations instead of requests, of all classes or of one",
        "throughput of iteration > 30/m",
    ),
    SelectorKind.SERVICE: ClauseForm(
        "`service.NAME.GAUGE`", "a gauge of a service", "max of service.api.rss < 500MB"
    ),
    SelectorKind.MONITOR: ClauseForm(
        "`monitor.NAME`", "a gauge of a monitor", "avg of monitor.queue < 10"
    ),
    SelectorKind.GENERATOR: ClauseForm(
        "`generator.GAUGE`", "a gauge of planrunner itself", "avg of generator.cpu < 80%"
    ),
}
"""What may follow `of`; phases, stages and profiles follow `in`."""

COMBINED_SELECTORS: Final = (
    ClauseForm(
        "`not A`",
        "everything of that kind but A; binds most tightly",
        "p95 of not tag:warm < 1s",
    ),
    ClauseForm("`A and B`", "what both select", "p95 of task:buy and tag:region=eu < 1s"),
    ClauseForm("`A or B`", "what either selects", "rate of status:5xx or error:timeout < 1%"),
    ClauseForm(
        "`(A or B) and C`",
        "parentheses, as usual",
        "count of (task:a or task:b) and status:404 == 0",
    ),
)

PATTERNS: Final = (
    ClauseForm(
        '`"GET /items/*"`, `task:"pay*"`',
        "all whose names fit: `*` is any characters, `/` included. A request that has that very "
        "name is meant alone",
        'p95 of "GET /items/*" < 500ms',
    ),
    ClauseForm(
        "`/^GET .*items/`, `user:/^B/`",
        "all in whose names this regular expression is found. A slash in it that a space, a comma, "
        "a parenthesis, an operator or nothing follows is written `\\/`",
        "p95 of /^GET .*items/ < 500ms",
    ),
)
"""What may stand for the name of a request, task, user class or group, or for a tag's value."""

SHARES: Final = (
    ClauseForm(
        "nothing",
        "the share is one of everything of its kind: of all requests, say",
        "share of status:5xx < 1%",
    ),
    ClauseForm(
        "`among SELECTOR`",
        "the share is one of what this selects; where it selects nothing there is no data",
        'share of status:5xx among "POST /order" < 1%',
    ),
)
"""What may follow `share of SELECTOR`."""

EACH: Final = (
    ClauseForm("`each request`", "every request by itself", "p95 of each request < 500ms"),
    ClauseForm("`each task`", "the requests of every task", "p95 of each task < 1s"),
    ClauseForm("`each user`", "the requests of every user class", "error_rate of each user < 1%"),
    ClauseForm("`each group`", "the runs of every group", "p95 of each group < 3s"),
    ClauseForm("`each phase`", "every phase, searches aside", "p95 of each phase < 1s"),
    ClauseForm(
        "`each iteration`", "the iterations of every user class", "p95 of each iteration < 9s"
    ),
    ClauseForm("`each tag:KEY`", "every value of a tag", "p95 of each tag:region < 1s"),
    ClauseForm(
        "`each SELECTOR`",
        "what this selects, one by one; its first term says one by one of what",
        'p95 of each "GET /items/*" and tag:cached=false < 500ms',
    ),
    ClauseForm(
        "`each … except SELECTOR`",
        "the same without what this selects; it may follow the limit as well. A phase is "
        "`phase:NAME` here",
        'p95 of each request < 500ms except "POST /report"',
    ),
    ClauseForm(
        "`among each …`",
        "the share of every one of them",
        "share of status:5xx among each request < 1%",
    ),
)
"""What may follow `of` and `among` to be judged one by one."""

SCOPES: Final = (
    ClauseForm("nothing", "all phases of the run together, searches aside", "error_rate < 1%"),
    ClauseForm("`in phase NAME`", "one phase", "p95 in phase peak < 1s"),
    ClauseForm(
        '`in phase "NAME[AXIS=VALUE]"`',
        "of a phase with a `matrix` those that have this value; several are separated by commas, "
        "and the name alone takes all of them together",
        'p95 in phase "ingestion[case=small,format=csv]" < 1s',
    ),
    ClauseForm(
        "`in stage NAME`",
        "the stages of that name, such as `hold`, in every phase",
        "p95 in stage hold < 1s",
    ),
    ClauseForm(
        "`in phase NAME stage NAME`", "one stage of one phase", "p95 in phase peak stage hold < 1s"
    ),
    ClauseForm(
        "`in profile NAME`",
        "only when this profile runs; phase and stage may follow",
        "growth of service.api.rss in profile soak < 100MB",
    ),
)

WINDOWS: Final = (
    ClauseForm("nothing", "the whole scope is judged as one", "p95 < 500ms"),
    ClauseForm(
        "`over TIME`",
        "each window of this length, in whole seconds from the start of the scope after its "
        "warm-up; what is left at the end joins the last one. One window that breaks the "
        "limit is enough",
        "p95 over 30s < 1s",
    ),
    ClauseForm(
        "`over SIZE`",
        "with `scalability` only: what its matrix varies, a param, `users` or `rate`",
        "scalability of ingest in phase ingestion over rows < 1.3",
    ),
    ClauseForm(
        "`over TIME for N windows`",
        "N windows in a row must break the limit",
        "p99 over 30s for 2 windows < 3s",
    ),
    ClauseForm(
        "`over TIME for TIME`",
        "as many windows in a row as fit in the second time, which must be whole windows",
        "p99 over 10s for 30s < 3s",
    ),
    ClauseForm(
        "`for TIME`",
        "every second of that time must break the limit: windows of one second in a row. It may "
        "follow the limit, also after `over`",
        "p95 < 500ms for 30s",
    ),
)

OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.LESS: "less than the limit",
    Operator.AT_MOST: "the limit at most",
    Operator.GREATER: "more than the limit",
    Operator.AT_LEAST: "the limit at least",
    Operator.EQUAL: "exactly the limit",
    Operator.NOT_EQUAL: "anything but the limit",
}

LIMITS: Final[Mapping[Unit, ClauseForm]] = {
    Unit.DURATION: ClauseForm("`250ms`, `1.5s`, `2m`", "a time", "p95 < 1.5s"),
    Unit.RATE: ClauseForm(
        "`100/s`, `30/m`, `5/h`", "a number a second, a minute or an hour", "throughput > 30/m"
    ),
    Unit.PERCENT: ClauseForm("`1%`, `0.5%`", "a share", "error_rate < 0.5%"),
    Unit.SIZE: ClauseForm(
        "`500B`, `100MB`, `2GiB`",
        "bytes; KB is 1000 of them, KiB 1024",
        "max of service.api.rss < 2GiB",
    ),
    Unit.NUMBER: ClauseForm("`10`, `0.9`", "a plain number", "errors < 10"),
}

OTHER_LIMITS: Final = (
    ClauseForm("`0`", "needs no unit", "error_rate == 0"),
    ClauseForm(
        "`N% of baseline`",
        "a share of what the baseline has; without a baseline the verdict is `n/a`, and `no data` "
        "where the baseline lacks the metric",
        "p95 < 110% of baseline",
    ),
    ClauseForm(
        "`${PARAM}`", "the value of a param, with its unit", 'p95 of "GET /items" < ${limit}'
    ),
)

ABORTS: Final = (
    ClauseForm("nothing", "judged when the run is over", "error_rate < 1%"),
    ClauseForm(
        "`, abort`",
        "judged once a second as well; the first breach ends the run",
        "error_rate over 10s < 25%, abort",
    ),
    ClauseForm(
        "`, abort after TIME`",
        "the same, from this long after the start of the scope",
        "error_rate < 50%, abort after 1m",
    ),
)

NO_DATA: Final[Mapping[OnNoData, str]] = {
    OnNoData.FAIL: "a breach; the default, because a limit that was not measured was not met",
    OnNoData.PASS: "it passes",
    OnNoData.SKIP: "it is not judged: `n/a`",
}
