"""The reference page of thresholds, made from the tables that parse and judge them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from planrunner.metrics.aggregations.own_metrics import OF_OWN_METRICS
from planrunner.metrics.aggregations.record import (
    Aggregation,
    ArgumentKind,
    SelectorUse,
    WindowUse,
)
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.measures import Measure
from planrunner.metrics.thresholds.clauses import (
    ABORTS,
    COMBINED_SELECTORS,
    EACH,
    LIMITS,
    MEASURED,
    NO_DATA,
    OPERATORS,
    OTHER_LIMITS,
    PATTERNS,
    SCOPES,
    SELECTORS,
    SHARES,
    WINDOWS,
    ClauseForm,
)
from planrunner.plan.schema.markdown import code, table
from planrunner.protocols import registry

__all__ = ["threshold_page"]

_INTRODUCTION: Final = """\
# Reference: thresholds

<!-- Generated from the code by `make schema`; a test compares. -->

A threshold is one sentence about a run that must be true for the run to pass:

```text
AGGREGATION [MEASURE] [of SELECTOR] [among SELECTOR] [in SCOPE] [over WINDOW] [for TIME]
    OPERATOR LIMIT [for TIME] [except SELECTOR][, abort [after TIME]]
```

`of`, `among`, `except`, `in`, `over` and `for` may appear in any order, each once; `for` and \
`except` also after the limit.
`planrunner explain PLAN` says in words what each threshold of a plan means.
A plan without thresholds is judged by `error_rate < 1%`.
Requests of the warm-up and of the graceful stop, unmeasured and aborted requests are not counted.
"""
_AGGREGATIONS: Final = """\
## Aggregations

An aggregation turns what a run measured into one number.
Percentiles finer than the number of values allows are marked `n too small` and judged anyway.
`checks` counts expectations as k6 counts checks; \
[this table](../how-to/coming-from-k6.md#checks) has k6's words beside those of a plan.
"""
_MEASURES: Final = """\
## Measures

An aggregation of values may name a measure: `p95 ttfb of "GET /items" < 200ms`.
Latency is meant where none is named.
A sample that does not have the measure is left out; if no sample has it, the verdict is `no data`.
Iterations and groups have a latency only.
A measure that no selected request can have is an error of `planrunner validate`.
"""
_OWN_METRICS: Final = """\
Three aggregations have another meaning with a metric of the plan's own:
"""
_MEASURED: Final = """\
## What is measured

Unless stated otherwise, values are latencies of requests.
"""
_SELECTORS: Final = """\
## Selectors

`of` says which samples count; without it all requests do.
Names that are not one word of letters, digits, `_`, `.` and `-` need quotes.
A name that the plan does not have is an error of `planrunner validate`.
"""
_PATTERNS: Final = """\
## Patterns

A selector may take many names at once; a pattern that fits no name of the plan is an error of \
`planrunner validate`.
Patterns of requests, tasks, user classes, groups and values of tags combine with `and`, `or`, \
`not` and parentheses like any selector.
Upper and lower case differ, unless a regular expression begins with `(?i)`.
Regular expressions are matched in bounded time, so they have neither look-around nor \
backreferences.
"""
_EACH: Final = """\
## Each

`each` judges everything that a selector takes one by one, \
as if the plan had a threshold for every one of them.
One that breaks its limit is enough.
The report names the worst and lists all that broke it; metrics.json has every single one.

One that the plan names and this run selects is expected. \
If it never ran there is no data, which fails the threshold unless `on_no_data` says otherwise.
Requests that the run leaves out or does not measure (`measure: false`), \
and those whose protocol does not have the measure, are not judged.
Names that turn up during the run, such as values of tags from replies, \
are judged from their first sample on.
Each one has its own windows and its own baseline.
`each` belongs to `of` or to `among`, not to both, and to no ratio.
"""
_SHARES: Final = """\
## Shares

`share of X among Y` says how much of Y is X as well.
X and Y are of one kind: requests, iterations, or runs of groups.
Without samples of Y the verdict is `no data`. \
The same holds if no sample of Y could have been X: X is a task that never ran, for example.
"""
_WINDOWS: Final = """\
## Windows

`for` is how long a limit must be broken, without interruption, before the threshold fails, \
as in alerting rules of Prometheus.
A window without samples neither breaks the limit nor ends the row.
A scope that is shorter than `for` can't fail this way.
"""
_SEVERITY: Final = """\
## Severity

A threshold is a sentence, a pair of sentences, or a mapping with the same parts (the long form):

```yaml
thresholds:
  - p95 < 500ms                                     # a breach fails the run: exit code 1
  - warn: p99 < 2s                                  # a breach is a warning: exit code 0
  - {warn: error_rate < 1%, fail: error_rate < 5%}  # two limits, shown as one line
  - metric: p95
    select: user:Visitor and status:200
    scope: phase main
    window: 30s
    op: "<"
    value: 1s
    abort: 1m
    on_no_data: skip
```

`thresholds:` inside a phase apply to that phase only.
In the long form, `on_no_data` sets the verdict for a threshold without samples:
"""


_LEFT_OUT: Final = """\
A threshold is also `n/a` where the user left out what it looks at: with an option such as \
`--user`, with `only` or `skip`, or with a mapping of `users` or `rate` without the class.
A class whose weight is too small for so few users, and a task that never ran, are without \
samples: \
`validate` gives notice of the classes, and the summary of both.
"""


def threshold_page() -> str:
    """Return the page as Markdown; the same for the same version."""
    return "\n".join(_parts())


def _parts() -> Iterator[str]:
    yield _INTRODUCTION
    yield _AGGREGATIONS
    yield _summary(AGGREGATIONS.values())
    for record in AGGREGATIONS.values():
        yield _section(record)
    yield _MEASURES
    yield _measures(registry.measures().values())
    yield _MEASURED
    yield _forms("written after `of`", MEASURED)
    yield _own_metrics()
    yield _SELECTORS
    yield _forms("selector", (*SELECTORS.values(), *COMBINED_SELECTORS))
    yield _PATTERNS
    yield _forms("in place of a name", PATTERNS)
    yield _EACH
    yield _forms("after `of` or `among`", EACH)
    yield _SHARES
    yield _forms("after `share of SELECTOR`", SHARES)
    yield "## Scopes\n"
    yield _forms("scope", SCOPES)
    yield _WINDOWS
    yield _forms("window", WINDOWS)
    yield "## Operators and limits\n"
    yield table(("operator", "the value must be"), ((code(op), OPERATORS[op]) for op in OPERATORS))
    yield _forms("limit", (*LIMITS.values(), *OTHER_LIMITS))
    yield "## Abort\n"
    yield _forms("at the end", ABORTS)
    yield _SEVERITY
    yield table(("`on_no_data`", "without samples"), ((code(one), NO_DATA[one]) for one in NO_DATA))
    yield _LEFT_OUT


def _own_metrics() -> str:
    rows = ((code(one.word), one.meaning, code(one.examples[0])) for one in OF_OWN_METRICS)
    return f"{_OWN_METRICS}\n{table(('aggregation', 'meaning', 'example'), rows)}"


def _forms(what: str, forms: Iterable[ClauseForm]) -> str:
    rows = ((form.written or "nothing", form.meaning, code(form.example)) for form in forms)
    return table((what, "meaning", "example"), rows)


def _summary(records: Iterable[Aggregation]) -> str:
    header = (
        *("aggregation", "computed from", "limit", "measure"),
        *("`of`", "`over`", "`of baseline`"),
    )
    return table(header, map(_summary_row, records))


def _summary_row(record: Aggregation) -> tuple[str, ...]:
    return (
        f"[{code(_written(record))}](#{record.word})",
        record.computation.over,
        " or ".join(record.units) or "in the unit of the values",
        "may follow" if record.takes_measure else "no",
        _selector(record.selector),
        _window(record),
        "yes" if record.has_baseline else "no",
    )


def _measures(measures: Iterable[Measure]) -> str:
    rows = (
        (
            code(measure.word),
            measure.meaning,
            f"{measure.unit}, several a sample" if measure.is_pooled else measure.unit,
            _owners(measure),
            code(measure.example),
        )
        for measure in measures
    )
    return table(("measure", "meaning", "unit", "requests", "example"), rows)


def _owners(measure: Measure) -> str:
    if measure.is_recorded:
        return "those with `work`"
    if measure.write is None:
        return "all"
    return ", ".join(one.title for one in registry.known().values() if measure.word in one.measures)


def _section(record: Aggregation) -> str:
    examples = "\n".join(record.examples)
    meaning = record.meaning[:1].upper() + record.meaning[1:]
    missing = f"Where there is nothing to compute it from, the report says `{record.missing}`."
    return f"### {record.word}\n\n{meaning}.\n{missing}\n\n```text\n{examples}\n```\n"


def _written(record: Aggregation) -> str:
    match record.argument:
        case ArgumentKind.NONE:
            return record.word
        case ArgumentKind.PERCENT:
            return f"{record.word}N"
        case ArgumentKind.TARGET:
            return f"{record.word}(TIME)"
        case _ as unreachable:
            assert_never(unreachable)


def _selector(use: SelectorUse) -> str:
    match use:
        case SelectorUse.OPTIONAL:
            return "may follow"
        case SelectorUse.REQUIRED:
            return "must follow"
        case SelectorUse.USER_CLASS:
            return "a user class may follow"
        case SelectorUse.NEVER:
            return "no"
        case _ as unreachable:
            assert_never(unreachable)


def _window(agg: Aggregation) -> str:
    if agg.is_of_sizes:
        return "a size must follow"
    match agg.window:
        case WindowUse.ANY:
            return "yes"
        case WindowUse.SINGLE:
            return "without `for`"
        case WindowUse.NEVER:
            return "no"
        case _ as unreachable:
            assert_never(unreachable)
