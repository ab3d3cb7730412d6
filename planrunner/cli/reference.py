"""The reference page of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

__all__ = ["cli_page"]

_INTRODUCTION: Final = """\
# Reference: the command line

<!-- Generated from the commands by `make schema`; a test compares. -->

`planrunner COMMAND --help` says the same in the terminal.

- Results go to stdout; progress, notices and errors go to stderr.
- On a terminal, progress is one live line; elsewhere it is a line every ten seconds.
- `NO_COLOR` is obeyed.
- What the exit code says: [exit codes](exit-codes.md).
- `python -m planrunner` is the same as `planrunner`; `planrunner --version` prints the version.
"""

# click escapes paragraphs that it must not wrap.
_VERBATIM: Final = re.compile(r"^\x08\n", re.MULTILINE)
_ESCAPED_BAR: Final = r"\|"


def cli_page(group: click.Group) -> str:
    """Return the page as Markdown; the same for the same version."""
    # A command keeps the help option of the first context that asks: this one must be right.
    context = click.Context(group, info_name="planrunner", **group.context_settings)
    lines = [_INTRODUCTION]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        lines += _command(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(lines).rstrip("\n") + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {command.name}\n"
    yield f"```text\n{usage}\n```\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        yield "| option | meaning |\n|---|---|"
        yield from (_row(option) for option in options if not option.hidden)
        yield ""
    for paragraph in _VERBATIM.sub("", command.epilog or "").strip("\n").split("\n\n"):
        title, _, examples = paragraph.partition("\n")
        yield f"```text\n{inspect.cleandoc(examples)}\n```\n" if examples else f"{title}\n"


def _row(option: click.Option) -> str:
    names = sorted(option.opts, key=len, reverse=True)
    if not option.is_flag:
        names[0] += f" {_value(option)}"
    words = option.help or ""
    if option.show_default and option.default is not None:
        words = f"{words} Default: {option.default}."
    cells = (", ".join(f"`{name}`" for name in names), words)
    return f"| {' | '.join(cell.replace('|', _ESCAPED_BAR) for cell in cells)} |"


def _value(option: click.Option) -> str:
    """Return what stands for the option's value."""
    if option.metavar is not None:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.type.name.removesuffix(" range").upper()
