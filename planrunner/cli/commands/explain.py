"""`planrunner explain`: what a plan would do; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from planrunner.cli.plan_options import PlanOptions, json_option, load_plan, with_plan_options
from planrunner.compiler import compile_plan
from planrunner.errors import UsageError
from planrunner.explain.explain import explain_text
from planrunner.explain.explain_json import explain_json
from planrunner.explain.graph_views import graph_dot, graph_json, graph_mermaid, graph_text
from planrunner.language.secrets import Masker

__all__ = ["command"]

_VIEWS = {
    "text": graph_text,
    "json": graph_json,
    "mermaid": graph_mermaid,
    "dot": graph_dot,
}


@click.command(
    "explain",
    short_help="what would a plan do?",
    epilog="""\b
Examples:
  planrunner explain plans/stress.yaml
  planrunner explain plans/stress.yaml --set users=500
  planrunner explain plan.yaml --profile soak --phase peak --users 200
  planrunner explain plan.yaml --user Buyer --skip-tag slow
  planrunner explain plans/stress.yaml --graph mermaid > graph.mmd
  planrunner explain plans/stress.yaml --json | jq .phases
""",
)
@click.argument("plan", type=click.Path(path_type=Path))
@with_plan_options
@click.option("--graph", "view", type=click.Choice(sorted(_VIEWS)), help="Print the run graph.")
@json_option
def command(plan: Path, options: PlanOptions, view: str | None, *, as_json: bool) -> None:
    """Say in words what PLAN would do: load over time, requests, thresholds."""
    if as_json and view not in (None, "json"):
        raise UsageError(
            f"`--json` and `--graph {view}` are two answers",
            hint="keep one of them; `--graph json` is the graph as JSON",
        )
    loaded = load_plan(plan, options, need_secrets=False)
    graph = compile_plan(loaded, selection=options.selection)
    if view is not None:
        text = _VIEWS[view](graph)
    elif as_json:
        text = explain_json(loaded, graph)
    else:
        text = explain_text(graph)
    click.echo(Masker(graph.secrets)(text))
