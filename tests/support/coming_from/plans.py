"""The whole plan of which a mapping is a part."""

from __future__ import annotations

import json
import re
from typing import Final

from ruamel.yaml import YAML

from tests.support.coming_from.cases import Case
from tests.support.coming_from.pages import Mapped
from tests.support.plans import plan_text

__all__ = ["EXAMPLE", "plan_of"]

EXAMPLE: Final = "http://localhost:8000"
"""The address that pages have for the server."""

_PLACES: Final = {
    "as a step": ("steps", "[{TEXT}]"),
    "beside a request": ("steps", "[{get: URL, TEXT}]"),
    "as an expectation": ("steps", "[{get: URL, expect: {TEXT}}]"),
    "in an expression": ("steps", "[{post: /is, body: QUOTED}]"),
    "in a user class": ("user", "TEXT"),
    "under `http`": ("http", "TEXT"),
    "in a phase": ("phase", "TEXT"),
    "as a threshold": ("threshold", "thresholds:\n  - TEXT"),
    "at the first level": ("more", "TEXT"),
    "on the command line": ("", ""),
    "in `planrunner.yaml`": ("", ""),
}
"""Where a text belongs, by the head of its column: a part of the plan, and its form there."""

_PAUSE: Final = re.compile(r"\b(?:think|wait|pace|every): \"?(?:\w+\([^)]*\)|[^,}\]\s]+)")


def plan_of(mapped: Mapped, case: Case, url: str) -> str:
    """Return the plan, with pauses in ms where the page has them in s."""
    text = _PAUSE.sub(lambda found: re.sub(r"(?<=\d)s\b", "ms", found[0]), mapped.text)
    text = text.replace(EXAMPLE, url)
    if mapped.place == "a plan":
        return _whole(text, case, url)
    name, form = _PLACES[mapped.place]
    quoted = json.dumps("${" + text + "}")
    part = form.replace("URL", case.url).replace("QUOTED", quoted).replace("TEXT", text)
    parts = {"steps": case.steps, "phase": case.phase, name: part}
    more = "\n".join(filter(None, (case.more, parts.get("more"), parts.get("threshold"))))
    phases = (
        ""
        if re.search(r"^(phases|profiles):", more, re.MULTILINE)
        else f"phases: [{{{parts['phase']}}}]"
    )
    http = ", ".join(filter(None, (f'base_url: "{url}"', parts.get("http"))))
    does = _what_users_do(parts.get("user", ""), parts["steps"], case)
    return plan_text(more, f"http: {{{http}}}", f"users: {{V: {{{does}}}}}", phases)


def _what_users_do(user: str, steps: str, case: Case) -> str:
    if re.search(r"\b(tasks|steps):", user):
        return user
    inner = ", ".join(filter(None, (case.before, steps[1:-1], case.after)))
    return ", ".join(filter(None, (user, f"{case.does}: [{inner}]")))


def _whole(text: str, case: Case, url: str) -> str:
    """Return a page's plan with the server's address, and with the load of the case."""
    plan = YAML(typ="safe").load(text)
    plan["http"] = {**plan["http"], "base_url": url}
    if not case.load:
        for key in ("stages", "profiles", "phases"):
            plan.pop(key, None)
        plan["phases"] = [YAML(typ="safe").load(f"{{{case.phase}}}")]
    return json.dumps(plan)
