"""Which keys and values of a plan are names, by their place in the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from planrunner.lsp.names.kinds import NameKind
from planrunner.protocols import registry

__all__ = ["SENTENCES", "NameRole", "key_role", "value_role"]


class NameRole(NamedTuple):
    """What a name at a place is of, and whether it is given there or asked for."""

    kind: NameKind
    is_definition: bool


def _gives(kind: NameKind) -> NameRole:
    return NameRole(kind, is_definition=True)


def _asks(kind: NameKind) -> NameRole:
    return NameRole(kind, is_definition=False)


_KEYS: Final[Mapping[str, NameRole]] = {
    "Plan.params.*": _gives(NameKind.PARAM),
    "Plan.environments.*": _gives(NameKind.ENVIRONMENT),
    "Plan.environments.*.*": _asks(NameKind.PARAM),
    "Plan.cases.*": _gives(NameKind.CASE),
    "Plan.cases.*.*": _asks(NameKind.PARAM),
    "Plan.data.*": _gives(NameKind.DATA),
    "Plan.files.*": _gives(NameKind.FILE),
    "Plan.pools.*": _gives(NameKind.POOL),
    "Plan.flows.*": _gives(NameKind.FLOW),
    "Plan.users.*": _gives(NameKind.USER),
    "Plan.services.*": _gives(NameKind.SERVICE),
    "Plan.monitors.*": _gives(NameKind.MONITOR),
    "Plan.profiles.*": _gives(NameKind.PROFILE),
    "Flow.args.*": _gives(NameKind.ARGUMENT),
    "Step.call.*": _asks(NameKind.ARGUMENT),
    "User.state.*": _gives(NameKind.VARIABLE),
    "Step.set.*": _gives(NameKind.VARIABLE),
    "Step.push.*": _gives(NameKind.VARIABLE),
    "Step.pop.*": _asks(NameKind.VARIABLE),
    "Phase.params.*": _asks(NameKind.PARAM),
    "Phase.matrix.*": _asks(NameKind.PARAM),
    "Phase.users.*": _asks(NameKind.USER),
    "Phase.rate.*": _asks(NameKind.USER),
    "Task.next.*": _asks(NameKind.TASK),
    "Generate.fields.*": _gives(NameKind.COLUMN),
    "Data.list[].*": _gives(NameKind.COLUMN),
    "Sql.databases.*": _gives(NameKind.DATABASE),
}
_KEY_PATTERNS: Final = (
    (re.compile(r"\w+\.extract\.\*"), _gives(NameKind.VARIABLE)),
    (re.compile(r"\w+\.record\.\*"), _gives(NameKind.METRIC)),
    (re.compile(r"\w+\.tags\.\*"), _gives(NameKind.TAG)),
)
_VALUES: Final[Mapping[str, NameRole]] = {
    "Task.task": _gives(NameKind.TASK),
    "Needs.else": _asks(NameKind.TASK),
    "Step.group": _gives(NameKind.GROUP),
    "Group.name": _gives(NameKind.GROUP),
    "Phase.name": _gives(NameKind.PHASE),
    "Phase.use": _asks(NameKind.PROFILE),
    "Phase.matrix.*[]": _asks(NameKind.CASE),
    "Stage.name": _gives(NameKind.STAGE),
    "Step.call": _asks(NameKind.FLOW),
    "Step.call.flow": _asks(NameKind.FLOW),
    "Step.call.as": _gives(NameKind.VARIABLE),
    "Step.pop.as": _gives(NameKind.VARIABLE),
    "Exec.as": _gives(NameKind.VARIABLE),
    "Python.as": _gives(NameKind.VARIABLE),
    "Selection.users[]": _asks(NameKind.USER),
    "Selection.tags[]": _asks(NameKind.TAG),
    "Service.needs[]": _asks(NameKind.SERVICE),
    "File.from": _asks(NameKind.DATA),
    "Step.barrier": _gives(NameKind.BARRIER),
    "Barrier.name": _gives(NameKind.BARRIER),
    "WsConnect.on": _gives(NameKind.CONNECTION),
    "WsSend.on": _asks(NameKind.CONNECTION),
    "WsReceive.on": _asks(NameKind.CONNECTION),
    "WsClose.on": _asks(NameKind.CONNECTION),
    "SqlQuery.database": _asks(NameKind.DATABASE),
    "Step.python": _asks(NameKind.FUNCTION),
    "Task.python": _asks(NameKind.FUNCTION),
    "Python.call": _asks(NameKind.FUNCTION),
    "Step.grpc.call": _asks(NameKind.METHOD),
    "Task.grpc.call": _asks(NameKind.METHOD),
    "GrpcCall.method": _asks(NameKind.METHOD),
}
_VALUE_PATTERNS: Final = (
    (re.compile(r"(?:Task|Step|LoneRequest|Poll)\.name"), _gives(NameKind.REQUEST)),
    (re.compile(r"(?!Otlp|Statsd|Influxdb|Prometheus|Jsonl)\w+\.tags\[\]"), _gives(NameKind.TAG)),
)
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "Needs.else": frozenset({"skip", "repick"}),
    "Phase.matrix.*": frozenset({"case", "users", "rate"}),
    "Step.call.*": frozenset({"flow", "as"}),
    "Step.pop.*": frozenset({"as", "wait"}),
    "Plan.environments.*.*": frozenset({"params", "profile"}),
}
"""Words of the language where names can stand."""

SENTENCES: Final = frozenset(
    {
        *("Plan.thresholds[]", "Phase.thresholds[]", "Search.slo[]"),
        *("Threshold.warn", "Threshold.fail", "Threshold.metric"),
    }
)
"""Where thresholds are written."""


def key_role(slot: str, name: str) -> NameRole | None:
    """Return what the key of a value is the name of."""
    if name in _WORDS.get(slot, ()):
        return None
    return _KEYS.get(slot) or _matched(slot, _KEY_PATTERNS)


def value_role(slot: str, value: str) -> NameRole | None:
    """Return what a text is the name of."""
    if value in _WORDS.get(slot, ()):
        return None
    if slot.endswith(".name") and slot.removesuffix(".name") in _action_models():
        return _gives(NameKind.REQUEST)
    return _VALUES.get(slot) or _matched(slot, _VALUE_PATTERNS)


@cache
def _matched(slot: str, patterns: tuple[tuple[re.Pattern[str], NameRole], ...]) -> NameRole | None:
    return next((role for pattern, role in patterns if pattern.fullmatch(slot)), None)


@cache
def _action_models() -> frozenset[str]:
    """Return what the schema calls the mappings of the protocols' actions."""
    return frozenset(
        action.model.rpartition(":")[2]
        .rpartition(".")[2]
        .removesuffix("Spec")
        .removesuffix("Model")
        for plugin in registry.builtin().values()
        for action in plugin.actions.values()
    )
