"""docs/reference/python.md, made from the docstrings of what `planrunner` exports."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from textwrap import dedent
from typing import Final

import planrunner
from planrunner.values import dataclass

__all__ = ["python_page"]

_INTRODUCTION: Final = """\
# Reference: Python

`import planrunner` gives these names, and nothing is imported before it is used.
They are typed; a run from Python prints nothing, installs no signal handler and ends no process.
[Use planrunner from Python](../how-to/use-from-python.md) has examples.
`planrunner schema python` prints this page.
"""

_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Run plans": ("run", "run_async", "stream", "RunStream", "RunSecond", "LiveFigures"),
    "Load one URL": ("load_test", "stress_test", "StressResult"),
    "Results": (
        "load",
        "compare",
        "Result",
        "Figures",
        "PhaseFigures",
        "FiguresByName",
        "SeriesFigures",
        "FailedRequests",
        "RunComparison",
        "ComparedRuns",
        "Elapsed",
    ),
    "Plans": ("Plan", "User", "UserReply"),
    "Measure your own code": ("benchmark", "benchmark_async", "Benchmark", "Collector"),
    "The bridge": (
        "PerformanceClient",
        "K6Adapter",
        "LocustAdapter",
        "ApacheBenchAdapter",
        "MetricsCollector",
        "BenchmarkRunner",
        "BenchmarkResult",
    ),
    "Exceptions": (
        "PlanrunnerError",
        "PlanError",
        "Diagnostic",
        "UsageError",
        "PackageMissing",
        "CannotRun",
        "ResultLost",
        "Interrupted",
    ),
}
_KEYWORDS: Final[Mapping[str, str]] = {
    "PlanKeywords": "`run`, `run_async`, `stream`, `Plan.validate` and `Plan.explain` take these.",
    "CallKeywords": "`run`, `run_async`, `stream`, `load_test` and `stress_test` take these.",
    "RunKeywords": "`run`, `run_async` and `stream` also take this.",
    "SendKeys": "Requests of a `User` take these.",
    "RequestKeywords": "`load_test` and `stress_test` also take these.",
    "BenchmarkKeywords": "`benchmark` and `benchmark_async` take these.",
}
_HEAD: Final = re.compile(r"(Args|Attributes|Raises|Returns|Example):")
_TITLES: Final = {"Args": "Arguments", "Attributes": "Attributes", "Raises": "Raises"}
_ENTRY: Final = re.compile(r"(\*{0,2}\w+): (.*)")


def python_page() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_lines()]).rstrip() + "\n"


def _lines() -> Iterator[str]:
    for title, names in _SECTIONS.items():
        yield f"## {title}\n"
        for name in names:
            found: object = getattr(planrunner, name)
            yield from _class(found) if isinstance(found, type) else _function(name, found)
        if title == "Run plans":
            yield from _keywords()
        elif title == "Plans":
            yield from _keywords_in("planrunner.python.tasks.user")


def _keywords() -> Iterator[str]:
    yield "### Keywords\n"
    yield from _keywords_in("planrunner.python.keywords")


def _keywords_in(module: str) -> Iterator[str]:
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name in _KEYWORDS:
            yield f"{_KEYWORDS[node.name]}\n"
            yield from _table("keyword", _fields(node))


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Yield the name, type and meaning of each field that a text below it describes."""
    for field, said in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(said, ast.Expr)
            and isinstance(said.value, ast.Constant)
        ):
            yield field.target.id, ast.unparse(field.annotation), str(said.value.value)


def _table(kind: str, rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield f"| {kind} | type | meaning |"
    yield "|---|---|---|"
    for name, annotation, meaning in rows:
        cells = (f"`{name}`", f"`{annotation}`" if annotation else "", _line(meaning))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _function(name: str, found: object) -> Iterator[str]:
    node = _node(found)
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    yield f"### planrunner.{name}\n"
    yield from _described(_signature(node, name), ast.get_docstring(node) or "")


def _class(found: type) -> Iterator[str]:
    node = _node(found)
    assert isinstance(node, ast.ClassDef)
    yield f"### planrunner.{found.__name__}\n"
    base = next((one for one in found.__mro__[1:] if one.__name__ in planrunner.__all__), None)
    if base is not None:
        yield f"A kind of [`{base.__name__}`](#planrunner{base.__name__.lower()}).\n"
    begin = _constructor(node)
    yield from _described(begin, ast.get_docstring(node) or "")
    members = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    public = [one for one in members if not one.name.startswith("_")]
    if properties := [one for one in public if _is_property(one)]:
        yield from _table("property", map(_property, properties))
    for member in public:
        if member not in properties:
            yield f"#### {found.__name__}.{member.name}\n"
            shown = f"{found.__name__}.{member.name}"
            yield from _described(_signature(member, shown), ast.get_docstring(member) or "")


def _constructor(node: ast.ClassDef) -> str:
    """Return how to make one; empty for what only planrunner makes."""
    described = _parsed(ast.get_docstring(node) or "").parts
    for member in node.body:
        if (
            isinstance(member, ast.FunctionDef)
            and member.name == "__init__"
            and "Args" in described
        ):
            return _signature(member, node.name).removesuffix(" -> None")
    return ""


def _property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, str, str]:
    returned = ast.unparse(node.returns) if node.returns else ""
    return node.name, returned, _parsed(ast.get_docstring(node) or "").words


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> str:
    arguments = node.args
    receivers = [one for one in arguments.args[:1] if one.arg in ("self", "cls")]
    shown = ast.unparse(arguments)
    if receivers:
        shown = re.sub(r"^(self|cls)(, )?", "", shown)
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    lead = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    text = f"{lead}{name}({shown}){returned}"
    if len(text) <= 96:
        return text
    parts = ast.parse(f"def f({shown}): ...").body[0]
    assert isinstance(parts, ast.FunctionDef)
    inside = "".join(f"    {part},\n" for part in _parts(parts.args))
    return f"{lead}{name}(\n{inside}){returned}"


def _parts(arguments: ast.arguments) -> Iterator[str]:
    """Yield the parameters one by one."""
    plain = len(arguments.args) - len(arguments.defaults)
    for index, one in enumerate(arguments.args):
        default = arguments.defaults[index - plain] if index >= plain else None
        yield _parameter(one, default)
    if arguments.kwonlyargs:
        yield "*"
    for one, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(one, given)
    if arguments.kwarg is not None:
        yield f"**{_parameter(arguments.kwarg, None)}"


def _parameter(one: ast.arg, default: ast.expr | None) -> str:
    shown = ast.unparse(one)
    return shown if default is None else f"{shown} = {ast.unparse(default)}"


@dataclass(frozen=True, slots=True)
class _Docstring:
    """What a docstring says: its paragraphs, the entries of its sections, and an example."""

    words: str
    example: str
    parts: Mapping[str, tuple[tuple[str, str], ...]]


def _described(signature: str, docstring: str) -> Iterator[str]:
    if signature:
        yield f"```text\n{signature}\n```\n"
    said = _parsed(docstring)
    yield f"{said.words}\n"
    for part, title in _TITLES.items():
        if entries := said.parts.get(part):
            yield f"{title}:\n"
            yield from (f"- `{name}`: {_line(meaning)}" for name, meaning in entries)
            yield ""
    if said.example:
        yield f"Example:\n\n```pycon\n{said.example}\n```\n"


def _parsed(docstring: str) -> _Docstring:
    words: list[str] = []
    example: list[str] = []
    parts: dict[str, list[list[str]]] = {}
    section = ""
    for line in docstring.splitlines():
        if head := _HEAD.fullmatch(line):
            section = head[1]
            parts[section] = []
        elif not section:
            words.append(line)
        elif section == "Example":
            example.append(line.removeprefix("    "))
        elif entry := _ENTRY.fullmatch(line.removeprefix("    ")):
            parts[section].append([entry[1], entry[2]])
        elif line.strip() and parts[section]:
            parts[section][-1][1] += f" {line.strip()}"
    paragraphs = "\n".join(words).strip().split("\n\n")
    return _Docstring(
        "\n\n".join(_sentences(paragraph) for paragraph in paragraphs),
        "\n".join(example).strip(),
        {name: tuple((one, said) for one, said in entries) for name, entries in parts.items()},
    )


def _sentences(paragraph: str) -> str:
    """Return a paragraph on one line, unless it is a block of code or a list."""
    return paragraph if re.match(r"```|- ", paragraph) else _line(paragraph)


def _line(text: str) -> str:
    return " ".join(dedent(text).split())


def _node(found: object) -> ast.stmt:
    module, name = inspect.getmodule(found), getattr(found, "__name__", "")
    assert module is not None
    named = [node for node in _tree(module.__name__).body if getattr(node, "name", "") == name]
    return named[-1]  # the first ones of several are its overloads


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))
