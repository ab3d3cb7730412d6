"""`planrunner completion`: the shell completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]


@click.command(
    "completion",
    short_help="print the shell completion script",
    epilog="""\b
Examples:
  planrunner completion bash >> ~/.bashrc
  planrunner completion zsh > ~/.zfunc/_planrunner
  planrunner completion fish > ~/.config/fish/completions/planrunner.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that teaches SHELL to complete planrunner's commands and options."""
    from planrunner.cli.group import cli  # noqa: PLC0415 - the group imports this module

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(cli, {}, "planrunner", "_PLANRUNNER_COMPLETE").source())
