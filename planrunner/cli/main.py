"""The `planrunner` command: finds the subcommand, maps errors to messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys

from planrunner import __version__

__all__ = ["main"]

# Commands that read a plan, print, and end; they start no other process.
_BRIEF = frozenset({"validate", "explain", "init", "schema", "completion"})

_RUNS = frozenset({"execute", "run"})


_CANNOT_PRINT = 3
"""`ExitCode.CANNOT_RUN`, which costs an import of `enum`."""


def main() -> None:
    """Run the command line and end the process."""
    # Answered before click is imported: CI jobs ask for it, and click costs four bare starts.
    if sys.argv[1:] in (["--version"], ["-V"]):
        _tell_version()
        return
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    from planrunner.cli.leaving import Leaving  # noqa: PLC0415 - keeps --version fast

    leaving = Leaving()
    leaving.listen()
    from planrunner.cli.streams import forgive_streams, reserve_descriptors  # noqa: PLC0415 - as above

    reserve_descriptors()
    forgive_streams()
    if command in _RUNS:
        leaving.take_last_resort()
    if command in _BRIEF:
        _hurry()
    elif command in _RUNS:
        gc.disable()  # until the load begins: see `execute`
    from planrunner.cli.group import run  # noqa: PLC0415 - keeps --version fast

    exit_code = run(sys.argv[1:], leaving)
    leaving.settle(exit_code)
    exit_code = _with_output_judged(exit_code, is_result=command not in _RUNS)
    if command in _BRIEF or command in _RUNS:
        gc.freeze()  # or the interpreter looks through every object once more before it ends
    sys.exit(exit_code)


def _tell_version() -> None:
    try:
        print(f"planrunner {__version__}", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter tries once more
        _complain(error.strerror or str(error))
        sys.exit(_CANNOT_PRINT)


def _with_output_judged(exit_code: int, *, is_result: bool) -> int:
    """Return the exit code of a command; it has failed if what it printed is lost and all it does.

    A run has its files, and its exit code is its verdict.
    """
    from planrunner.cli.streams import refusal_of_stdout  # noqa: PLC0415 - keeps --version fast

    refusal = refusal_of_stdout()
    if not refusal:
        return exit_code
    _complain(refusal, "error" if is_result else "warning")
    return _CANNOT_PRINT if is_result and exit_code == 0 else exit_code


def _complain(refusal: str, severity: str = "error") -> None:
    print(f"{severity}: cannot write to standard output: {refusal}", file=sys.stderr)
    print("hint: make room, or send the output to another file", file=sys.stderr)


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
