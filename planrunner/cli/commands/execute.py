"""`planrunner execute`: validate, compile, run, write reports, judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from planrunner.cli.leaving import Leaving
from planrunner.cli.live.page import PageCommand
from planrunner.cli.plan_options import PlanOptions, load_plan, with_plan_options
from planrunner.cli.running import RunOptions, own_process, request_of, run_plan, with_run_options
from planrunner.engine.stop import Stop
from planrunner.errors import UsageError
from planrunner.plan.defaults.file import without_defaults
from planrunner.runner.request import compile_request

__all__ = ["command"]

_TYPED: Final = "planrunner.execute.typed"


class _ExecuteCommand(PageCommand):
    """Keeps its arguments as they were typed, for processes that do the same."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_TYPED] = tuple(args)
        return super().parse_args(ctx, args)


@click.command(
    "execute",
    cls=_ExecuteCommand,
    short_help="run plans",
    epilog="""\b
Examples:
  planrunner execute plans/stress.yaml
  planrunner execute plans/stress.yaml --set users=50 --set hold=1m
  planrunner execute plan.yaml --seed 7 --out results/nightly --label build=1.4.2 --quiet
  planrunner execute plans/stress.yaml --workers auto          all processors
  planrunner execute plans/soak.yaml --workers 4 --tolerate 1  go on if one is lost
  planrunner execute plan.yaml --cluster tcp://scheduler:8786  all machines of a Dask cluster
  planrunner execute plan.yaml --once --task checkout          look at its requests
  planrunner execute plan.yaml --once -v                       ... and at all that is sent
  planrunner execute plan.yaml --watch                         ... again whenever you save it
  planrunner execute plan.yaml --profile load --env staging --env-file staging.env
  planrunner execute plan.yaml --phase peak --users 20 --hold 30s
  planrunner execute plan.yaml --user Buyer --task checkout --override phases.peak.hold=5s
  planrunner execute plans/*.yaml --keep-going --out results/nightly
  planrunner execute plan.yaml --repeat 5                      is it noise?
  planrunner execute plan.yaml --ui --open                     watch it in the browser

\b
Ctrl-C ends the run gracefully and still writes the reports; a second Ctrl-C ends the process
within a second.
""",
)
@click.argument("plans", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_plan_options
@with_run_options
@click.option(
    "--keep-going",
    is_flag=True,
    help="Several plans: go on after one that fails. The exit code is the worst of all.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Run each plan N times; thresholds are judged by the median of the runs.",
)
@click.option(
    "--once",
    is_flag=True,
    help="Run each task once with one user and print what is sent and received: to debug a plan.",
)
@click.option(
    "--verbose",
    "-v",
    is_flag=True,
    help="With --once: print requests that went well as whole as those that failed.",
)
@click.option(
    "--full", "--trace", is_flag=True, help="With --once: --verbose, with complete bodies."
)
@click.option(
    "--watch",
    is_flag=True,
    help="Do what --once does, and again whenever the plan or a file of it is saved. Needs the "
    "extra `watch`.",
)
@click.pass_obj
def command(  # noqa: PLR0913 - one parameter for each option
    leaving: Leaving,
    plans: Sequence[Path],
    options: PlanOptions,
    wish: RunOptions,
    *,
    keep_going: bool,
    repeat: int,
    once: bool,
    verbose: bool,
    full: bool,
    watch: bool,
) -> int:
    """Validate, compile and run PLANS; write their reports and end with the verdict.

    Several plans run one after the other, and so do several runs of one: their directories lie in
    one, by default reports/suite/TIME, with index.html, junit.xml and suite.json for all of them.
    Every plan is validated before the first one sends anything.
    """
    plans = without_defaults(plans)
    once = once or watch
    if once:
        _check_once(plans, wish, repeat)
    for option, is_given in (("--full (or --trace)", full), ("--verbose", verbose)):
        if is_given and not once:
            raise UsageError(f"{option} needs --once", hint="add --once, or leave it out")
    is_suite = keep_going or repeat > 1 or len(plans) > 1
    if wish.ui is not None and (once or is_suite):
        hint = "run one plan, once, under load; or start plans one by one from `planrunner ui`"
        raise UsageError("--ui shows a single run under load", hint=hint)
    if watch:
        from planrunner.cli.watch.watching import watch_plan  # noqa: PLC0415 - seldom used

        leaving.raise_from_now_on()
        return watch_plan(plans[0], options, click.get_current_context().meta[_TYPED])
    if not once and is_suite:
        from planrunner.cli.suites.run_plans import SuiteOptions, run_plans  # noqa: PLC0415 - a single run has none

        return run_plans(plans, options, wish, SuiteOptions(keep_going, repeat), leaving)
    [plan] = plans
    stop = Stop()
    loaded = load_plan(plan, options, need_secrets=True, outputs=wish.all_outputs)
    request = request_of(loaded, wish, stop, selection=options.selection)
    if once:
        from planrunner.cli.once import try_once  # noqa: PLC0415 - a run under load has no trace

        compiled = compile_request(request)
        own_process()
        return try_once(compiled, stop, leaving, as_json=wish.as_json, full=full, verbose=verbose)
    return run_plan(request, wish, leaving)


def _check_once(plans: Sequence[Path], wish: RunOptions, repeat: int) -> None:
    if wish.worker_count != 1:
        option = "--workers" if wish.cluster is None else "--cluster"
        raise UsageError(f"--once runs one user, so there is nothing for {option} to share")
    if repeat > 1:
        raise UsageError("--once runs each task once, so there is nothing for --repeat to compare")
    if len(plans) > 1:
        hint = f"name one of them, such as `{plans[0]}`"
        raise UsageError("--once prints every request of a single plan", hint=hint)
