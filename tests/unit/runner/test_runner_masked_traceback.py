"""A worker that fails, as nobody foresaw or for what it lacks: what the others hear of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from planrunner.compiler.load.selection import PlanSelection
from planrunner.compiler.source import GraphSource
from planrunner.engine.workers.messages import Assignment, Broken
from planrunner.language.diagnostics import Code, Diagnostic, PlanError, Span
from planrunner.plan.bundle import Bundle
from planrunner.plan.params.resolve import ParamSources
from planrunner.results.exit_codes import ExitCode
from planrunner.runner import worker_main as worker
from tests.support.plans import plan_text


class MemoryTransport:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)


def test_the_traceback_of_a_worker_holds_no_secret(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes to the stderr that all processes of a run share."""
    params = """
        params:
          token: {type: str, env: TOKEN, secret: true}
          made: {type: str, default: "${token[:4]}-derived"}
    """
    bundle = Bundle("plan.yaml", {"plan.yaml": plan_text(params)})
    sources = ParamSources(environ={"TOKEN": "swordfish"})
    source = GraphSource(bundle, sources, PlanSelection(), 1, {}, tmp_path)
    transport = MemoryTransport()

    async def fail(*_: object) -> None:
        raise RuntimeError("unforeseen: swordfish, swor-derived")

    monkeypatch.setattr(worker, "_serve", fail)
    assignment = Assignment(cast("Any", None), {}, source)

    code = asyncio.run(worker._carry_out(assignment, cast("Any", transport)))

    assert code == ExitCode.INTERNAL_ERROR
    assert [type(message) for message in transport.sent] == [Broken]
    assert "RuntimeError: unforeseen: ***, ***" in capsys.readouterr().err


def test_what_a_worker_lacks_is_said_with_its_place(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan has an error only here, where a package is missing: so nobody else says which."""
    missing = Diagnostic(
        Span("plan.yaml", 4, 56, 4, 60), Code.NOT_AVAILABLE, "`fake` needs the package faker", "pip"
    )
    other = replace(missing, span=Span("plan.yaml", 5, 1, 5, 2), message="`css` needs lxml")
    source = GraphSource(
        Bundle("plan.yaml", {}), ParamSources(environ={}), PlanSelection(), 1, {}, tmp_path
    )
    transport = MemoryTransport()

    async def fail(*_: object) -> None:
        raise PlanError([other, missing])

    monkeypatch.setattr(worker, "_serve", fail)
    assignment = Assignment(cast("Any", None), {}, source)

    asyncio.run(worker._carry_out(assignment, cast("Any", transport)))

    words = "plan.yaml:4:56: `fake` needs the package faker (and 1 more error)"
    assert transport.sent == [Broken(words, "pip")]
