"""`{{ … }}` and conditions of Artillery → expressions of a plan."""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, TemplateSyntaxError

from planrunner.importers.draft import DraftParam
from planrunner.importers.formats.artillery.meant import (
    drawn_item,
    meant_expression,
    with_default,
)
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceNode
from planrunner.importers.reading.documents import templated
from planrunner.importers.reading.made_up import made_up_value
from planrunner.importers.templates import translate
from planrunner.loss.ledger import Construct

__all__ = ["ArtilleryExpressions"]

_TEMPLATE: Final = re.compile(r"\{\{\{?\s*(.*?)\s*\}\}\}?", re.DOTALL)
_CALL: Final = re.compile(r"(\$[A-Za-z0-9_]+)\s*\((.*)\)", re.DOTALL)
_PATH: Final = re.compile(r"([$\w-]+)((?:\.[\w$-]+|\[\s*(?:-?\d+|'[^']*'|\"[^\"]*\")\s*\])*)")
_STEP: Final = re.compile(r"\.([\w$-]+)|\[\s*(-?\d+|'[^']*'|\"[^\"]*\")\s*\]")
_INDEXED: Final = re.compile(r"([\w-]+)\[\s*(\$\w+\s*\(.*\))\s*\]", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s+|'[^']*'|\"[^\"]*\"|\d+(?:\.\d+)?|[$A-Za-z_][$\w]*(?:\.[$\w]+)*"
    r"|===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>()!,\[\]]"
)
_OPERATORS: Final = {"===": "==", "!==": "!=", "&&": "and", "||": "or", "!": "not", "mod": "%"}
_KEPT: Final = frozenset({"and", "or", "not", "in", "true", "false"})
_SECRET: Final = re.compile(r"secret|token|passw|api_?key|credential", re.IGNORECASE)

_CALLS: Final = {
    "$randomNumber": "rand.int({})",
    "$randomString": "rand.text({})",
}
_UNKNOWN_CALLS: Final = {
    "$randomInt": "rand.int({})",
    "$randomInteger": "rand.int({})",
    "$random": "rand.int({})",
    "$randomIndex": "rand.int(0, ({} | length) - 1)",
    "$randomItem": "rand.choice({})",
    "$randomElement": "rand.choice({})",
    "$randomFrom": "rand.choice({})",
    "$pick": "rand.choice({})",
    "$sample": "rand.choice({})",
    "$randomUUID": "rand.uuid()",
    "$randomUuid": "rand.uuid()",
    "$uuid": "rand.uuid()",
    "$guid": "rand.uuid()",
    "$timestamp": "(now() * 1000) | int",
    "$now": "(now() * 1000) | int",
    "$isoTimestamp": "date()",
    "$randomEmail": "fake.email()",
    "$randomBoolean": "rand.choice([true, false])",
    "$randomString": "rand.text({})",
    "$randomAlphanumeric": "rand.text({})",
}
"""What people write and Artillery doesn't know; what they must have meant."""

_NOT_RUN: Final = (
    "Artillery runs no code in templates, and sends the text; this is what must be meant"
)
_NO_PLUGIN: Final = (
    "the plug-in `fake-data` is not in `config.plugins`: Artillery sends nothing for it"
)
_FAKE: Final = re.compile(
    r"\$(rand|fake|internet|person|location|phone|company|string|datatype|lorem|commerce|finance)"
    r"([A-Z]\w*)"
)
_KNOWN: Final = re.compile(r"'([^'\\\\${}]+)'")
_DEFAULT_ARGUMENTS: Final = {"rand.text({})": "10", "rand.int({})": "0, 100"}


class ArtilleryExpressions:
    """Translates texts at the place where they stand."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test = test

    def text(self, text: str, at: Construct) -> str:
        """Return text with `${…}` for its templates; judges the key at which it stands."""
        return translate(text, _TEMPLATE, lambda inner: _inserted(self.inner(inner, at)))

    def value(self, node: SourceNode, at: Construct) -> object:
        """Return a value as a plan has it; every key below is translated."""
        return templated(node, at, self.text)

    def sent(self, node: SourceNode, at: Construct) -> object:
        """Return a JSON body: what a function gives is a text there, as Artillery sends it."""
        return _as_texts(self.value(node, at))

    def inner(self, inner: str, at: Construct) -> str:
        """Return the expression for what stands inside of a template."""
        if call := _CALL.fullmatch(inner):
            return self._call(call[1], call[2], at)
        if indexed := _INDEXED.fullmatch(inner):
            call = _CALL.fullmatch(indexed[2])
            at.suspicious("Artillery does not call functions inside of `[…]`, and sends nothing")
            if self.test.names.find(indexed[1]) in self.test.draft.data:
                return self._path(indexed[1], "", at)
            index = self._call(call[1], call[2], at) if call else "0"
            return f"{self._path(indexed[1], '', at)}[{index}] | default('')"
        path = _PATH.fullmatch(inner)
        return self._path(path[1], path[2], at) if path else self._meant(inner, at)

    def _meant(self, inner: str, at: Construct) -> str:
        """Return what JavaScript in a template must mean; Artillery sends its text."""
        found = meant_expression(inner)
        item, env = drawn_item(inner), with_default(inner)
        if found is None and item is not None:
            found = self.inner(item, at)
        if found is None and env is not None:
            found = self.environment(env[0], at, {"type": "str", "default": env[1]})
        if found is None:
            at.suspicious("Artillery knows no such template, and sends it as it stands")
            return f"'{_quotable(inner)}'"
        at.suspicious(_NOT_RUN)
        return found

    def condition(self, text: str, at: Construct) -> str | None:
        """Return a condition as a bare expression; None if it isn't one."""
        whole = _TEMPLATE.fullmatch(text.strip())
        if whole is not None:
            return self.inner(whole[1], at)
        parts, end = [], 0
        for found in _TOKEN.finditer(text):
            if found.start() != end:
                return None
            end = found.end()
            parts.append(self._token(found[0], at))
        words = "".join(parts).strip()
        return words if end == len(text) and _is_expression(words) else None

    def _token(self, token: str, at: Construct) -> str:
        operator = _OPERATORS.get(token)
        if operator is not None:
            return f" {operator} " if operator.isalpha() else operator
        if token in _KEPT or not re.match(r"[$A-Za-z_]", token):
            return token
        head, dot, rest = token.partition(".")
        return self._path(head, dot + rest, at)

    def _call(self, name: str, arguments: str, at: Construct) -> str:
        form = _CALLS.get(name)
        if form is None and (made := _made_up(name)) is not None:
            if name.startswith("$fake"):
                at.suspicious(f"Artillery has no function `{name}`; this is what must be meant")
            elif self.test.config("plugins", "fake-data") is None:
                at.suspicious(_NO_PLUGIN)
            return made
        if form is None:
            form = _UNKNOWN_CALLS.get(name) or made_up_value(name.removeprefix("$random"))
            if form is None:
                at.suspicious(f"Artillery has no function `{name}`, and sends nothing for it")
                return "''"
            at.suspicious(f"Artillery has no function `{name}`; this is what must be meant")
        if "{}" not in form:
            return form
        return form.format(self._arguments(arguments, at) or _DEFAULT_ARGUMENTS.get(form, "[]"))

    def _arguments(self, arguments: str, at: Construct) -> str:
        if not arguments.strip() or "{" in arguments:
            return ""
        return self.condition(arguments.strip(), at) or ""

    def _path(self, head: str, rest: str, at: Construct) -> str:
        steps = [f"[{found[2]}]" if found[2] else f".{found[1]}" for found in _STEP.finditer(rest)]
        if head in ("$processEnvironment", "$env") and steps:
            return self.environment(steps[0].strip(".[]'\""), at) + _steps(steps[1:])
        special = self._special(head)
        if special is not None:
            return "''" if special.isdigit() and steps else special + _steps(steps)
        if self.test.names.find(head) is None:
            return self._named(f"{head}{rest}", at)
        found = self._named(head, at)
        param = self.test.names.params.get(found)
        if steps and param is not None and isinstance(param.spec, dict):
            is_whole = param.spec.get("type") in ("list", "json")
            plain = f"({found}{_steps(steps)} | default(''))"
            return f"{found}{_steps(steps)}" if is_whole else plain if len(steps) == 1 else "''"
        return found + _steps(steps)

    def _special(self, head: str) -> str | None:
        if head == "$testId":
            return "run.id"
        for element, number in reversed(self.test.loops):
            if head in ("$loopElement", "$loopCount"):
                return element if head == "$loopElement" else number
        return "rand.uuid()" if head == "$uuid" and self.test.names.find("$uuid") is None else None

    def _named(self, name: str, at: Construct) -> str:
        names = self.test.names
        found = names.find(name)
        if found is not None:
            return found
        if name == "$environment":
            return names.param(name, {"type": "str", "default": "default"})
        meant = _UNKNOWN_CALLS.get(name, "{}")
        if "{}" not in meant:
            at.suspicious(f"Artillery knows no `{name}`, and sends nothing; this is what is meant")
            names.mean(name, meant)
            return meant
        is_lost = self.test.processor and self.test.functions is None
        at.needs_you(self._unset(name)) if is_lost else at.suspicious(self._unset(name))
        return names.param(name, {"type": "str", "default": ""}, notes=[self._unset(name)])

    def _unset(self, name: str) -> str:
        if self.test.processor and self.test.functions is None:
            return f"`{name}` comes from JavaScript: give it a value, or set it in a step before"
        return f"nothing sets `{name}`, so nothing is sent for it"

    def environment(
        self, variable: str, at: Construct, spec: dict[str, object] | None = None
    ) -> str:
        """Return the param that an environment variable sets."""
        key = f"$env.{variable}"
        found = self.test.names.find(key)
        if found is None:
            wanted = spec or {"type": "str"}
            if _SECRET.search(variable) and spec is None:
                wanted = {**wanted, "env": variable, "secret": True}
            else:
                wanted = {"default": "", **wanted, "env": variable}
            found = self.test.names.reserve(variable)
            # As the original does, so there is nothing to do but to know it.
            note = f"the environment variable `{variable}` sets it, as it does for Artillery"
            self.test.names.params[found] = _param(wanted, note)
            self.test.names.mean(key, found)
        return found


def _inserted(expression: str) -> str:
    """Return what inserts an expression into text; a text that is known stands there itself."""
    found = _KNOWN.fullmatch(expression)
    return found[1] if found else f"${{{expression}}}"


def _made_up(name: str) -> str | None:
    """Return what a function of the plug-in `fake-data` makes up: `$randCity`, `$locationCity`."""
    if name in ("$randNumber", "$numberInt"):
        return f"rand.int(0, {2**53 - 1})"
    found = _FAKE.fullmatch(name)
    if found is None:
        return None
    return made_up_value(found[0][1:]) or made_up_value(found[2])


def _param(spec: dict[str, object], note: str) -> DraftParam:
    order = ("type", "default", "env", "secret")
    return DraftParam({key: spec[key] for key in order if key in spec}, notes=[note])


def _steps(steps: list[str]) -> str:
    """Return what follows a name; keys that no dot can take stand in brackets."""
    return "".join(
        step if step[0] == "[" or re.fullmatch(r"\.[A-Za-z_]\w*", step) else _index(step[1:])
        for step in steps
    )


def _index(key: str) -> str:
    return f"[{key}]" if key.isdigit() else f"['{_quotable(key)}']"


def _is_expression(words: str) -> bool:
    """Say whether words can be read as an expression, or as several with commas."""
    try:
        Environment(autoescape=True).compile_expression(f"[{words}]")
    except TemplateSyntaxError:
        return False
    return bool(words)


def _quotable(text: str) -> str:
    return re.sub(r"[^\w .:/-]", "", text)


_FUNCTION_ALONE: Final = re.compile(r"\$\{(rand\.int\([^{}]*\))\}")


def _as_texts(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_texts(one) for one in value]
    if isinstance(value, str) and (found := _FUNCTION_ALONE.fullmatch(value)):
        return f"${{{found[1]} | string}}"
    return value
