"""`planrunner monitoring`: a dashboard and alerts for runs that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import click

from planrunner.cli.plan_options import PlanOptions, json_option, load_plan, with_plan_options
from planrunner.cli.streams import print_json
from planrunner.compiler import compile_plan
from planrunner.errors import UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.secrets import Masker
from planrunner.metrics.thresholds import Threshold
from planrunner.outputs.prometheus.monitoring.files import monitoring_files

__all__ = ["command"]


@click.command(
    "monitoring",
    short_help="write a Grafana dashboard and alerts of Prometheus",
    epilog="""\b
Examples:
  planrunner monitoring monitoring
  planrunner monitoring monitoring plans/stress.yaml      alerts from its thresholds
  planrunner monitoring /etc/perf --target ci-runner:9464 --force
""",
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option(
    "--target",
    metavar="HOST:PORT",
    help="Where runs serve their metrics, as Prometheus sees it. Default 127.0.0.1, and the port "
    "that `outputs:` of the plan names, or 9464.",
)
@click.option(
    "--prefix",
    help="What the names of metrics begin with. Default what `outputs:` of the plan says, or "
    "perf_test.",
)
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@json_option
@with_plan_options
def command(  # noqa: PLR0913 - its options
    directory: Path,
    plan: Path | None,
    options: PlanOptions,
    *,
    target: str | None,
    prefix: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a Grafana dashboard, rules and a configuration of Prometheus into DIRECTORY.

    With a PLAN, there is an alert for each of its thresholds that PromQL can ask for; the file with
    the rules says which it can't. Nothing is sent.
    """
    name, thresholds, mask = "", tuple[Threshold, ...](), Masker(())
    settings: Mapping[str, object] = {}
    if plan is not None:
        graph = compile_plan(
            load_plan(plan, options, need_secrets=False), selection=options.selection
        )
        name, thresholds, mask = graph.name, graph.thresholds, Masker(graph.secrets)
        settings = _settings(graph)
    files = monitoring_files(
        name,
        thresholds,
        prefix=prefix or str(settings.get("prefix", "perf_test")),
        target=target or f"127.0.0.1:{settings.get('port', 9464)}",
    )
    written = _write(directory, {place: mask(text) for place, text in files.items()}, force=force)
    if as_json:
        print_json({"written": [str(path) for path in written]})
    else:
        click.echo("\n".join(f"wrote {path}" for path in written))


def _settings(graph: RunGraph) -> Mapping[str, object]:
    """Return what the plan's own output says, as far as that is known before a run."""
    found: dict[str, object] = {}
    for node in graph.outputs:
        for key in ("prefix", "port") if node.kind == "prometheus" else ():
            with suppress(EvaluationError, KeyError):
                found[key] = node.settings[key]({})
    if found.get("port") == "auto":
        del found["port"]
    return found


def _write(directory: Path, files: Mapping[str, str], *, force: bool) -> Iterable[Path]:
    """Write all files, or none; return their paths.

    Raises:
        UsageError: One would be overwritten, or can't be written.
    """
    paths = {directory / place: text for place, text in files.items()}
    for path, text in paths.items():
        if not force and path.exists() and _differs(path, text):
            raise UsageError(f"`{path}` exists", hint="choose another directory, or add --force")
    for path, text in paths.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write `{path}`: {error.strerror}") from error
    return paths


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_text("utf-8") != text
    except (OSError, UnicodeDecodeError):
        return True
