"""Thresholds of a plan → alerting rules of Prometheus, as a file for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from planrunner.language.diagnostics import visible
from planrunner.metrics.thresholds import DEFAULT_SENTENCE, Threshold, parse_threshold
from planrunner.metrics.thresholds.model import ThresholdLevel
from planrunner.outputs.prometheus.monitoring.promql import (
    NoQuery,
    broken_expression,
    quoted_text,
    window_s,
)

__all__ = ["rules_text"]

_LATE_S: Final = 0.05
_BUSY_SHARE: Final = 0.9
_SUSTAINED: Final = "10s"
_SEVERITY: Final = {ThresholdLevel.WARN: "warning", ThresholdLevel.FAIL: "critical"}

AlertRule = dict[str, object]


def rules_text(plan: str, thresholds: Sequence[Threshold], *, prefix: str) -> str:
    """Return the rules file.

    Args:
        plan: The name of the plan whose thresholds these are; empty for none.
        thresholds: Of the plan; without any, the one that judges plans without thresholds.
        prefix: That of the metrics.
    """
    given = thresholds or [parse_threshold(DEFAULT_SENTENCE)]
    rules, unsaid = list[AlertRule](), list[str]()
    for threshold in given:
        try:
            rules.append(_live(threshold, plan=plan, prefix=prefix))
        except NoQuery as reason:
            unsaid.append(f"{_line(threshold.text)}: {_line(str(reason))}")
    groups = [
        {"name": "planrunner", "rules": [*_verdicts(prefix), *_generator(prefix)]},
        {"name": _template(f"planrunner: {plan or 'any plan'}"), "rules": rules},
    ]
    file = CommentedMap({"groups": [group for group in groups if group["rules"]]})
    file.yaml_set_start_comment("\n".join(_head(plan, unsaid)))
    written = StringIO()
    yaml = YAML()
    yaml.width = 10_000
    yaml.dump(file, written)
    return written.getvalue()


def _head(plan: str, unsaid: Iterable[str]) -> Iterable[str]:
    whose = f"the plan {_line(quoted_text(plan))}" if plan else "any plan"
    yield f"Alerts on runs of {whose}, written by `planrunner monitoring`."
    yield "PerfTestThresholdFailed follows planrunner's own verdict on every threshold."
    yield "PerfTestThresholdBroken asks the same of the last minute, or the threshold's window."
    if missing := list(unsaid):
        yield "Thresholds that PromQL can't ask for, which only PerfTestThresholdFailed covers:"
        yield from (f"  {one}" for one in missing)


def _verdicts(prefix: str) -> Iterable[AlertRule]:
    for verdict, severity in (("fail", "critical"), ("warn", "warning")):
        yield _rule(
            "PerfTestThresholdFailed",
            f'{prefix}_threshold{{verdict="{verdict}"}} == 1',
            severity=severity,
            summary="{{ $labels.plan }}: {{ $labels.threshold }} does not hold",
        )
    yield _rule(
        "PerfTestArrivalsDropped",
        f"increase({prefix}_dropped_total[1m]) > 0",
        severity="warning",
        summary="{{ $labels.plan }}: arrivals of phase {{ $labels.phase }} found all users busy",
    )


def _generator(prefix: str) -> Iterable[AlertRule]:
    yield _rule(
        "PerfTestGeneratorLate",
        f"{prefix}_generator_loop_lag_seconds > {_LATE_S}",
        lasting=_SUSTAINED,
        severity="warning",
        summary="{{ $labels.plan }}: the generator is late, and latencies are its own as well",
    )
    yield _rule(
        "PerfTestGeneratorBusy",
        f"{prefix}_generator_cpu_ratio > {_BUSY_SHARE}",
        lasting=_SUSTAINED,
        severity="warning",
        summary="{{ $labels.plan }}: the generator's processor is busy; add --workers",
    )


def _live(threshold: Threshold, *, plan: str, prefix: str) -> AlertRule:
    expression = broken_expression(threshold, prefix=prefix, plan=plan)
    text, seconds = _template(threshold.text), window_s(threshold)
    whose = _template(plan) if plan else "a run"
    rule = _rule(
        "PerfTestThresholdBroken",
        expression,
        lasting=_SUSTAINED,
        severity=_SEVERITY[threshold.level],
        summary=f"{whose}: {text} does not hold over the last {seconds} s",
    )
    rule["labels"] = {**_mapping(rule["labels"]), "threshold": text}
    if threshold.place:
        rule["annotations"] = {
            **_mapping(rule["annotations"]),
            "description": f"the threshold at {_template(threshold.place)}",
        }
    return rule


def _mapping(value: object) -> dict[str, str]:
    assert isinstance(value, dict)
    return value


def _rule(
    name: str, expression: str, *, severity: str, summary: str, lasting: str = ""
) -> AlertRule:
    rule: AlertRule = {"alert": name, "expr": expression}
    if lasting:
        rule["for"] = lasting
    return {**rule, "labels": {"severity": severity}, "annotations": {"summary": summary}}


def _template(text: str) -> str:
    """Return a text that Prometheus, which expands templates, leaves as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _line(text: str) -> str:
    """Return a text as part of a comment."""
    return "".join(map(visible, " ".join(text.split())))
