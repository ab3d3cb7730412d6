"""`phases` of Artillery → phases: arrivals in the open model, all in one phase with stages."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from planrunner.importers.draft import DraftPhase
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.quantities import per_second, read_seconds, seconds

__all__ = ["ArrivalsReader"]

_UNSAID: Final = "the original says no load: choose it"
_DEFAULT_USERS: Final = 1000
_TIMEOUT: Final = 10


class ArrivalsReader:
    """Reads lists of phases.

    Attributes:
        session: About how long one visit takes, in seconds.
    """

    def __init__(self, expressions: ArtilleryExpressions, session: Fraction) -> None:
        self.expressions, self.session = expressions, session
        self.peak = Fraction(0)

    def phases(self, entry: SourceEntry | None) -> list[DraftPhase]:
        """Return the phases of a plan: one, with a stage for each of Artillery's."""
        if entry is None:
            return [DraftPhase({"rate": "1/s", "hold": "1m"}, notes=[f"TODO import: {_UNSAID}"])]
        entry.construct.translated()
        self.peak = Fraction(0)
        stages, most, level, names = [], list[int](), "0/s", list[SourceEntry]()
        for node in entry.node.each():
            for stage in self._stages(node):
                start = stage.pop("from", None)
                begins = {"from": start} if start is not None and start != level else {}
                level = str(stage["rate"])
                stages.append({**stage, **begins})
            most += self._most_users(node)
            name = node.entry("name")
            if name is not None:
                names.append(name)
        for unknown in entry.node.unjudged():
            unknown.construct.suspicious("Artillery's phases have no such key")
        lasts = any(stage["duration"] != "0s" for stage in stages)
        if not lasts or all(stage["rate"] == "0/s" == stage.get("from", "0/s") for stage in stages):
            return [DraftPhase({"rate": "1/s", "hold": "1m"}, notes=[f"TODO import: {_UNSAID}"])]
        keys = _phase(stages)
        if users := self._max_users(most, len(entry.node.each())):
            keys["max_users"] = users
        return [DraftPhase(keys, origin=entry.construct.place)]

    def _stages(self, node: SourceNode) -> list[dict[str, object]]:
        name = node.take("name")
        head: dict[str, object] = {"name": _name(name.text())} if name and name.text() else {}
        pause = node.entry("pause")
        if pause is not None:
            pause.construct.translated()
            return [{**head, "duration": self._time(pause), "rate": "0/s", "from": "0/s"}]
        duration = node.entry("duration")
        if duration is not None:
            duration.construct.translated()
        lasts = self._time(duration) if duration is not None else "1s"
        arrivals = node.entry("arrivalCount")
        if arrivals is not None:
            arrivals.construct.translated()
            rate = self._count(arrivals, duration)
            return [{**head, "duration": lasts, "rate": rate, "from": rate}]
        start, end = node.entry("arrivalRate"), node.entry("rampTo")
        begins = self._rate(start) if start is not None else "0/s"
        ends = self._rate(end) if end is not None else begins
        return [{**head, "duration": lasts, "rate": ends, "from": begins}]

    def _count(self, arrivals: SourceEntry, duration: SourceEntry | None) -> str:
        time = read_seconds(duration.node.scalar) if duration is not None else None
        number = read_seconds(arrivals.node.scalar)
        if number is None or not time:
            arrivals.construct.needs_you("give the rate of arrivals: their number by the duration")
            return "1/s"
        self.peak = max(self.peak, number / time)
        return per_second(number / time)

    def _rate(self, entry: SourceEntry) -> str:
        entry.construct.translated()
        number = read_seconds(entry.node.scalar)
        if number is None:
            return f"{self._param(entry, 1)}/s"
        self.peak = max(self.peak, number)
        return per_second(number)

    def _time(self, entry: SourceEntry) -> str:
        time = read_seconds(entry.node.scalar)
        return f"{self._param(entry, 60)}s" if time is None else seconds(time)

    def _param(self, entry: SourceEntry, default: int) -> str:
        """Return the param that a template stands for; a number, as it is load."""
        text = entry.node.text()
        inner = text.strip("{} ")
        head, dot, variable = inner.partition(".")
        if head in ("$processEnvironment", "$env") and dot:
            spec: dict[str, object] = {"type": "int", "default": default}
            name = self.expressions.environment(variable, entry.construct, spec)
            return f"${{{name}}}"
        found = self.expressions.text(text, entry.construct)
        if found[2:-1] in self.expressions.test.names.params and "{{" in text:
            spec_of = self.expressions.test.names.params[found[2:-1]].spec
            if isinstance(spec_of, dict) and read_seconds(spec_of.get("default")) is not None:
                return found
        entry.construct.needs_you(f"write a number instead of `{text}`")
        return str(default)

    def _most_users(self, node: SourceNode) -> list[int]:
        entry = node.entry("maxVusers")
        if entry is None:
            return []
        entry.construct.translated()
        number = read_seconds(entry.node.scalar)
        if number is None:
            entry.construct.needs_you("say `max_users` of the phase")
        return [] if number is None else [max(1, int(number))]

    def _max_users(self, most: list[int], phases: int) -> int | None:
        """Return `max_users`: Artillery has no limit where it names none."""
        if most and len(most) == phases:
            return max(most)
        needed = int(self.peak * (self.session + _TIMEOUT))
        return -(-needed // 1000) * 1000 if needed > _DEFAULT_USERS else None


def _phase(stages: list[dict[str, object]]) -> dict[str, object]:
    """Return the shortest way to say stages."""
    if len(stages) == 1:
        stage = stages[0]
        name = {"name": stage["name"]} if "name" in stage else {}
        if stage.get("from") == stage["rate"]:
            return {**name, "rate": stage["rate"], "hold": stage["duration"]}
    first = stages[0]
    start = {"from": first.pop("from")} if "from" in first else {}
    names = [stage.get("name") for stage in stages]
    for number, stage in enumerate(stages):
        if "name" in stage and names.index(stage["name"]) < number:
            stage["name"] = f"{stage['name']} {number + 1}"
    return {**start, "stages": stages}


def _name(text: str) -> str:
    return " ".join(text.split())[:80]
