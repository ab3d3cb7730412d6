"""Thresholds of a script → sentences of a plan."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.steps.metrics import tag_of
from planrunner.importers.reading.quantities import read_seconds, seconds
from planrunner.values import dataclass

__all__ = ["K6Sentence", "NotAThreshold", "lenient", "sentences"]

_KEY: Final = re.compile(r"\s*([\w.-]+)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_RULE: Final = re.compile(
    r"\s*(avg|min|max|med|count|rate|value|p\(\s*[\d.]+\s*\))\s*(<=|>=|===|==|!=|<|>)\s*(-?[\d.]+(?:e-?\d+)?)\s*"
)
_TIMES: Final = {
    "http_req_duration": "service_time",
    "http_req_waiting": "ttfb",
    "http_req_connecting": "connect",
    "http_req_tls_handshaking": "connect",
}
_MEASURED: Final = {"iteration_duration": "iteration", "group_duration": ""}
_UNCOUNTED: Final = "requests that get no reply are not counted"
_NO_COUNTERPART: Final = "no sentence of a plan says this threshold: see `thresholds`"
_AGGREGATIONS: Final = {
    "trend": ("avg", "min", "max", "med", "p"),
    "rate": ("rate",),
    "counter": ("count", "rate"),
    "gauge": ("value",),
}
_BUILT_IN: Final = {
    **dict.fromkeys(_TIMES, "trend"),
    "http_req_blocked": "trend",
    "http_req_sending": "trend",
    "http_req_receiving": "trend",
    "iteration_duration": "trend",
    "group_duration": "trend",
    "http_req_failed": "rate",
    "checks": "rate",
    "http_reqs": "counter",
    "iterations": "counter",
    "dropped_iterations": "counter",
    "data_received": "counter",
    "data_sent": "counter",
    "vus": "gauge",
    "vus_max": "gauge",
}


class NotAThreshold(Exception):  # noqa: N818 - reads as the sentence it stands for
    """A threshold that no sentence says; `fate` is what becomes of it."""

    def __init__(self, why: str, fate: str = "left_out") -> None:
        super().__init__(why)
        self.fate = fate


@dataclass(frozen=True, slots=True)
class K6Sentence:
    """A threshold of a plan, and how it means something else than the original.

    Attributes:
        may_lack: It holds where there are no samples.
    """

    text: str
    changed: str = ""
    may_lack: bool = False


def sentences(key: str, rule: object, machine: K6Machine, phases: Mapping[str, bool]) -> K6Sentence:
    """Return one threshold of a metric.

    Args:
        key: Of the metric, with tags.
        rule: A text, or a mapping of `threshold`, `abortOnFail`, `delayAbortEval`.
        machine: What has been read of the script.
        phases: Names of scenarios; true where there is a phase for it.

    Raises:
        NotAThreshold: No sentence says it.
    """
    found = _KEY.fullmatch(key)
    options: Mapping[str, Any] = rule if isinstance(rule, dict) else {}
    text = str(options.get("threshold", rule) if options else rule)
    said = _RULE.fullmatch(text)
    if found is None or said is None:
        raise NotAThreshold(f"`{text}` is not a threshold of k6", "suspicious")
    metric, tags = found[1], found[2] or ""
    aggregation = said[1].replace(" ", "")
    _judge_aggregation(metric, aggregation, machine)
    if metric.startswith("http_") and not machine.measured:
        raise NotAThreshold("no HTTP request of the script is in the plan")
    if metric == "checks" and not machine.has_checks:
        raise NotAThreshold("no check of the script is in the plan")
    clauses = _clauses(metric, tags, machine, phases)
    sign = "==" if said[2] == "===" else said[2]
    sentence = _sentence(metric, aggregation, sign, Fraction(said[3]), clauses, machine)
    return K6Sentence(sentence.text + _abort(options), sentence.changed, sentence.may_lack)


def lenient(text: str) -> dict[str, object]:
    """Return a threshold that holds where there are no samples, as those of k6 do."""
    sentence, _, abort = text.partition(", abort")
    found = re.fullmatch(r"(.*?)( in phase (?:\"[^\"]*\"|\S+))? (<=|>=|==|!=|<|>) (\S+)", sentence)
    assert found is not None, "written here"
    keys: dict[str, object] = {"metric": found[1], "op": found[3], "value": _plain(found[4])}
    if found[2]:
        keys["scope"] = found[2].removeprefix(" in ")
    if ", abort" in text:
        keys["abort"] = abort.removeprefix(" after ") or "0s"
    return {**keys, "on_no_data": "pass"}


def _plain(text: str) -> object:
    return int(text) if text.isdigit() else text


def _judge_aggregation(metric: str, aggregation: str, machine: K6Machine) -> None:
    own = machine.metrics.get(metric)
    kind = own.kind.lower() if own is not None else _BUILT_IN.get(metric)
    if kind is None:
        raise NotAThreshold("no metric has this name: k6 refuses it", "suspicious")
    word = "p" if aggregation.startswith("p(") else aggregation
    if word not in _AGGREGATIONS[kind]:
        usual = ", ".join(one if one != "p" else "p(95)" for one in _AGGREGATIONS[kind])
        why = f"a {kind} has no `{aggregation}`, only {usual}: k6 refuses it"
        raise NotAThreshold(why, "suspicious")


def _abort(options: Mapping[str, Any]) -> str:
    if not options.get("abortOnFail"):
        return ""
    delay = read_seconds(options.get("delayAbortEval", 0))
    return f", abort after {seconds(delay)}" if delay else ", abort"


def _clauses(
    metric: str, tags: str, machine: K6Machine, phases: Mapping[str, bool]
) -> tuple[str, str]:
    """Return the selector and the scope of a threshold's tags."""
    selectors: list[str] = []
    scope = ""
    for pair in tags.split(",") if tags.strip() else []:
        name, _, value = pair.partition(":")
        name, value = name.strip(), value.strip().strip("\"'")
        if name == "scenario":
            if value not in phases:
                raise NotAThreshold("no scenario has this name: it always passes", "suspicious")
            scope = f" in phase {_quoted(value)}" if phases[value] else ""
        elif phase := _phase_of(name, value, machine, phases):
            scope = f" in phase {_quoted(phase)}"
        else:
            selectors += _selector(name, value, metric, machine)
    return " and ".join(selectors), scope


def _phase_of(name: str, value: str, machine: K6Machine, phases: Mapping[str, bool]) -> str:
    """Return the only scenario that sets a value of a tag; empty for none."""
    alone = machine.scenario_tags.get((name, value), [])
    is_theirs = value in machine.tags.get(name, ())
    return alone[0] if len(alone) == 1 and not is_theirs and phases.get(alone[0]) else ""


def _selector(name: str, value: str, metric: str, machine: K6Machine) -> list[str]:
    if name == "expected_response":
        return ["(status:2xx or status:3xx)"] if value == "true" else ["(status:4xx or status:5xx)"]
    if name == "group":
        wanted = value.removeprefix("::").rpartition("::")[2]
        if wanted not in machine.groups:
            raise NotAThreshold("no group has this name: it always passes", "suspicious")
        return [f"group:{_quoted(wanted)}"]
    if name == "status":
        return [f"status:{value}"]
    if name == "name":
        return [_quoted(value)] if value in machine.tags.get("name", ()) else _nobody(name)
    if name in ("method", "url", "check", "type"):
        raise NotAThreshold(f"a threshold by `{name}`: name the requests in `of`")
    known = machine.tags.get(name, set()) | {
        other for key, other in machine.scenario_tags if key == name
    }
    if value not in known and not any("${" in one for one in known):
        return _nobody(name)
    del metric
    return [f"tag:{name}={_quoted(value)}"]


def _nobody(name: str) -> list[str]:
    raise NotAThreshold(
        f"no request sets this value of the tag `{name}`: it always passes", "suspicious"
    )


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]+", text) else json.dumps(text, ensure_ascii=False)


def _number(value: Fraction) -> str:
    return f"{float(value):g}" if abs(value) < 10**6 else f"{float(value):.0f}"


def _sentence(  # noqa: C901, PLR0911, PLR0912 - a table
    metric: str,
    aggregation: str,
    sign: str,
    limit: Fraction,
    clauses: tuple[str, str],
    machine: K6Machine,
) -> K6Sentence:
    selector, scope = clauses
    if aggregation == "rate" and not 0 <= limit <= 1 and "http_reqs" != metric != "iterations":
        own = machine.metrics.get(metric)
        if own is None or own.kind == "Rate":
            raise NotAThreshold("a rate is a number from 0 to 1: write 0.98 for 98 %", "suspicious")
    if selector.startswith("group:") and metric != "group_duration":
        selector = f"{selector} and (status:2xx or status:3xx or status:4xx or status:5xx)"
    of = f" of {selector}" if selector else ""
    word = re.sub(r"p\((.*)\)", r"p\1", aggregation)
    word = "max" if word == "p100" else "min" if word == "p0" else word
    share = f"{_number(limit * 100)}%"
    time = f"{_number(limit)}ms"
    if metric in _TIMES:
        return K6Sentence(f"{word} {_TIMES[metric]}{of}{scope} {sign} {time}")
    if metric == "http_req_failed":
        return K6Sentence(f"error_rate{of}{scope} {sign} {share}")
    if metric == "checks" and aggregation == "rate":
        return K6Sentence(f"checks{of}{scope} {sign} {share}")
    if metric == "http_reqs":
        said = "count" if aggregation == "count" else "throughput"
        unit = "" if said == "count" else "/s"
        return K6Sentence(f"{said}{of}{scope} {sign} {_number(limit)}{unit}")
    if metric == "iteration_duration":
        return K6Sentence(f"{word} of iteration{scope} {sign} {time}")
    if metric == "iterations":
        said, unit = ("count", "") if aggregation == "count" else ("throughput", "/s")
        return K6Sentence(f"{said} of iteration{scope} {sign} {_number(limit)}{unit}")
    if metric == "dropped_iterations" and aggregation == "count":
        return K6Sentence(f"dropped{scope} {sign} {_number(limit)}")
    if metric == "group_duration" and selector.startswith("group:"):
        return K6Sentence(f"{word}{of}{scope} {sign} {time}")
    return _own(metric, word, sign, limit, clauses, machine)


def _own(
    metric: str,
    word: str,
    sign: str,
    limit: Fraction,
    clauses: tuple[str, str],
    machine: K6Machine,
) -> K6Sentence:
    """Return a threshold of one of the script's own metrics."""
    selector, scope = clauses
    uses = machine.metric_uses.get(metric, set())
    tag = tag_of(metric)
    both = f" and {selector}" if selector else ""
    if metric not in machine.metrics:
        raise NotAThreshold(_NO_COUNTERPART)
    if not uses:
        raise NotAThreshold("nothing of the plan gives this metric a value")
    if uses == {"time"}:
        unit = "" if word == "count" else "ms"
        said = "count" if word == "count" else f"{word} service_time"
        return K6Sentence(f"{said} of tag:{tag}=timed{both}{scope} {sign} {_number(limit)}{unit}")
    if uses <= {"held", "broken"} and len(uses) == 1 and word == "rate":
        broken = uses == {"broken"}
        share = 100 - limit * 100 if broken else limit * 100
        flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign) if broken else sign
        text = f"checks of tag:{tag}=checked{both}{scope} {flipped} {_number(share)}%"
        return K6Sentence(text, "each expectation counts, not each `check`")
    if uses == {"marked"}:
        kind = machine.metrics[metric].kind
        why = _UNCOUNTED if metric in machine.computed else ""
        return _marked(
            tag,
            word,
            f"{sign} {_number(limit * (100 if kind == 'Rate' else 1))}",
            clauses,
            kind,
            why,
        )
    if uses == {"group"} and word not in ("count", "rate"):
        return K6Sentence(f"{word} of group:{tag}{both}{scope} {sign} {_number(limit)}ms")
    if uses != {"record"}:
        raise NotAThreshold("the metric gets values of several kinds: see `record`")
    return _recorded(tag, word, sign, limit, selector, scope, machine.metrics[metric].kind)


def _marked(
    tag: str, word: str, limit: str, clauses: tuple[str, str], kind: str, why: str
) -> K6Sentence:
    """Return a threshold of a metric that tags requests: with `true` and `false`, or `counted`."""
    selector, scope = clauses
    both = f" and {selector}" if selector else ""
    if kind == "Rate" and "=" in tag:
        text = f"share of tag:{tag} among tag:{tag}{both}{scope} {limit}%"
    elif kind == "Rate":
        among = f"(tag:{tag}=true or tag:{tag}=false)"
        among = f"({among}{both})" if both else among
        text = f"share of tag:{tag}=true among {among}{scope} {limit}%"
    elif word == "rate":
        text = f"throughput of tag:{tag}=counted{both}{scope} {limit}/s"
    else:
        text = f"count of tag:{tag}=counted{both}{scope} {limit}"
    return K6Sentence(text, why, may_lack=bool(why))


def _recorded(  # noqa: PLR0913, PLR0917 - a table
    tag: str, word: str, sign: str, limit: Fraction, selector: str, scope: str, kind: str
) -> K6Sentence:
    also = f" of {selector}" if selector else ""
    said = {"value": "last", "count": "sum", "rate": "rate"}.get(word, word)
    limited = _number(limit)
    if kind == "Rate":
        said = "avg"
    elif word == "rate":
        limited += "/s" if kind == "Counter" else ""
    return K6Sentence(
        f"{said} of metric.{tag}{also}{scope} {sign} {limited}",
        "only requests that succeed record a value",
    )
