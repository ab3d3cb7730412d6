"""Which keys make a step: one action, and the keys that go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault, in_words
from planrunner.protocols.etcd.actions import ETCD_ACTIONS
from planrunner.protocols.http.spec import VERBS

__all__ = ["ACTIONS", "COMPANIONS", "REQUEST_ACTIONS", "step_faults"]

REQUEST_ACTIONS: Final = (*VERBS, *ETCD_ACTIONS)
"""The actions that send one request, and so can be a task or stand in `parallel`."""

ACTIONS: Final = (
    *VERBS,
    "think",
    "set",
    "push",
    "pop",
    "header",
    "group",
    "if",
    "repeat",
    "while",
    "foreach",
    "poll",
    "parallel",
    "call",
    *ETCD_ACTIONS,
    "exec",
    "python",
    "log",
    "stop",
)

_HTTP_KEYS: Final = frozenset(
    {
        "name",
        "query",
        "headers",
        "json",
        "form",
        "multipart",
        "body",
        "body_file",
        "auth",
        "timeout",
        "follow_redirects",
        "expect",
        "extract",
        "tags",
        "measure",
        "retry",
    }
)

COMPANIONS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(ACTIONS, frozenset()),
    **dict.fromkeys(VERBS, _HTTP_KEYS),
    "group": frozenset({"do"}),
    "if": frozenset({"then", "else"}),
    "repeat": frozenset({"do"}),
    "while": frozenset({"do", "max"}),
    "foreach": frozenset({"do"}),
    "poll": frozenset({"until", "every", "timeout", "name"}),
}
"""The keys beside each action; `when` goes with all of them."""

_REQUIRED: Final[Mapping[str, str]] = {
    "group": "do",
    "if": "then",
    "repeat": "do",
    "while": "do",
    "foreach": "do",
    "poll": "until",
}

_ACTION_SET: Final = frozenset(ACTIONS)
_ALL_COMPANIONS: Final = frozenset().union(*COMPANIONS.values())


def step_faults(data: Mapping[str, Any], *, has_unknown: bool) -> Iterator[Fault]:
    """Yield what is wrong between the keys of one step."""
    actions = [key for key in data if key in _ACTION_SET]
    if not actions:
        # An unknown key is most likely the action, misspelt; that is reported already.
        if not has_unknown:
            yield _no_action(data)
        return
    first = actions[0]
    for other in actions[1:]:
        yield Fault(
            Code.ONE_ACTION,
            f"a step has one action, this one has `{first}` and `{other}`",
            f"start a new step: `- {other}: …`",
            other,
        )
    allowed = frozenset().union(*(COMPANIONS[action] for action in actions))
    yield from (_foreign(key, first) for key in data if key in _ALL_COMPANIONS - allowed)
    required = _REQUIRED.get(first)
    if required is not None and required not in data and not has_unknown:
        yield Fault(Code.MISSING_KEY, f"`{first}` needs `{required}`", f"add `{required}:`", first)


def _owners(key: str) -> list[str]:
    return [action for action in ACTIONS if key in COMPANIONS[action]]


def _no_action(data: Mapping[str, Any]) -> Fault:
    companion = next((key for key in data if key in _ALL_COMPANIONS), None)
    hint = (
        f"`{companion}` goes with {in_words(_owners(companion))}: write it in the same step"
        if companion
        else "write one of " + ", ".join(f"`{action}`" for action in ACTIONS[:14]) + " …"
    )
    return Fault(Code.ONE_ACTION, "the step does nothing", hint)


def _foreign(key: str, action: str) -> Fault:
    hint = f"`{key}` belongs to {in_words(_owners(key))}"
    if action in ETCD_ACTIONS:  # whose keys all stand inside
        hint = f"put it into `{action}:`"
    elif action == "poll" and key in _HTTP_KEYS:
        hint = f"write it with the request: `poll: {{get: …, {key}: …}}`"
    return Fault(Code.CONFLICTING_KEYS, f"`{key}` does not go with `{action}`", hint, key)
