"""`planrunner schema`: the JSON Schemas, and the reference pages made from the same sources."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from planrunner.cli.streams import stdout_for_documents
from planrunner.plan.output_kinds.registry import all_kinds
from planrunner.protocols import registry
from planrunner.protocols.plugin import resolve

__all__ = ["cli_page", "command"]


# Each is imported when it is asked for.
_SCHEMA: Final = "planrunner.plan.schema"
_MADE_BY: Final = {
    "plan": f"{_SCHEMA}.json_schema:plan_schema",
    "defaults": f"{_SCHEMA}.json_schema:defaults_schema",
    "metrics": "planrunner.results.files.metrics_json:metrics_schema",
    "seconds": "planrunner.outputs.jsonl.records:seconds_schema",
    "suite": "planrunner.results.suites.suite_json:suite_schema",
    "reference": f"{_SCHEMA}.reference_docs:reference_page",
    "thresholds": f"{_SCHEMA}.threshold_docs:threshold_page",
    "expressions": f"{_SCHEMA}.expression_docs:expression_page",
    "protocols": f"{_SCHEMA}.protocol_docs:protocol_page",
    "python": "planrunner.python.reference:python_page",
}


@click.command(
    "schema",
    short_help="print the JSON Schema of plans",
    epilog="""\b
Examples:
  planrunner schema > plan.schema.json          for editors: the schema of plans
  planrunner schema defaults                    the schema of planrunner.yaml
  planrunner schema metrics                     the schema of metrics.json
  planrunner schema suite                       the schema of suite.json
  planrunner schema seconds                     the schema of a line of the output jsonl
  planrunner schema thresholds                  what a threshold can say
  planrunner schema protocols                   which protocols there are, installed ones too
  planrunner schema --output schema/plan.schema.json
""",
)
@click.argument(
    "which",
    type=click.Choice([*_MADE_BY, "cli"]),
    default="plan",
    required=False,
)
@click.option("--output", type=click.Path(path_type=Path), help="Write to a file, not stdout.")
def command(which: str, output: Path | None) -> None:
    """Print a schema: of plans, planrunner.yaml, metrics.json, suite.json, or lines of `jsonl`.

    `reference`, `thresholds`, `expressions`, `protocols`, `cli` and `python` print the reference
    pages of the plan language, of its two sub-languages, of the protocols, of the command line,
    and of the names for Python.
    Protocols and outputs of installed packages are part of the schema of plans and of these pages.
    """
    registry.all_plugins()
    all_kinds()
    text = _text(which)
    if output is None:
        click.echo(text, file=stdout_for_documents(), nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


def _text(which: str) -> str:
    if which == "cli":
        from planrunner.cli.group import cli  # noqa: PLC0415 - the group imports this module

        return cli_page(cli)
    made: object = resolve(_MADE_BY[which])()
    return made if isinstance(made, str) else json.dumps(made, indent=2, ensure_ascii=False) + "\n"


_INTRODUCTION: Final = """\
# Reference: the command line

<!-- Generated from the commands by `make schema`; a test compares. -->

`planrunner COMMAND --help` prints the same in the terminal.

- Results go to stdout; progress, notices and errors go to stderr.
- On a terminal, progress is one live line; elsewhere it is a line every ten seconds.
- planrunner honours `NO_COLOR`.
- What the exit code means: [exit codes](exit-codes.md).
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
