"""What a server keeps of what an editor tells."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

import pytest
from lsprotocol import types

from planrunner.cli.commands.validate import examine
from planrunner.cli.plan_options import PlanOptions
from planrunner.compiler.checked import Checked, Examined
from planrunner.language.pausing import asked_by_computation, go_on
from planrunner.lsp.documents import checking
from planrunner.lsp.documents.checking import Checking, OutdatedCheck, TypedPlan
from planrunner.lsp.server import make_server


def test_what_an_editor_tells_leaves_nothing_behind() -> None:
    """A server lives for days, and each key is a notification."""
    interval = sys.getswitchinterval()
    try:
        server = make_server(lambda *_: Examined(Checked(())))
        for _ in range(3):
            told = types.SetTraceParams(types.TraceValue.Off)
            server.protocol._handle_notification(types.SET_TRACE, told)
    finally:
        sys.setswitchinterval(interval)

    assert server.protocol._request_futures == {}


def test_a_server_checks_a_plan_before_it_gets_one() -> None:
    """What checks import is there when the first plan is opened, and collected as garbage never."""
    checked, prepared = SimpleQueue[str](), SimpleQueue[None]()
    interval = sys.getswitchinterval()

    def check(path: Path, text: str) -> Examined:
        checked.put(text)
        return examine(path, PlanOptions(), text=text)

    try:
        make_server(check, lambda: prepared.put(None))
        found = examine(Path("plan.yaml"), PlanOptions(), text=checked.get(timeout=60))
        prepared.get(timeout=60)
    finally:
        sys.setswitchinterval(interval)

    assert not found.checked.faults
    assert found.graph is not None


@pytest.mark.parametrize("fault", ["", "seeed: 1"])
def test_a_check_of_an_older_text_ends_wherever_it_is(fault: str) -> None:
    """It asks while it reads the text, while it reads mappings, and at each step."""
    steps = "[get: http://localhost, get: http://localhost/a]"
    text = f"name: a\nusers: {{A: {{steps: {steps}}}}}\nstages: 1s:1\n{fault}\n"
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    def end() -> None:
        nonlocal asked
        asked -= 1
        if not asked:
            raise OutdatedCheck

    with asked_by_computation(count):
        examine(Path("plan.yaml"), PlanOptions(), text=text)
    assert asked >= 16

    with pytest.raises(OutdatedCheck), asked_by_computation(end):
        examine(Path("plan.yaml"), PlanOptions(), text=text)
    assert asked == 0


def test_a_check_waits_while_a_question_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_MOST_WAITING_S", 60.0)
    begun = threading.Event()
    done: list[str] = []

    def check(plan: TypedPlan) -> str:
        begun.set()
        go_on()
        done.append(plan.text)
        return plan.text

    async def ask() -> None:
        told = asyncio.Event()
        checks = Checking(check, lambda plan, found: told.set(), lambda plan, error: None)
        with checks.waiting():
            checks.begin(TypedPlan("file:///a.yaml", Path("a.yaml"), "text"), pause_s=0)
            await asyncio.to_thread(begun.wait, 60)
            assert done == []
        await asyncio.wait_for(told.wait(), 60)
        checks.close()

    asyncio.run(ask())
    assert done == ["text"]
