"""What a test plan is made of beside samplers: settings, controllers, computed values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.jmx.elements import argument, collection, element, element_lines, prop
from planrunner.exporters.jmx.texts import in_text
from planrunner.exporters.scripts.language import CanNotWrite
from planrunner.language.fields.text import parse_text

__all__ = [
    "action_lines",
    "as_groovy",
    "controller_lines",
    "drawn_place",
    "header_lines",
    "plan_lines",
    "request_defaults",
    "variable_lines",
]


_COUNTED: Final = re.compile(
    r"\$\{__(?:Random|time|jexl3)\([^'\"]*(?:vars\.get\('\w+'\)[^'\"]*)*\)\}"
)
"""What gives a number, or a text of no quotes."""


def plan_lines(name: str) -> list[str]:
    """Return the lines of a test plan."""
    variables = element(
        "TestPlan.user_defined_variables", "Arguments", [*collection("Arguments.arguments", [])]
    )
    lines = [
        prop("TestPlan.functional_mode", value=False),
        prop("TestPlan.serialize_threadgroups", value=False),
        prop("TestPlan.tearDown_on_shutdown", value=True),
        *variables,
    ]
    return [*element_lines("TestPlan", name, lines)]


def variable_lines(name: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Return the lines of variables."""
    arguments = [argument(key, text, is_http=False) for key, text in pairs]
    return element_lines("Arguments", name, [*collection("Arguments.arguments", arguments)])


def header_lines(name: str, headers: dict[str, str]) -> Iterator[str]:
    """Return the lines of headers."""
    items = [
        element("", "Header", [prop("Header.name", key), prop("Header.value", text)])
        for key, text in headers.items()
    ]
    return element_lines("HeaderManager", name, [*collection("HeaderManager.headers", items)])


def action_lines(action: int, name: str, *, target: int = 0, duration: str = "0") -> list[str]:
    """Return the lines of what pauses, stops or goes on."""
    words = {
        "ActionProcessor.action": action,
        "ActionProcessor.target": target,
        "ActionProcessor.duration": duration,
    }
    return [*element_lines("TestAction", name, words)]


def controller_lines(kind: str, codes: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a controller.

    Raises:
        CanNotWrite: There is no such controller.
    """
    match kind:
        case "if":
            words = {
                "IfController.condition": in_text(codes[0]),
                "IfController.evaluateAll": False,
                "IfController.useExpression": True,
            }
            yield from element_lines("IfController", "if", words)
        case "while":
            words = {"WhileController.condition": in_text(codes[2])}
            yield from element_lines("WhileController", "while", words)
        case "repeat":
            loops = {"LoopController.continue_forever": True, "LoopController.loops": codes[1]}
            yield from element_lines("LoopController", f"{codes[1]} times", loops)
        case "foreach":
            words = {
                "ForeachController.inputVal": codes[0],
                "ForeachController.returnVal": codes[1],
                "ForeachController.useSeparator": True,
            }
            yield from element_lines("ForeachController", f"each {codes[1]}", words)
        case _:
            raise CanNotWrite("JMeter has no such controller")


def drawn_place(weights: Sequence[int], variable: str) -> str:
    """Return JEXL that gives the place of a weight, drawn as often as it says."""
    if len(weights) == 1:
        return "0"
    drawn, up_to, code = f"${{__Random(1,{sum(weights)},{variable})}}", 0, ""
    for place, weight in enumerate(weights[:-1]):
        up_to += weight
        value = f"vars.get('{variable}')" if place else drawn
        code += f"{value} <= {up_to} ? {place} : "
    return f"{code}{len(weights) - 1}"


def as_groovy(text: str) -> str:
    """Return a text of JMeter as an expression of Groovy."""
    parts = re.split(r"\$\{(\w+)\}", text)
    if "${" in "".join(parts[::2]):
        quotes = "'" if _COUNTED.fullmatch(text) else '"""'
        return f"{quotes}{text}{quotes}"
    codes = [
        f"vars.get('{part}')" if number % 2 else "'" + _in_quotes(part) + "'"
        for number, part in enumerate(parts)
        if part
    ]
    return " + ".join(codes) or "''"


def _in_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


def request_defaults(
    written: str, request: ExportRequest, text: Callable[[str], str]
) -> tuple[dict[str, object], list[tuple[str, str]], str]:
    """Return the defaults of requests, the variables that they read, and what paths begin with."""
    written = written or "http://localhost"
    parts = parse_text(written).parts
    first = parts[0]
    if isinstance(first, str):
        found = _ORIGIN.fullmatch(text(written))
        if found is None:
            raise CanNotWrite("the base URL is no `http://host:port`")
        return _words((found[1], found[2], found[3] or "")), [], (found[4] or "").rstrip("/")
    rest = "".join(one if isinstance(one, str) else f"${{{one.source}}}" for one in parts[1:])
    param = request.plan.params.get(first.source.strip())
    name = first.source.strip().removeprefix("services.").replace(".", "_").replace("-", "_")
    url = urlsplit(str(param.value) if param is not None else "http://localhost:8080")
    values = (url.scheme, url.hostname or "", str(url.port or ""))
    keys = [f"{name}_{one}" for one in ("protocol", "host", "port")]
    pairs = [(key, f"${{__P({key},{value})}}") for key, value in zip(keys, values, strict=True)]
    texts = (f"${{{keys[0]}}}", f"${{{keys[1]}}}", f"${{{keys[2]}}}")
    return _words(texts), pairs, (url.path + (text(rest) if rest else "")).rstrip("/")


_ORIGIN: Final = re.compile(
    r"(https?)://((?:[^/:$]|\$\{[^}]*\})+)(?::((?:\d|\$\{[^}]*\})+))?(/.*)?", re.DOTALL
)


def _words(values: tuple[str, str, str]) -> dict[str, object]:
    return {
        "HTTPSampler.protocol": values[0],
        "HTTPSampler.domain": values[1],
        "HTTPSampler.port": values[2],
    }
