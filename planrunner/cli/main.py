"""The `planrunner` command: finds the subcommand, maps errors to messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys

from planrunner import __version__

__all__ = ["main"]

# Commands that read a plan, print, and end; they start no other process.
_BRIEF = frozenset({"validate", "explain", "init", "schema", "completion"})

_RUNS = "execute"


def main() -> None:
    """Run the command line and end the process."""
    # Answered before click is imported: CI jobs ask for it, and click costs four bare starts.
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"planrunner {__version__}")
        return
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in _BRIEF:
        _hurry()
    elif command == _RUNS:
        gc.disable()  # until the load begins: see `execute`
    from planrunner.cli.group import run  # noqa: PLC0415 - keeps --version fast

    exit_code = run(sys.argv[1:])
    if command in _BRIEF or command == _RUNS:
        gc.freeze()  # or the interpreter looks through every object once more before it ends
    sys.exit(exit_code)


def _hurry() -> None:
    """Leave out what only pays in a process that lasts; it would take an eighth of the time."""
    gc.disable()
    # Pydantic looks through all installed packages for plugins; none has a say in plans.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # To find out that they are disabled it imports importlib.metadata, which takes a bare start:
    # this stands for the module that would.
    from types import ModuleType  # noqa: PLC0415 - keeps --version fast

    loader = ModuleType("pydantic.plugin._loader")
    vars(loader)["get_plugins"] = tuple
    sys.modules.setdefault(loader.__name__, loader)
