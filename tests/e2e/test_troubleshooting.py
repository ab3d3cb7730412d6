"""docs/how-to/troubleshooting.md quotes what planrunner prints, word for word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from planrunner.language.diagnostics import Code
from planrunner.metrics.judging.verdict import Verdict
from planrunner.protocols.base import FailureKind
from planrunner.results.exit_codes import ExitCode
from tests.support.doc_pages import ROOT, blocks_of
from tests.support.doc_walks import alike
from tests.support.plans import PlanProject

PAGE: Final = ROOT / "docs" / "how-to" / "troubleshooting.md"
TEXT: Final = PAGE.read_text("utf-8")
MESSAGES: Final = [line for block in blocks_of(PAGE) for line in block.text.splitlines()]
_PREFIX: Final = r"(?:\S+:\d+:\d+: )?(?:error(?:\[(?P<code>[\w-]+)\])?|hint|note|notice): |^\* "
_LEAST_LITERAL: Final = 0.3
"""Of a quoted message; less would match anything."""


def templates() -> Iterator[tuple[re.Pattern[str], int]]:
    """Yield the texts of the code as patterns, each with how much of it is literal."""
    for module in sorted((ROOT / "planrunner").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            parts: list[str | None] = []
            match node:
                case ast.JoinedStr(values=values):
                    parts = [one.value if isinstance(one, ast.Constant) else None for one in values]
                case ast.Constant(value=str(text)):
                    parts = [text]
            literal = sum(len(part) for part in parts if part)
            if literal >= 8:
                pattern = "".join(".*" if part is None else re.escape(part) for part in parts)
                yield re.compile(pattern), literal


TEMPLATES: Final = tuple(templates())


def bare(message: str) -> str:
    return re.sub(_PREFIX, "", message, count=1)


def is_one_text(message: str) -> bool:
    """Whether the code has the message in one piece, but for the values in it."""
    return any(
        literal >= _LEAST_LITERAL * len(message) and pattern.fullmatch(message)
        for pattern, literal in TEMPLATES
    )


COMPOSED: Final = [line for line in map(bare, MESSAGES) if not is_one_text(line)]


def plan(*lines: str) -> str:
    given = {line.split(":")[0] for line in lines}
    default = {
        "name": "name: shop",
        "http": 'http: {base_url: "http://127.0.0.1:1"}',
        "users": "users: {Visitor: {tasks: [{get: /}]}}",
        "phases": "phases: [{users: 1, iterations: 2}]",
    }
    return "\n".join([*lines, *(line for key, line in default.items() if key not in given)])


SCENARIOS: Final = {
    "a param without a value": plan("params: {token: {type: str, env: TOKEN}}"),
    "no target": plan(),
    "no program": plan("services: {api: {run: no-such-program, port: auto}}"),
    "never ready": plan(
        "services: {api: {run: sleep 60, ready: {tcp: '127.0.0.1:1', timeout: 100ms}}}"
    ),
    "ends at once": plan("services: {api: {run: sh -c 'echo no database; exit 1', port: auto}}"),
    "nothing to extract": plan(
        "services: {shop: {demo: shop}}",
        'http: {base_url: "${services.shop.url}"}',
        "users: {A: {steps: [{get: /products/7, name: look, extract: {id: $.nothing}}]}}",
    ),
}
"""Plans that make planrunner print what it composes of several texts."""


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_composed_message_is_printed(scenario: str, project: PlanProject) -> None:
    """Each plan makes one of them; together they make all."""
    project.write({"plan.yaml": SCENARIOS[scenario]})

    ended = project.run("execute", "plan.yaml")

    printed = alike(f"it says {ended.out} {ended.err}".replace("\n", " "))
    shown = [line for line in COMPOSED if _pattern(line).search(printed)]
    assert shown, f"none of {COMPOSED} in {printed}"


def test_every_composed_message_has_a_plan() -> None:
    """A message in one piece needs none."""
    assert len(COMPOSED) == len(SCENARIOS), COMPOSED


def _pattern(message: str) -> re.Pattern[str]:
    """Return a pattern of a message whose names, numbers and addresses are examples."""
    text = re.escape(alike(message))
    return re.compile(re.sub(r"`[^`]*`", "`[^`]*`", text.replace("\\#", "#")))


def test_codes_of_diagnostics_exist() -> None:
    """Their sections are in docs/reference/diagnostics.md."""
    named = {found["code"] for line in MESSAGES if (found := re.match(_PREFIX, line))} - {None}

    assert named
    assert named <= {code.value for code in Code}


def test_every_exit_code_has_a_line() -> None:
    """And 127, which is the shell's."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}

    assert listed == {int(code) for code in ExitCode} | {127}


def test_kinds_of_failures_and_verdicts_exist() -> None:
    """Of those only what people ask about is on the page."""
    section = TEXT.partition("## Requests fail")[2].partition("###")[0]
    kinds = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)))

    assert set(kinds) <= {kind.value for kind in FailureKind}
    assert {"no data", "fail", "n/a"} <= {verdict.value.replace("_", " ") for verdict in Verdict}
