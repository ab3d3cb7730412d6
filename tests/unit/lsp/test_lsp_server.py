"""What a server keeps of what an editor tells."""

from __future__ import annotations

import sys
from pathlib import Path
from queue import SimpleQueue

import pytest
from lsprotocol import types

from planrunner.cli.commands.validate import examine
from planrunner.cli.plan_options import PlanOptions
from planrunner.compiler.checked import Checked, Examined
from planrunner.lsp.documents.checking import GoOn, OutdatedCheck
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

    def check(path: Path, text: str, go_on: GoOn) -> Examined:
        checked.put(text)
        return examine(path, PlanOptions(), text=text, go_on=go_on)

    try:
        make_server(check, lambda: prepared.put(None))
        found = examine(Path("plan.yaml"), PlanOptions(), text=checked.get(timeout=60))
        prepared.get(timeout=60)
    finally:
        sys.setswitchinterval(interval)

    assert not found.checked.faults
    assert found.graph is not None


@pytest.mark.parametrize("fault", ["", "seeed: 1"])
def test_a_check_of_an_older_text_ends_at_the_next_step(fault: str) -> None:
    """Of what is sound in an invalid plan, too."""
    text = f"name: a\nusers: {{A: {{steps: [get: http://localhost]}}}}\nstages: 1s:1\n{fault}\n"

    def go_on() -> None:
        raise OutdatedCheck

    with pytest.raises(OutdatedCheck):
        examine(Path("plan.yaml"), PlanOptions(), text=text, go_on=go_on)
