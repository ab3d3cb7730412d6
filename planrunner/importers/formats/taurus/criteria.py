"""`passfail` criteria of Taurus → thresholds: they say what fails, a threshold what must hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftThreshold
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.quantities import read_seconds, seconds

__all__ = ["thresholds_of"]

_CRITERION: Final = re.compile(
    r"\s*(?P<subject>[a-z][\w?.-]*?)\s*(?:of\s*(?P<label>.+?))?\s*(?P<sign><=|>=|==|=|<|>)\s*"
    r"(?P<value>[\d.]+)\s*(?P<unit>%|ms|s|m)?\s*"
    r"(?:(?P<logic>for|over|within)\s+(?P<time>[\dhms.]+))?\s*"
    r"(?:,\s*(?P<action>stop|continue)?\s*(?:as\s+(?P<as>failed|non-failed))?)?\s*",
    re.IGNORECASE,
)
_OPPOSITE: Final = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!=", "==": "!="}
_LATENCIES: Final = {
    "avg-rt": "avg",
    "avg-lt": "avg ttfb",
    "avg-ct": "avg connect",
    "stdev-rt": "stddev",
}
_INSTEAD: Final = "write a sentence in `thresholds` for it, such as `p95 < 500ms`"


def thresholds_of(entry: SourceEntry, labels: set[str]) -> Iterator[DraftThreshold]:
    """Yield the thresholds of `criteria`."""
    entry.construct.translated()
    node = entry.node
    items = node.each() if not node.is_mapping else []
    for item in items:
        text = item.text()
        if item.is_mapping:
            yield from _long(item, labels)
        elif not (found := _sentence(text, labels)):
            entry.construct.left_out(f"{_INSTEAD}: {text}")
        else:
            yield DraftThreshold(found, origin=item.place)
    for one in node.entries or []:
        yield from _named(one, labels)


def _named(one: SourceEntry, labels: set[str]) -> Iterator[DraftThreshold]:
    """Yield a criterion with a message as its key."""
    found = _sentence(one.node.text(), labels)
    if found:
        one.construct.translated()
        yield DraftThreshold(found, origin=one.construct.place, notes=[one.key])
    else:
        one.construct.left_out(_INSTEAD)


def _long(item: SourceNode, labels: set[str]) -> Iterator[DraftThreshold]:
    if item.get("subject") is None:
        for one in item.entries or []:
            yield from _named(one, labels)
        return
    said = {key: item.take_whole(key) for key in ("subject", "label", "condition", "threshold")}
    frame, stop, fails = (item.take_whole(key) for key in ("timeframe", "stop", "fail"))
    label = f" of {said['label']}" if said["label"] else ""
    text = f"{said['subject']}{label}{said['condition'] or '>'}{said['threshold']}"
    text += f" over {frame}" if frame else ""
    text += f", {'stop' if stop is not False else 'continue'} as "
    found = _sentence(text + ("failed" if fails is not False else "non-failed"), labels)
    if found:
        yield DraftThreshold(found, origin=item.place)
    else:
        for one in item.entries or []:
            one.construct.left_out(_INSTEAD)


def _sentence(text: str, labels: set[str]) -> object | None:
    found = _CRITERION.fullmatch(text)
    if found is None:
        return None
    label = found["label"]
    selector = f'"{label}"' if label in labels else None
    measure = _measure(found, selector)
    if measure is None or (label and selector is None):
        return None
    left, sign, value = measure
    sentence = f"{left}{_window(found)} {sign} {value}"
    stops = (found["action"] or "").lower() == "stop"
    sentence += ", abort" if stops else ""
    return {"warn": sentence} if found["as"] == "non-failed" else sentence


def _measure(found: re.Match[str], selector: str | None) -> tuple[str, str, str] | None:
    subject, sign, value = found["subject"].lower(), _OPPOSITE[found["sign"]], found["value"]
    unit = found["unit"] or ""
    of = f" of {selector}" if selector else ""
    percentile = re.fullmatch(r"p(\d+(?:\.\d+)?)", subject)
    if subject in _LATENCIES or percentile:
        left = f"p{percentile[1]}" if percentile else _LATENCIES[subject]
        time = read_seconds(f"{value}{unit or 'ms'}")
        return (left + of, sign, seconds(time)) if time is not None else None
    if subject in ("fail", "failures", "failure"):
        left = "error_rate" if unit == "%" else "errors"
        return left + of, sign, f"{value}{unit}"
    if subject in ("succ", "success") and unit == "%":
        mirrored = sign.translate(str.maketrans("<>", "><"))
        return f"error_rate{of}", mirrored, f"{100 - float(value):g}%"
    code = re.fullmatch(r"rc(\d)(\d\d|\?\?)", subject)
    if code and not selector:
        status = f"status:{code[1]}{code[2].replace('?', 'x')}"
        return f"{'rate' if unit == '%' else 'count'} of {status}", sign, f"{value}{unit}"
    if subject == "hits" and not unit:
        return f"count{of}", sign, value
    return None


def _window(found: re.Match[str]) -> str:
    """Return the window: `for` judges each second, `over` and `within` the whole time."""
    time = read_seconds(found["time"] or "")
    if not time:
        return ""
    if found["logic"].lower() == "for":
        return f" over 1s for {max(1, int(time))} windows"
    return f" over {seconds(time)}"
