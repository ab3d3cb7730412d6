"""The `planrunner` command: finds the subcommand, maps errors to messages and exit codes."""

from __future__ import annotations

import sys

from planrunner import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process."""
    # Answered before click is imported: CI jobs ask for it, and click costs four bare starts.
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"planrunner {__version__}")
        return
    from planrunner.cli.commands import run  # noqa: PLC0415 - keeps --version fast

    sys.exit(run(sys.argv[1:]))
