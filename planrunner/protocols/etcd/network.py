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

__all__ = ["grpc", "is_threaded"]

_SWITCH: Final = "GRPC_EXPERIMENTS"
_OFF: Final = "-event_engine_client"
_SINCE: Final = (1, 80)
_BEFORE: Final = (1, 86)  # a release that doesn't know the name complains on stderr: try it first


def _import() -> tuple[Any, bool]:
    release = tuple(int(number) for number in re.findall(r"\d+", version("grpcio"))[:2])
    if release < _SINCE:
        return importlib.import_module("grpc"), False
    is_late = "grpc" in sys.modules or release >= _BEFORE
    if is_late or _SWITCH in os.environ:  # who sets it knows better
        return importlib.import_module("grpc"), _OFF not in os.environ.get(_SWITCH, "")
    os.environ[_SWITCH] = _OFF
    try:
        return importlib.import_module("grpc"), False
    finally:
        del os.environ[_SWITCH]  # services and `exec` steps get the environment of the user


grpc, is_threaded = _import()
