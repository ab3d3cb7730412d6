"""docs/how-to/troubleshooting.md quotes what planrunner prints, word for word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
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


def templates() -> Iterator[list[str | None]]:
    """Yield the texts of the code in pieces, None where a value stands."""
    for module in sorted((ROOT / "planrunner").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            match node:
                case ast.JoinedStr(values=values):
                    yield [one.value if isinstance(one, ast.Constant) else None for one in values]
                case ast.Constant(value=str(text)):
                    yield [text]


def bare(message: str) -> str:
    return re.sub(_PREFIX, "", message, count=1)


def is_one_text(message: str, parts: list[str | None]) -> bool:
    """Whether the code has the message in these pieces, but for the values between them."""
    texts = [part for part in parts if part]
    literal = sum(map(len, texts))
    if literal < max(8, _LEAST_LITERAL * len(message)) or any(
        text not in message for text in texts
    ):
        return False
    pattern = "".join(".*" if part is None else re.escape(part) for part in parts)
    return re.fullmatch(pattern, message) is not None


@cache
def composed() -> list[str]:
    """Return the messages that the code has in several pieces."""
    code = list(templates())
    messages = map(bare, MESSAGES)
    return [line for line in messages if not any(is_one_text(line, parts) for parts in code)]


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
    shown = [line for line in composed() if _pattern(line).search(printed)]
    assert shown, f"none of {composed()} in {printed}"


@pytest.mark.slow
def test_every_composed_message_has_a_plan() -> None:
    """A message in one piece needs none."""
    assert len(composed()) == len(SCENARIOS), composed()


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
