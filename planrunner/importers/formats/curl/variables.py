"""The variables of a script: params of the plan, or values of replies."""

from __future__ import annotations

from planrunner.importers.draft import DraftParam, DraftPlan, DraftStep, Keys
from planrunner.importers.formats.curl.shell import ShellOutput, ShellVariable, ShellWord
from planrunner.importers.shaping.secrets import is_secret_name
from planrunner.importers.templates import identifier, literal
from planrunner.loss.ledger import Ledger

__all__ = ["ScriptVariables"]


class ScriptVariables:
    """What a script sets and reads."""

    def __init__(self, draft: DraftPlan, ledger: Ledger) -> None:
        self._draft, self._ledger = draft, ledger
        self._taken: set[str] = set()
        self._looping: set[str] = set()
        self._outputs: dict[str, str] = {}

    def loop(self, name: str) -> None:
        """Remember what a loop sets."""
        self._looping.add(name)

    def assign(self, name: str, word: ShellWord) -> None:
        """Make a variable of the script a param with its value, unless that is a secret."""
        construct = self._ledger.add("variable", name, word.place)
        param = identifier(name)
        self._taken.discard(param)
        if is_secret_name(name):
            self._draft.params[param] = _secret(name, word)
            construct.needs_you(f"give the param `{param}` a value: secrets are not in plans")
        elif param in self._draft.params:
            construct.changed(f"the param `{param}` keeps its first value: write `set` before this")
        elif any(isinstance(part, ShellOutput) for part in word.parts):
            self._set(name, param, "", word)
            construct.needs_you(f"give the param `{param}` a value: the script computes it")
        else:
            self._set(name, param, self._value(name, word), word)
            construct.translated()

    def _set(self, name: str, param: str, value: str, word: ShellWord) -> None:
        env = name if name.isidentifier() else param.upper()
        spec: Keys = {"type": "str", "env": env, "default": value}
        self._draft.params[param] = DraftParam(spec, origin=word.place)

    def _value(self, name: str, word: ShellWord) -> str:
        """Return what a variable is set to; `A=${A:-b}` is `b` where nobody sets it."""
        lead, *rest = word.parts
        assert isinstance(lead, str), "it ends with the sign that sets it"
        first, lead = (rest[0] if rest else ""), lead.partition("=")[2]
        if not lead and isinstance(first, ShellVariable) and first.name == name:
            return literal(first.default)
        return self.text(ShellWord(word.place, (lead, *rest)))

    def take(self, name: str, path: str, step: DraftStep, word: ShellWord) -> None:
        """Make a variable the value that a reply has at a path."""
        param = identifier(name, self._draft.params)
        extract = step.body.setdefault("extract", {})
        assert isinstance(extract, dict)
        extract[param] = {"jsonpath": path, "secret": True} if is_secret_name(name) else path
        self._taken.add(param)
        self._ledger.add("variable", name, word.place).translated()

    def text(self, word: ShellWord | None) -> str:
        """Return a word as text of a plan."""
        text = ""
        for one in word.parts if word is not None else ():
            if isinstance(one, str):
                text += literal(one)
            else:
                assert word is not None
                text = f"{text[:-1]}${{'$'}}" if text.endswith("$") else text
                text += self._read(one, word)
        return text

    def _read(self, part: object, word: ShellWord) -> str:
        if not isinstance(part, ShellVariable):
            source = getattr(part, "source", "")
            self._ledger.add("variable", source[:80], word.place).left_out(
                "set what this command printed as a param"
            )
            param = self._outputs.setdefault(source, identifier("output", self._draft.params))
            part = ShellVariable(param)
        else:
            param = identifier(part.name)
            self._judge(part.name, param, word)
        if param in self._taken:
            return f"${{{param}}}"
        if param not in self._draft.params and is_secret_name(part.name):
            self._draft.params[param] = _secret(part.name, word)
        elif param not in self._draft.params:
            self._set(part.name, param, literal(part.default), word)
        return f"${{{param}}}"

    def _judge(self, name: str, param: str, word: ShellWord) -> None:
        construct = self._ledger.add("variable", name, word.place)
        if name in self._looping and param not in self._taken:
            construct.left_out("a loop sets it: write `foreach`, and read its name here")
        else:
            construct.translated()


def _secret(name: str, word: ShellWord) -> DraftParam:
    env = name if name.isidentifier() else identifier(name).upper()
    return DraftParam({"type": "str", "env": env, "secret": True}, origin=word.place)
