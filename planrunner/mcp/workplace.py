"""Where an assistant works, and what it may do there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from planrunner.values import dataclass

__all__ = ["PlanChoice", "Workplace"]


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan, and what is said about it."""

    plan: str
    params: Mapping[str, str]
    environment: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder, and what may be done in it.

    Attributes:
        folder: Whatever is named lies below it.
        hosts: Where requests may go, as `--only-hosts` has it.
        may_execute: Whether plans may run commands and Python code on this machine.
        asks: Whether a person is asked before a run under load.
        env_files: Of environment variables, as `--env-file` has them.
    """

    folder: Path
    hosts: tuple[str, ...]
    may_execute: bool = False
    asks: bool = True
    env_files: tuple[Path, ...] = ()

    def path(self, name: str) -> str:
        """Return a file or directory as commands get it.

        Raises:
            ToolError: It lies outside the folder.
        """
        folder = self.folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise ToolError(
                f"`{name}` lies outside `{folder}`: name what lies below it, or start "
                "`planrunner mcp` with another --folder"
            )
        relative = path.relative_to(folder)
        return str(relative) if not str(relative).startswith("-") else f"./{relative}"

    def arguments(self, choice: PlanChoice) -> Iterator[str]:
        """Yield what every command with a plan gets.

        Raises:
            ToolError: As `path`.
        """
        yield self.path(choice.plan)
        for name, value in choice.params.items():
            yield from ("--set", f"{name}={value}")
        if choice.environment:
            yield f"--env={choice.environment}"
        if choice.profile:
            yield f"--profile={choice.profile}"
        for file in self.env_files:
            yield f"--env-file={file.absolute()}"
        if not self.may_execute:
            yield "--no-exec"

    def confined(self) -> Iterator[str]:
        """Yield what a command gets that sends requests."""
        yield from (f"--only-hosts={host}" for host in self.hosts)
        yield "--no-notify"
