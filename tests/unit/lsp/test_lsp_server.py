"""What a server keeps of what an editor tells."""

from __future__ import annotations

import sys

from lsprotocol import types

from planrunner.compiler.checked import Checked, Examined
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
