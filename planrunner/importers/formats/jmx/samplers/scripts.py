"""Scripts: what only sets and logs becomes steps, the rest a function to be written.

Nothing of a script is ever run. A function's stub has the original as its comment, and raises
until somebody writes it, so no run is green without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.jmx.elements import JmxElement, JmxProperty
from planrunner.importers.formats.jmx.texts.conditions import expression_of
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.formats.jmx.texts.variables import JmxValue
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.shaping.hook_file import HookFile, to_write
from planrunner.importers.templates import identifier
from planrunner.values import dataclass

__all__ = ["JmxHooks", "is_script", "script_names"]

_KINDS: Final = re.compile(
    r"(?:JSR223|BeanShell|BSF)(?:Sampler|PreProcessor|PostProcessor|Assertion)"
)
_SOURCES: Final = ("script", "BeanShellSampler.query", "BSFSampler.query", "query")
_PUT: Final = re.compile(r"\b(vars|props)\.put(?:Object)?\s*\(\s*[\"']([^\"'$]+)[\"']\s*,")
_GET: Final = re.compile(r"\bvars\.get(?:Object)?\s*\(\s*[\"']([^\"'$]+)[\"']\s*\)|\$\{(\w+)\}")
_COMMENT: Final = re.compile(r"/\*.*?\*/|(?<![:\"'/])//[^\n]*", re.DOTALL)
_END: Final = re.compile(r";[ \t]*(?:\n|$)|\n|;\s*(?=vars\.|log\.|props\.)")
_LONGEST: Final = 4_000
_STATEMENTS: Final = (
    (
        re.compile(
            r"(?:vars|props)\.put(?:Object)?\s*\(\s*[\"']([^\"'$]+)[\"']\s*,\s*(.+)\)", re.DOTALL
        ),
        "put",
    ),
    (
        re.compile(
            r"(?:log\.(?:info|debug|warn|error)|(?:OUT|System\.out)\.println|println?)\s*\((.*)\)",
            re.DOTALL,
        ),
        "log",
    ),
    (
        re.compile(
            r"(?:(?:def|var|String|int|long|Integer|Long)\s+)?([A-Za-z_]\w*)\s*=\s*([^=].*)",
            re.DOTALL,
        ),
        "local",
    ),
)


def is_script(element: JmxElement) -> bool:
    """Say whether an element is a script that a plan can call."""
    return _KINDS.fullmatch(element.kind) is not None


def script_names(element: JmxElement) -> Iterator[str]:
    """Yield the variables that a script sets; `property NAME` for a property."""
    for found in _PUT.finditer(_COMMENT.sub("", _source(element)[1])):
        yield found[2] if found[1] == "vars" else f"property {found[2]}"


def _source(element: JmxElement) -> tuple[JmxProperty | None, str]:
    for name, prop in element.properties.items():
        if name in _SOURCES or name.endswith(".query"):
            return prop, prop.text
    return None, ""


@dataclass(slots=True)
class JmxHooks:
    """The functions that a plan calls for scripts."""

    draft: DraftPlan
    files: KeptFiles
    _file: HookFile = field(init=False)
    _by_place: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        title = "What the scripts of the JMeter test plan did; write each function."
        self._file = HookFile(self.draft, title)

    def steps(
        self, element: JmxElement, resolver: JmxResolver, *, after_reply: bool
    ) -> list[DraftStep]:
        """Return the steps that do what a script does."""
        element.settle()
        prop, source = _source(element)
        for name in ("scriptLanguage", "parameters", "filename"):
            element.take(name)
        for one in element.properties.values():
            if one.name.endswith((".filename", ".parameters", ".language")):
                one.read()
        if not source.strip():
            return self._from_file(element, resolver, after_reply=after_reply)
        assert prop is not None
        simple = _simple_steps(source, resolver, prop)
        if simple is not None:
            prop.construct.translated()
            origin = element.construct.place
            return [DraftStep(body, origin=origin) for body in simple]
        return self._stub(element, source, resolver, after_reply=after_reply)

    def _from_file(
        self, element: JmxElement, resolver: JmxResolver, *, after_reply: bool
    ) -> list[DraftStep]:
        name = element.peek("filename") or next(
            (one.text for key, one in element.properties.items() if key.endswith(".filename")), ""
        )
        if not name.strip():
            return []
        source = self.files.text(name) or f"the script {name}"
        return self._stub(element, source, resolver, after_reply=after_reply)

    def _stub(
        self, element: JmxElement, source: str, resolver: JmxResolver, *, after_reply: bool
    ) -> list[DraftStep]:
        reads = dict.fromkeys(one[1] or one[2] for one in _GET.finditer(source))
        has_reply = after_reply and resolver.variables.has_reply
        args: Keys = {"body": "${body}", "status": "${status}"} if has_reply else {}
        for raw in reads:
            value = resolver.variables.find(raw)
            if value is not None and raw.isidentifier():
                args[identifier(raw, args)] = f"${{{value.code}}}"
        name = self._name(element, source, args)
        why = to_write(name)
        for one in element.constructs():
            if one is element.construct or one.words in _SOURCES or one.words.endswith(".query"):
                one.needs_you(why)
        call: Keys = {"call": name, **({"args": args} if args else {})}
        sets = list(dict.fromkeys(script_names(element)))
        if sets:
            call["as"] = resolver.variables.plan.names.name(f"result of {name}")
        body: Keys = {"python": call}
        if element.kind.endswith("Sampler"):
            body |= {"name": element.name or name, "measure": True}
        origin = element.construct.place
        steps = [DraftStep(body, origin=origin)]
        if sets:
            found = {
                resolver.variables.set(raw): f"${{{call['as']}.{identifier(raw)}}}" for raw in sets
            }
            steps.append(DraftStep({"set": found}, origin=origin))
        return steps

    def _name(self, element: JmxElement, source: str, args: Keys) -> str:
        key = id(element)
        if key not in self._by_place:
            sets = [identifier(one) for one in dict.fromkeys(script_names(element))]
            place = str(element.construct.place)
            wanted = element.name or element.kind
            self._by_place[key] = self._file.stub(
                wanted, "\n".join(source.splitlines()), args, place, sets
            )
        return self._by_place[key]


def _simple_steps(source: str, resolver: JmxResolver, prop: JmxProperty) -> list[Keys] | None:
    """Return the steps of a script that only sets and logs; None for any other."""
    if len(source) > _LONGEST:
        return None
    steps: list[Keys] = []
    local: dict[str, JmxValue] = {}
    for piece in _END.split(_COMMENT.sub("", source)):
        text = piece.strip().rstrip(";").strip()
        if not text or text.startswith("import ") or text == "SampleResult.setIgnore()":
            continue
        step = _statement(text, resolver, prop, local)
        if step is None:
            return None
        steps += [step] if step else []
    return steps


def _statement(
    text: str, resolver: JmxResolver, prop: JmxProperty, local: dict[str, JmxValue]
) -> Keys | None:
    """Return the step of one statement, empty for a name of the script; None for any other."""
    for pattern, kind in _STATEMENTS:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        value = expression_of(found[found.re.groups], resolver, prop.construct, local)
        if value is None:
            return None
        if kind == "log":
            return {"log": f"${{{value.code}}}"}
        if kind == "local":
            local[found[1]] = value
            return {}
        raw = found[1] if text.startswith("vars") else f"property {found[1]}"
        return {"set": {resolver.variables.set(raw): f"${{{value.code}}}"}}
    return None
