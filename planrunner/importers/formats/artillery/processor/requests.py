"""`requestParams` of a hook: a request as a script reads and changes it."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsExpr,
    JsObject,
    JsText,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.terms.texts import plan_text, plan_value

__all__ = ["HookRequest"]

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_TEMPLATE: Final = re.compile(r"\$\{([^{}]*)\}")
_BODIES: Final = ("json", "body", "form", "multipart")


class HookRequest:
    """A request step, and the object that stands for it in a script."""

    def __init__(self, step: DraftStep) -> None:
        self.step = step
        self.verb = next(one for one in _VERBS if one in step.body)
        headers = step.body.get("headers", {})
        self.headers = as_js(headers)
        self.params = JsObject(
            {
                "url": as_js(step.body[self.verb]),
                "method": JsConst(self.verb.upper()),
                "headers": self.headers,
                **{key: as_js(step.body[key]) for key in ("json", "body") if key in step.body},
            },
            depth=1,
        )
        self._before = dict(self.params.entries)
        self._headers = dict(self.headers.entries) if isinstance(self.headers, JsObject) else {}

    def apply(self, machine: K6Machine) -> str:
        """Write what the script has changed; returns what can't be said, empty for nothing."""
        try:
            for key, value in self.params.entries.items():
                if value is not self._before.get(key):
                    self._changed(key, value, machine)
            self._write_headers(machine)
            self._write_json(machine)
        except NoStepSays as fault:
            return fault.why
        return ""

    def _changed(self, key: str, value: JsValue, machine: K6Machine) -> None:
        if isinstance(value, JsUnknown):
            raise NoStepSays(value.why)
        if key == "url":
            self.step.body[self.verb] = plan_text(value, machine)
        elif key in ("json", "body"):
            for other in _BODIES:
                self.step.body.pop(other, None)
            is_plain = key == "json" or isinstance(value, (JsObject, JsArray))
            self.step.body["json" if is_plain else "body"] = plan_value(value, machine)
        elif key != "headers":
            raise NoStepSays(f"`{key}` of a request: write it at the request")

    def _write_headers(self, machine: K6Machine) -> None:
        now = self.params.entries.get("headers", UNDEFINED)
        if not isinstance(now, JsObject):
            raise NoStepSays("headers that only the run knows: write them at the request")
        if now.entries == self._headers:
            return
        said: Keys = {}
        for name, value in now.entries.items():
            said[name] = plan_text(value, machine)
        if said:
            self.step.body["headers"] = said

    def _write_json(self, machine: K6Machine) -> None:
        """Write a body of which the script has changed a part."""
        value = self.params.entries.get("json")
        if isinstance(value, JsObject) and value is self._before.get("json"):
            self.step.body["json"] = plan_value(value, machine)


def as_js(value: object) -> JsValue:
    """Return a value of a plan as a script sees it."""
    if isinstance(value, dict):
        return JsObject({str(key): as_js(one) for key, one in value.items()}, depth=1)
    if isinstance(value, list):
        return JsArray([as_js(one) for one in value], depth=1)
    if isinstance(value, str):
        return _text(value)
    return JsConst(value if isinstance(value, int | float | bool) else None)


def _text(text: str) -> JsValue:
    whole = _TEMPLATE.fullmatch(text)
    if whole is not None:
        return JsExpr(whole[1])
    parts: list[JsValue] = []
    end = 0
    for found in _TEMPLATE.finditer(text):
        if found.start() and text[found.start() - 1] == "$":
            continue
        parts += [JsConst(_plain(text[end : found.start()])), JsExpr(found[1])]
        end = found.end()
    rest = JsConst(_plain(text[end:]))
    return JsText([*parts, rest]) if parts else rest


def _plain(text: str) -> str:
    return text.replace("${'{{'}", "{{").replace("$${", "${")
