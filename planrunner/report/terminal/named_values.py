"""Values of a trace, without what their names give away."""

from __future__ import annotations

from planrunner.engine.debug.trace_events import MISSING
from planrunner.language.expressions.expression import to_text
from planrunner.language.named_secrets import cover_field, cover_named, is_secret_name
from planrunner.language.secrets import MASK
from planrunner.metrics.measures import OWN_PREFIX

__all__ = ["NamedValues", "text_of_any"]


class NamedValues:
    """Masks what only its name gives away, if it is asked to."""

    def __init__(self, *, covers_names: bool) -> None:
        self._covers = covers_names

    def text(self, text: str) -> str:
        return cover_named(text) if self._covers else text

    def field(self, name: str, value: str) -> str:
        return cover_field(name, value) if self._covers else value

    def value(self, name: str, value: object) -> object:
        """Return a variable's value, or one that stands for it."""
        if not self._covers or value is MISSING or name.startswith(OWN_PREFIX):
            return value
        if is_secret_name(name) and value is not None and not isinstance(value, bool):
            return MASK
        if isinstance(value, dict):
            return {key: self.value(str(key), item) for key, item in value.items()}
        return [self.value("", item) for item in value] if isinstance(value, list) else value


def text_of_any(value: object) -> str:
    """Return a value as text, whatever it is."""
    try:
        return to_text(value)
    except Exception:  # noqa: BLE001 - a function of the plan may give anything
        return repr(value)
