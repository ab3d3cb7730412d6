"""Texts that look like expressions of a plan and are none: they are sent as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys, all_steps, origin_of
from planrunner.language.expressions.expression import ExpressionError
from planrunner.language.fields.text import parse_text
from planrunner.loss.ledger import Ledger, SourcePlace

__all__ = ["sound_params", "sound_texts"]

_SPECIAL: Final = re.compile(r"\$\{|\{\{|[\ud800-\udfff]")
_NAME: Final = re.compile(r"(?<!\$)\$\{(\w+)\}")
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
_CODE: Final = frozenset(
    {"when", "if", "while", "until", "record", "work", "foreach", "choose", "start", "expr"}
)
"""Keys whose values are expressions, in which braces are no templates."""

MakeSound = Callable[[str], str]


def sound_texts(draft: DraftPlan, ledger: Ledger) -> None:
    """Make each text of a draft one that a plan takes.

    Readers escape what they know to be plain; a template that is cut off in the original, or a
    `${` where nobody looked, would make the plan invalid.
    """
    place = origin_of(draft)
    own = _sound_at(place, ledger)
    draft.name, draft.description = own(draft.name), own(draft.description)
    for part in (draft.http, draft.data, draft.extra):
        _sweep(part, own)
    for param in draft.params.values():
        param.spec = _swept(param.spec, _sound_at(param.origin or place, ledger))
    for one in draft.users:
        _sweep(one.keys, _sound_at(one.origin or place, ledger))
        for task in one.tasks:
            sound = _sound_at(task.origin or one.origin or place, ledger)
            task.name = sound(task.name)
            _sweep(task.keys, sound)
    for step in all_steps(draft):
        _sweep(step.body, _sound_at(step.origin or place, ledger))
    for phase in draft.phases:
        _sweep(phase.keys, _sound_at(phase.origin or place, ledger))


def sound_params(draft: DraftPlan, ledger: Ledger) -> None:
    """Take a value from params that read themselves, directly or through others."""
    for name, param in draft.params.items():
        if name not in _read_by(name, draft) or not isinstance(param.spec, dict):
            continue
        param.spec = {**param.spec, "default": ""}
        if (place := param.origin or origin_of(draft)) is not None:
            ledger.add("param", name, place).needs_you("its value is itself: write what was meant")


def _read_by(name: str, draft: DraftPlan) -> set[str]:
    """Return the names of params that the default of one has in it, and theirs."""
    found: set[str] = set()
    pending = [name]
    while pending:
        param = draft.params.get(pending.pop())
        spec = param.spec if param is not None else None
        value = spec.get("default") if isinstance(spec, dict) else spec
        names = _NAME.findall(value) if isinstance(value, str) else []
        pending += [one for one in names if one not in found]
        found.update(names)
    return found


def _sound_at(origin: SourcePlace | None, ledger: Ledger) -> MakeSound:
    def sound(text: str) -> str:
        if not _SPECIAL.search(text):
            return text
        text = _SURROGATES.sub("\ufffd", text)
        try:
            parse_text(text)
        except ExpressionError:
            if origin is not None:
                ledger.add("text", " ".join(text.split())[:80], origin).suspicious(
                    "a template that is not one: it is sent as it is written"
                )
            plain = text.replace("$${", "${").replace("${'{{'}", "{{")
            return plain.replace("${", "$${").replace("{{", "${'{{'}")
        return text

    return sound


def _sweep(keys: Keys, sound: MakeSound) -> None:
    """Make the texts of a mapping sound, deep inside too; steps within have their own turn."""
    for name, value in list(keys.items()):
        if name in _CODE:
            continue
        keys[name] = _swept(value, sound)
        if (better := sound(name)) != name:
            keys[better] = keys.pop(name)


def _swept(value: object, sound: MakeSound) -> object:
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, dict):
        _sweep(value, sound)
    elif isinstance(value, list):
        value[:] = [one if isinstance(one, DraftStep) else _swept(one, sound) for one in value]
    return value
