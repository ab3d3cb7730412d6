"""`${name}` and `${__function()}` of Taurus, which are JMeter's → expressions of a plan."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftParam
from planrunner.importers.nodes import SourceNode
from planrunner.importers.reading.documents import templated
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.templates import translate
from planrunner.loss.ledger import Construct

__all__ = ["TaurusTemplates"]

_TEMPLATE: Final = re.compile(r"\$\{([^{}]+)\}")
_CALL: Final = re.compile(r"__(\w+)(?:\((.*)\))?", re.DOTALL)
_PROPERTY: Final = frozenset({"P", "property", "env", "environ"})
_CALLS: Final = {
    "UUID": "rand.uuid()",
    "threadNum": "user.id",
    "time": "(now() * 1000) | int",
    "RandomString": "rand.text({0})",
    "Random": "rand.int({0}, {1})",
    "counter": "iteration",
}


class TaurusTemplates:
    """Translates texts; what nothing sets becomes a param."""

    def __init__(self) -> None:
        self.names = SourceNames()

    def text(self, text: str, at: Construct) -> str:
        """Return text with a plan's `${…}` for its templates."""
        found = translate(text, _TEMPLATE, lambda inner: f"${{{self.inner(inner.strip(), at)}}}")
        if "{{" in found:
            at.needs_you("render the template of another tool before the import")
        return found.replace("{{", "${'{{'}")

    def value(self, node: SourceNode, at: Construct) -> object:
        """Return a value as a plan has it; every key below is translated."""
        return templated(node, at, self.text)

    def inner(self, inner: str, at: Construct) -> str:
        """Return the expression for what stands inside of `${…}`."""
        call = _CALL.fullmatch(inner)
        if call is None:
            return self.names.find(inner) or self._unset(inner, at)
        arguments = [one.strip() for one in (call[2] or "").split(",")]
        if call[1] in _PROPERTY and arguments[0]:
            return self._property(arguments)
        form = _CALLS.get(call[1])
        wanted = 2 if form and "{1}" in form else 1 if form and "{0}" in form else 0
        if form is None or not all(one.isdigit() for one in arguments[:wanted]):
            at.left_out(f"write an expression for `__{call[1]}`")
            return "''"
        return form.format(*arguments)

    def _property(self, arguments: list[str]) -> str:
        default = arguments[1] if len(arguments) > 1 else ""
        key = f"__P({arguments[0]})"
        found = self.names.find(key)
        if found is None:
            found = self.names.reserve(arguments[0])
            self.names.params[found] = DraftParam({"type": "str", "default": default})
            self.names.mean(key, found)
        return found

    def _unset(self, name: str, at: Construct) -> str:
        why = f"nothing in the file sets `{name}`"
        at.needs_you(f"{why}: give the param a value")
        return self.names.param(name, {"type": "str", "default": ""}, notes=[why])
