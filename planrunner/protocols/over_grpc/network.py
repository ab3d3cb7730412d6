"""gRPC, imported so that its calls cost least.

Since 1.80 the Python package hands each read and write from thread to thread (its "event engine");
before, the thread that waits for a call did them itself, which takes a fifth to a seventh less of
the processor. gRPC's own switch for going back is an environment variable that is read when it is
imported.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from importlib.metadata import version
from typing import Any, Final

__all__ = ["describe", "grpc", "is_threaded"]

_SWITCH: Final = "GRPC_EXPERIMENTS"
_OFF: Final = "-event_engine_client"
_SINCE: Final = (1, 80)
_BEFORE: Final = (1, 86)  # a release that doesn't know the name complains on stderr: try it first

# Every failed handshake is a line or three on stderr, amid the live view; calls report it as well.
_QUIET: Final = {"GRPC_VERBOSITY": "NONE"}


def _import() -> tuple[Any, bool]:
    release = tuple(int(number) for number in re.findall(r"\d+", version("grpcio"))[:2])
    knows_switch = _SINCE <= release < _BEFORE and "grpc" not in sys.modules
    wanted = {**_QUIET, _SWITCH: _OFF} if knows_switch else _QUIET
    own = {name: value for name, value in wanted.items() if name not in os.environ}
    switch = own.get(_SWITCH, os.environ.get(_SWITCH, ""))  # the user's own setting wins
    os.environ.update(own)
    try:
        return importlib.import_module("grpc"), release >= _SINCE and _OFF not in switch
    finally:
        for name in own:  # services and `exec` steps get the environment of the user
            del os.environ[name]


grpc, is_threaded = _import()


def describe() -> str:
    """Say what sends calls, with the versions that its speed depends on."""
    from google.protobuf.internal import api_implementation  # noqa: PLC0415 - seldom asked

    engine = "with" if is_threaded else "without"
    return (
        f"grpc.aio {version('grpcio')} {engine} its event engine, "
        f"protobuf {version('protobuf')} ({api_implementation.Type()})"
    )
