"""The variables of a collection, its environment and globals, as params and state of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftClass, DraftParam, DraftPlan
from planrunner.importers.formats.postman.dynamic import DYNAMIC
from planrunner.importers.nodes import SourceNode
from planrunner.importers.shaping.secrets import is_secret_name, secret_param
from planrunner.importers.templates import BRACES, identifier, literal, translate
from planrunner.loss.ledger import Construct, Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["PostmanVariables"]

_HOSTS: Final = re.compile(r"(?i)(url|host|endpoint|server|domain)$")
_FUNCTION: Final = re.compile(r"(\$\w+)\s*(?:\(.*\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Definition:
    text: str
    value: Construct
    is_secret: bool


class PostmanVariables:
    """All names of a collection: what they are called in the plan, and where their values are.

    A name that a script writes is state of its user, as it lasts from request to request; any
    other one is a param.

    Attributes:
        columns: Names that a data file gives.
    """

    def __init__(self, ledger: Ledger, written: set[str], columns: dict[str, str]) -> None:
        self.columns = columns
        self.ledger, self._written = ledger, written
        self._definitions: dict[str, _Definition] = {}
        self._environments: dict[str, dict[str, _Definition]] = {}
        self._names: dict[str, str] = {}
        self._used: dict[str, SourcePlace] = {}

    def define(self, values: SourceNode | None) -> None:
        """Add a list of variables; what is defined later takes precedence."""
        self._definitions |= self._listed(values)

    def define_environment(self, name: str, values: SourceNode | None) -> None:
        """Add one of several environments; the first one's values are the defaults."""
        found = self._listed(values)
        if not self._environments:
            self._definitions |= found
        self._environments[identifier(name or "environment", self._environments)] = found

    def _listed(self, values: SourceNode | None) -> dict[str, _Definition]:
        listed: dict[str, _Definition] = {}
        for node in values.each() if values is not None and values.is_list else ():
            for key in ("id", "name", "description", "system", "type", "enabled"):
                node.take_whole(key)
            disabled, name = node.take_whole("disabled"), node.take("key") or node.get("id")
            enabled = node.get("enabled")
            if enabled is not None and enabled.scalar is False:
                disabled = True
            entry = node.entry("value") or node.entry("key")
            if name is None or entry is None or not name.text():
                continue
            entry.construct.translated()
            node.take_whole("value")
            if disabled is not True:
                kind = node.get("type")
                is_secret = (kind is not None and kind.scalar == "secret") or is_secret_name(
                    name.text()
                )
                found = _value(entry.node) if entry.key == "value" else ""
                listed[name.text()] = _Definition(found, entry.construct, is_secret)
        return listed

    def text(self, text: str, place: SourcePlace) -> str:
        """Return text with its `{{…}}` as `${…}`."""
        return translate(text, BRACES, lambda inside: self._inside(inside, place))

    def name(self, name: str, place: SourcePlace) -> str:
        """Return what a variable is called in the plan, a data column with its file."""
        if name in self.columns:
            return self.columns[name]
        if name not in self._names:
            self._names[name] = identifier(name, {*self._names.values()})
        self._used.setdefault(name, place)
        return self._names[name]

    def is_text(self, name: str) -> bool:
        """Say whether a variable is always text: no script can put a number into it."""
        return name.startswith("$") or (name not in self._written and name not in self.columns)

    def _inside(self, inside: str, place: SourcePlace) -> str:
        name = inside.strip()
        dynamic = _FUNCTION.fullmatch(name)
        if dynamic is not None and dynamic[1] in DYNAMIC:
            return f"${{{DYNAMIC[dynamic[1]]}}}"
        if name and not name.startswith("$"):
            return f"${{{self.name(name, place)}}}"
        if name:
            self.ledger.add("variable", f"{{{{{name}}}}}", place).left_out(
                "planrunner has no such value: write an expression"
            )
        return literal(f"{{{{{inside}}}}}")

    def value_of(self, name: str) -> str | None:
        """Return the value that the files give a variable, or None."""
        found = self._definitions.get(name)
        return found.text if found is not None else None

    def names_no_host(self, name: str) -> bool:
        """Say whether a variable that should be an address is empty, or only a path."""
        found = self._definitions.get(name)
        return (
            found is not None
            and not found.is_secret
            and _HOSTS.search(name) is not None
            and re.fullmatch(r"(?:/(?!/).*)?", found.text.strip(), re.DOTALL) is not None
        )

    def add_to(self, draft: DraftPlan, classes: list[DraftClass]) -> None:
        """Write the params and the state that the plan reads; what nothing reads is left out."""
        state: dict[str, object] = {}
        done: set[str] = set()
        for name in [*self._in_order(), *self._names]:
            if name in done or name not in self._names:
                continue
            done.add(name)
            if name in self._written:
                state[self._names[name]] = self._first_value(name)
            else:
                draft.params[self._names[name]] = self._param(name)
        for one in classes if state else ():
            one.keys["state"] = dict(state)
        blocks = {name: self._block(those) for name, those in self._environments.items()}
        if any(blocks.values()):
            draft.extra["environments"] = blocks

    def _block(self, definitions: dict[str, _Definition]) -> dict[str, object]:
        """Return what an environment says of the params that the plan has."""
        block: dict[str, object] = {}
        for name, one in definitions.items():
            if name not in self._names:
                continue
            if name in self._written:
                if one.text and one is not self._definitions[name]:
                    one.value.left_out("a script changes it: it begins alike in each environment")
            elif one.is_secret:
                one.value.needs_you(f"set it when you run the plan: `--set {self._names[name]}=…`")
            else:
                block[self._names[name]] = self._resolved(one)
        return block

    def read_all(self) -> None:
        """Read the values of what is used: they may use more."""
        pending = [*self._names]
        while pending:
            name = pending.pop()
            before = set(self._names)
            for values in (self._definitions, *self._environments.values()):
                definition = values.get(name)
                if definition is not None and not definition.is_secret:
                    self.text(definition.text, definition.value.place)
            pending += [one for one in self._names if one not in before]

    def _in_order(self) -> Iterator[str]:
        """Yield the used names, each after those that its value reads."""
        seen: set[str] = set()

        def visit(name: str) -> Iterator[str]:
            if name in seen:
                return
            seen.add(name)
            definition = self._definitions.get(name)
            for found in BRACES.finditer(definition.text if definition else ""):
                yield from visit(found[1].strip())
            yield name

        for name in [*self._definitions, *self._names]:
            yield from visit(name)

    def _first_value(self, name: str) -> str:
        definition = self._definitions.get(name)
        if definition is None or definition.is_secret:
            return ""
        return self._resolved(definition)

    def _resolved(self, definition: _Definition) -> str:
        return self.text(definition.text, definition.value.place)

    def _param(self, name: str) -> DraftParam:
        definition = self._definitions.get(name)
        if definition is None:
            return self._unknown(name)
        if definition.is_secret:
            definition.value.needs_you(
                f"set it when you run the plan: `--set {self._names[name]}=…`"
            )
            return secret_param(f"`{name}` of the collection", definition.value.place)
        value = self._resolved(definition)
        if self.names_no_host(name):
            definition.value.needs_you("it names no server: write its address")
            value = f"http://localhost{value.rstrip('/')}"
        return DraftParam({"type": "str", "default": value}, origin=definition.value.place)

    def _unknown(self, name: str) -> DraftParam:
        found = self.ledger.add("variable", f"{{{{{name}}}}}", self._used[name])
        if is_secret_name(name):
            found.needs_you(f"no file gives it a value: `--set {self._names[name]}=…`")
            return secret_param(f"`{name}`, which no file gives a value", found.place)
        found.needs_you("no file gives it a value: import its environment too, or write a default")
        value = "http://localhost" if _HOSTS.search(name) else ""
        return DraftParam({"type": "str", "default": value}, origin=found.place)


def _value(node: SourceNode) -> str:
    if node.is_mapping or node.is_list:
        return "" if not node.plain() else str(node.plain())
    return node.text()
