"""Texts that look like expressions of a plan and are none: they are sent as they stand."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys, all_steps, origin_of
from planrunner.language.expressions.expression import ExpressionError
from planrunner.language.fields.text import parse_text
from planrunner.loss.ledger import Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["sound_params", "sound_texts"]

_SPECIAL: Final = re.compile(r"\$\{|\{\{|[\ud800-\udfff]")
_NAME: Final = re.compile(r"(?<!\$)\$\{(\w+)\}")
_LONGEST_KEY: Final = 1000
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
_CODE: Final = frozenset(
    {"when", "if", "while", "until", "record", "work", "foreach", "choose", "start", "expr"}
)
"""Keys whose values are expressions, in which braces are no templates."""


def sound_texts(draft: DraftPlan, ledger: Ledger) -> None:
    """Make each text of a draft one that a plan takes.

    Readers escape what they know to be plain; a template that is cut off in the original, or a
    `${` where nobody looked, would make the plan invalid.
    """
    place = origin_of(draft)
    own = _TextsAt(place, ledger)
    draft.name, draft.description = own.sound(draft.name), own.sound(draft.description)
    for part in (draft.http, draft.data, draft.extra):
        own.sweep(part)
    for param in draft.params.values():
        param.spec = _TextsAt(param.origin or place, ledger).swept(param.spec)
    for one in draft.users:
        _TextsAt(one.origin or place, ledger).sweep(one.keys)
        for task in one.tasks:
            texts = _TextsAt(task.origin or one.origin or place, ledger)
            task.name = texts.sound(task.name)
            texts.sweep(task.keys)
    for step in all_steps(draft):
        _TextsAt(step.origin or place, ledger).sweep(step.body)
    for phase in draft.phases:
        _TextsAt(phase.origin or place, ledger).sweep(phase.keys)


def sound_params(draft: DraftPlan, ledger: Ledger) -> None:
    """Take a value from params that read themselves, directly or through others."""
    for name, param in draft.params.items():
        if name not in _read_by(name, draft) or not isinstance(param.spec, dict):
            continue
        param.spec = {**param.spec, "default": ""}
        if (place := param.origin or origin_of(draft)) is not None:
            ledger.part("param", name, place).needs_you("its value is itself: write what was meant")


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


@dataclass(frozen=True, slots=True)
class _TextsAt:
    """The texts of one place."""

    origin: SourcePlace | None
    ledger: Ledger

    def sound(self, text: str) -> str:
        if not _SPECIAL.search(text):
            return text
        text = _SURROGATES.sub("\ufffd", text)
        try:
            parse_text(text)
        except ExpressionError:
            if self.origin is not None:
                self.ledger.part("text", " ".join(text.split())[:80], self.origin).suspicious(
                    "a template that is not one: it is sent as it is written"
                )
            plain = text.replace("$${", "${").replace("${'{{'}", "{{")
            return plain.replace("${", "$${").replace("{{", "${'{{'}")
        return text

    def sweep(self, keys: Keys) -> None:
        """Make the texts of a mapping sound, deep inside too; steps within have their own turn."""
        for name, value in list(keys.items()):
            if name in _CODE:
                continue
            was_empty = not value
            keys[name] = self.swept(value)
            if keys[name] == {} and not was_empty:
                del keys[name]
            elif len(name) > _LONGEST_KEY:
                self._leave_out(name, keys)
            elif (better := self.sound(name)) != name:
                keys[better] = keys.pop(name)

    def _leave_out(self, name: str, keys: Keys) -> None:
        del keys[name]
        if self.origin is not None:
            why = f"a key of {len(name):,} characters: YAML has {_LONGEST_KEY:,} at most"
            self.ledger.part("key", " ".join(name[:80].split()), self.origin).left_out(why)

    def swept(self, value: object) -> object:
        if isinstance(value, str):
            return self.sound(value)
        if isinstance(value, dict):
            self.sweep(value)
        elif isinstance(value, list):
            value[:] = [one if isinstance(one, DraftStep) else self.swept(one) for one in value]
        return value
