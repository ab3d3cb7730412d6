"""`planrunner init`: a commented plan to start from."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Final

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.errors import UsageError
from planrunner.plan.templates import (
    DEFAULT,
    FOR_URL,
    aimed,
    is_about_a_page,
    is_url,
    purpose_of,
    template,
    template_names,
)

__all__ = ["command"]

_PLAN: Final = "plan.yaml"
_SCHEMA: Final = "plan.schema.json"
_SCHEMA_PLACES: Final = (_SCHEMA, f"schema/{_SCHEMA}", f"../schema/{_SCHEMA}")
"""Where the schema may already be, from the plan's folder."""


@click.command(
    "init",
    short_help="write a commented starter plan",
    epilog="""\b
Examples:
  planrunner init                                a plan that loads the embedded demo shop
  planrunner init --list                         which templates there are
  planrunner init plans/checkout.yaml --template api
  planrunner init http://localhost:8000/products
  planrunner init http://localhost:8000 plans/members.yaml --template login
""",
)
@click.argument("places", metavar="[URL] [PATH]", nargs=-1)
@click.option(
    "--template",
    "name",
    type=click.Choice(template_names()),
    help=f"What to start from. Default `{DEFAULT}`, and `{FOR_URL}` for a URL.",
)
@click.option("--list", "lists", is_flag=True, help="Print what each template is for, and end.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@json_option
def command(
    places: tuple[str, ...], name: str | None, *, lists: bool, force: bool, as_json: bool
) -> None:
    """Write a commented starter plan to PATH (plan.yaml), for the target at URL if there is one.

    Nothing is sent to the URL. The plan names its schema for editors, and the schema is written
    beside the plan unless there is one.
    """
    if lists:
        _list(as_json=as_json)
        return
    urls = [place for place in places if is_url(place)]
    paths = [Path(place) for place in places if place not in urls]
    if len(urls) > 1 or len(paths) > 1:
        raise UsageError("there is more than one URL or path", hint="write one plan at a time")
    path = paths[0] if paths else Path(_PLAN)
    chosen = name or (FOR_URL if urls else DEFAULT)
    written = _write(path, chosen, urls[0] if urls else "", force=force)
    if as_json:
        print_json({"written": [str(one) for one in written], "template": chosen})
        return
    click.echo(f"wrote {path}")
    for schema in written[1:]:
        click.echo(f"wrote {schema}, which editors complete plans with")
    if urls and not is_about_a_page(template(chosen)):
        click.echo("the paths in it are those of a demo: replace them by your own")
    quoted = shlex.quote(str(path))
    click.echo("next:")
    click.echo(f"  planrunner explain {quoted}           what it would do; sends nothing")
    click.echo(f"  planrunner execute {quoted} --once    each task once")
    click.echo(f"  planrunner execute {quoted}           the load; the exit code is the verdict")


def _list(*, as_json: bool) -> None:
    purposes = {name: purpose_of(name) for name in template_names()}
    if as_json:
        print_json(purposes)
        return
    width = max(map(len, purposes))
    for name, purpose in purposes.items():
        click.echo(f"{name:<{width}}  {purpose}")


def _write(path: Path, name: str, url: str, *, force: bool) -> list[Path]:
    """Write the plan, and its schema unless there is one; return what was written."""
    if path.exists() and not force:
        raise UsageError(f"`{path}` exists", hint="choose another name, or add --force")
    text = template(name)
    if url:
        from planrunner.plan.formatting import format_plan  # noqa: PLC0415 - templates are formatted

        text = format_plan(aimed(text, url))
    if str(path).isprintable():  # it is named in a comment
        text = text.replace(_PLAN, shlex.quote(path.as_posix()))
    written = [path]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        places = [place for place in _SCHEMA_PLACES if (path.parent / place).is_file()]
        place = places[0] if places else _SCHEMA
        path.write_text(f"# yaml-language-server: $schema={place}\n{text}", encoding="utf-8")
        if not places or (force and place == _SCHEMA):
            written.append(path.parent / _SCHEMA)
            _write_schema(written[-1])
    except OSError as error:
        raise UsageError(f"cannot write `{written[-1]}`: {error.strerror}") from error
    return written


def _write_schema(path: Path) -> None:
    from planrunner.plan.schema.json_schema import plan_schema  # noqa: PLC0415 - imports all models
    from planrunner.protocols import registry  # noqa: PLC0415 - only for the schema

    registry.all_plugins()
    path.write_text(json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")
