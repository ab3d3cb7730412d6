"""Which keys make a step: one action, and the keys that go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import GUESTS, Fault, in_words
from planrunner.plan.models.requests import (
    KEYS_OF_SAMPLES,
    MEASURED_STEPS,
    REQUEST_KEYS,
    STEP_KEYS,
    VERBS,
    actions_in,
    is_request_word,
    misplaced,
)
from planrunner.protocols import registry
from planrunner.protocols.http.spec import verbs_in
from planrunner.protocols.http.spec_expect import status_faults

__all__ = [
    "COMPANIONS",
    "OWN_ACTIONS",
    "STEP_SYNONYMS",
    "all_actions",
    "inside_call",
    "parallel_faults",
    "sample_faults",
    "step_faults",
]

_BEFORE_GUESTS: Final = (
    *VERBS,
    "think",
    "set",
    "push",
    "pop",
    "barrier",
    "header",
    "group",
    "if",
    "choose",
    "switch",
    "repeat",
    "while",
    "foreach",
    "poll",
    "parallel",
    "call",
)
OWN_ACTIONS: Final = (*_BEFORE_GUESTS, "exec", "python", "log", "stop")
"""The actions of the language itself."""

COMPANIONS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(OWN_ACTIONS, frozenset()),
    **dict.fromkeys(VERBS, REQUEST_KEYS),
    "post": REQUEST_KEYS | {"graphql"},
    **dict.fromkeys(MEASURED_STEPS, STEP_KEYS),
    "group": frozenset({"do", "on_error"}),
    "if": frozenset({"then", "else"}),
    "switch": frozenset({"cases"}),
    "repeat": frozenset({"do"}),
    "while": frozenset({"do", "max"}),
    "foreach": frozenset({"do"}),
    "parallel": frozenset({"pause"}),
    "poll": frozenset({"until", "every", "timeout", "name"}),
}
"""The keys beside each action of the language; `when` goes with all of them."""

STEP_SYNONYMS: Final[Mapping[str, str]] = {
    "sleep": "think",
    "wait": "think",
    "random": "choose",
    "one_of": "choose",
    "case": "switch",
    "match": "switch",
    "assert": "expect",
    "assertions": "expect",
    "check": "expect",
    "validate": "expect",
    "capture": "extract",
    "save": "extract",
    "params": "query",
    "data": "form",
    "label": "name",
    "transaction": "group",
    "rendezvous": "barrier",
    "synchronize": "barrier",
    "sync": "barrier",
    "loop": "repeat",
    "for": "foreach",
    "include": "call",
    "flow": "call",
    "print": "log",
    "steps": "do",
    **dict.fromkeys(("wait_time", "delay", "pause_duration", "constant_timer"), "think"),
    **dict.fromkeys(("checks", "validators", "verify", "ensure", "tests"), "expect"),
    **dict.fromkeys(("extractors", "extract_jsonpath", "extract_regexp"), "extract"),
    **dict.fromkeys(("extract_css_jquery", "extract_xpath", "register", "store"), "extract"),
    **dict.fromkeys(("qs", "query_params", "params_query", "search"), "query"),
    **dict.fromkeys(("set_variables", "set_variable", "variables", "vars", "let"), "set"),
    **dict.fromkeys(("include_scenario", "run_flow", "use"), "call"),
    **dict.fromkeys(("ifTrue", "only_if", "condition", "run_if"), "when"),
    **dict.fromkeys(("script", "command", "shell"), "exec"),
    **dict.fromkeys(("over", "for_each", "each"), "foreach"),
    **dict.fromkeys(("batch", "concurrent"), "parallel"),
    **dict.fromkeys(("sse", "event_stream", "streaming"), "stream"),
    **dict.fromkeys(("json_body", "payload"), "json"),
    **dict.fromkeys(("form_data", "urlencoded"), "form"),
    **dict.fromkeys(("files", "upload_files", "file"), "multipart"),
    **dict.fromkeys(("allow_redirects", "redirects", "followRedirect"), "follow_redirects"),
    **dict.fromkeys(("tag",), "tags"),
    **dict.fromkeys(("debug", "echo"), "log"),
    "count": "repeat",
}
"""Words of other tools for keys of a step."""

_REQUIRED: Final[Mapping[str, str]] = {
    "group": "do",
    "if": "then",
    "switch": "cases",
    "repeat": "do",
    "while": "do",
    "foreach": "do",
    "poll": "until",
}

_ACTION_SET: Final = frozenset(OWN_ACTIONS)
_ALL_COMPANIONS: Final = frozenset().union(*COMPANIONS.values())
_NONE: Final = frozenset[str]()


def all_actions() -> tuple[str, ...]:
    """Return every action, those of protocols that have been found so far included."""
    rest = OWN_ACTIONS[len(_BEFORE_GUESTS) :]
    return (*_BEFORE_GUESTS, *registry.action_words(), *registry.group_words(), *rest)


def _actions(data: Mapping[str, Any]) -> Iterator[str]:
    verbs = verbs_in(data)
    for key in data:
        if key == GUESTS:
            yield from data[GUESTS]
        elif key in VERBS:
            yield from [key] if key in verbs else []
        elif key in _ACTION_SET or is_request_word(key) or registry.group(key) is not None:
            yield key


def step_faults(data: Mapping[str, Any], *, has_unknown: bool) -> Iterator[Fault]:
    """Yield what is wrong between the keys of one step."""
    actions = list(_actions(data))
    if not actions:
        # An unknown key is most likely the action, misspelt; that is reported already.
        if not has_unknown:
            yield _no_action(data)
        return
    first = actions[0]
    for other in actions[1:]:
        yield Fault(
            Code.ONE_ACTION,
            f"a step has one action, but this one has `{first}` and `{other}`",
            f"start a new step: `- {other}: …`",
            other,
        )
    allowed = frozenset(actions).union(*(COMPANIONS.get(action, _NONE) for action in actions))
    foreign = _ALL_COMPANIONS - allowed
    yield from (_foreign(key, first) for key in data if key in foreign)
    required = _REQUIRED.get(first)
    if required is not None and required not in data and not has_unknown:
        yield Fault(Code.MISSING_KEY, f"`{first}` needs `{required}`", f"add `{required}:`", first)


def _owners(key: str) -> list[str]:
    return [action for action in OWN_ACTIONS if key in COMPANIONS[action]]


def _no_action(data: Mapping[str, Any]) -> Fault:
    companion = next((key for key in data if key in _ALL_COMPANIONS), None)
    if hint := _ALONE.get(companion or ""):
        return Fault(Code.ONE_ACTION, "the step does nothing", hint)
    hint = (
        f"write `{companion}` in the same step as {in_words(_owners(companion))}"
        if companion
        else "write one of " + ", ".join(f"`{action}`" for action in OWN_ACTIONS[:14]) + " …"
    )
    return Fault(Code.ONE_ACTION, "the step does nothing", hint)


_ALONE: Final[Mapping[str, str]] = {
    "pause": "write `think` for a pause by itself; `pause` is a key of a request",
    "url": "the verb is the key: `get: /path`",
    "variables": "write `set` to give names values; `variables` are those of `graphql`",
}


def _foreign(key: str, action: str) -> Fault:
    if action not in _ACTION_SET:
        return misplaced(key, action)
    hint = f"`{key}` belongs to {in_words(_owners(key))}"
    if action == "poll" and key in REQUEST_KEYS:
        hint = f"write it with the request: `poll: {{get: …, {key}: …}}`"
    return Fault(Code.CONFLICTING_KEYS, f"`{key}` can't be combined with `{action}`", hint, key)


def parallel_faults(steps: object) -> Iterator[Fault]:
    """Yield the fault of each step of `parallel` that is no single request."""
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        actions = [*_actions(step)] if isinstance(step, dict) else []
        if actions and not actions_in(step):
            yield Fault(
                Code.NOT_ALLOWED,
                f"only single requests can run in parallel, and `{actions[0]}` is not a request",
                "put it before or after; to run flows side by side, give the phase more users",
                path=("parallel", index),
            )


def sample_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is said of the sample of a step that has none, or of a status there can't be."""
    word = next((word for word in MEASURED_STEPS if word in data), "")
    if not word:
        yield from status_faults(data.get("expect"))
    if word and not actions_in(data):
        for key in (key for key in KEYS_OF_SAMPLES if key in data):
            message = f"`{key}` is about a sample, and this `{word}` isn't measured"
            yield Fault(Code.CONFLICTING_KEYS, message, "add `measure: true`", key)


def inside_call(word: str, data: Mapping[Any, Any]) -> str:
    """Return how a call has this key; nothing where the step is none, or the key another's."""
    call = data.get("call")
    flow = call.get("flow") if isinstance(call, Mapping) else call
    if flow and word == "as":
        return f"write it into the call: `call: {{flow: {flow}, as: {data[word]}}}`"
    if isinstance(call, str) and word in ("args", "arguments", "with"):
        return f"write them into the call: `call: {{flow: {flow}, name: value}}`"
    return ""
