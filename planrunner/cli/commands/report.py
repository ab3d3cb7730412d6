"""`planrunner report`: make the reports of a run again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from planrunner.cli.plan_options import complete_formats, parse_formats
from planrunner.cli.streams import stdout_for_documents
from planrunner.cli.suites.compared import is_suite
from planrunner.errors import CannotRun, UsageError
from planrunner.extras import need
from planrunner.formats import partial_words
from planrunner.report.charts.charts import PAPER, charts_of, standalone
from planrunner.report.suites.console import print_suite
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import METRICS, SAMPLES, read_run
from planrunner.results.files.metrics_json import to_text as metrics_text
from planrunner.results.files.sample_reader import SampleLoss, SampleReader
from planrunner.results.files.samples import write_keep
from planrunner.results.model import RunResult
from planrunner.results.suites.model import SuiteResult
from planrunner.results.suites.suite_json import read_suite, suite_text
from planrunner.runner.report_files import is_of_samples, report_files

__all__ = ["command"]

_TO_STDOUT: Final = "-"
_SCALE: Final = 2  # pixels of a screen with a high resolution for each of the chart's


@click.command(
    "report",
    short_help="make the reports of a run again",
    epilog="""\b
Examples:
  planrunner report reports/shop/20261121T120000Z-a1b2c3
  planrunner report RUN --format junit.xml --format report.html
  planrunner report RUN --format summary.md --out - >> "$GITHUB_STEP_SUMMARY"
  planrunner report RUN --png charts/
  planrunner report RUN --json | jq .totals

\b
The same run always gives the same bytes. Without --format, the summary is printed.
If samples of the run are lost, the exit code is 3, and no file is replaced by one made of less.
""",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_formats,
    help="The report to write.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The directory to write to, or `-` for stdout. Default: the run's own directory.",
)
@click.option(
    "--png", type=click.Path(path_type=Path), help="Draw each chart as PNG into this directory."
)
@click.option(
    "--svg", type=click.Path(path_type=Path), help="Draw each chart as SVG into this directory."
)
@click.option("--force", is_flag=True, help="Replace reports although samples of the run are lost.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print metrics.json, or suite.json of a suite."
)
def command(  # noqa: PLR0913 - its options
    run: Path,
    formats: Sequence[str],
    out: Path | None,
    png: Path | None,
    svg: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Make reports of RUN, a run's directory or its metrics.json, without running anything.

    Of a suite's directory, its table is printed.
    """
    wanted = [name for text in formats for name in parse_formats(text)]
    if is_suite(run) and not (wanted or png or svg):
        _print_suite(read_suite(run), as_json=as_json)
        return
    result = read_run(run)
    directory = run if run.is_dir() else run.parent
    _draw(result, png, "png")
    _draw(result, svg, "svg")
    if as_json:
        print(metrics_text(result), end="", file=stdout_for_documents())
    elif not wanted and png is None and svg is None:
        print_summary(result, open_console(sys.stdout))
    is_killed = run.is_dir() and not (run / METRICS).exists()
    of_samples = [name for name in wanted if is_killed or is_of_samples(name)]
    loss = SampleLoss()
    if of_samples or is_killed:
        loss = _look_through(directory, wanted, is_over=not is_killed)
    if str(out) == _TO_STDOUT:
        _print(wanted, result, directory)
    else:
        target = out or directory
        if loss and not force:
            _refuse_to_replace(of_samples, result, directory, target, loss)
        _write(wanted, result, directory, target)
    if loss:
        raise CannotRun(str(loss))


def _print_suite(suite: SuiteResult, *, as_json: bool) -> None:
    if as_json:
        print(suite_text(suite), end="", file=stdout_for_documents())
    else:
        print_suite(suite, open_console(sys.stdout))


def _look_through(directory: Path, formats: Sequence[str], *, is_over: bool) -> SampleLoss:
    """Return what is lost of the samples; say what the reports made of them lack by intention."""
    reader = SampleReader(directory / SAMPLES)
    if words := partial_words(formats, write_keep(reader.share)):
        click.echo(f"notice: {words}", err=True)
    return reader.loss(is_over=is_over)


def _refuse_to_replace(
    formats: Sequence[str], result: RunResult, directory: Path, out: Path, loss: SampleLoss
) -> None:
    for name in formats:
        for file, _ in report_files(name, result, directory):
            if (out / file).exists():
                raise CannotRun(
                    f"`{out / file}` is left as it is: {loss}",
                    hint="write elsewhere with --out, or replace it with --force",
                )


def _print(formats: Sequence[str], result: RunResult, directory: Path) -> None:
    for name in formats:
        for _, produce in report_files(name, result, directory):
            produce(stdout_for_documents())


def _write(formats: Sequence[str], result: RunResult, directory: Path, out: Path) -> None:
    for name in formats:
        for file, produce in report_files(name, result, directory):
            if file == METRICS and (out / METRICS).exists():
                raise UsageError(
                    f"`{out / METRICS}` is the run itself", hint="print it with --out -"
                )
            _make(out)
            with atomic_text_file(out / file) as opened:
                produce(opened)
            click.echo(out / file)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make `{directory}`: {error.strerror}") from error


def _draw(result: RunResult, folder: Path | None, kind: str) -> None:
    if folder is None:
        return
    need("vl_convert", f"`--{kind}`")
    _make(folder)
    for path in _pictures(result, folder, kind):
        click.echo(path)


def _pictures(result: RunResult, folder: Path, kind: str) -> Iterator[Path]:
    """Draw each chart into `folder` as `kind`, `png` or `svg`; yield the files.

    Raises:
        CannotRun: A file can't be written.
    """
    import vl_convert  # noqa: PLC0415 - 30 MB that only charts need

    for chart in charts_of(result, PAPER):
        spec = json.dumps(standalone(chart, PAPER))
        path = folder / f"{chart.id}.{kind}"
        if kind == "png":
            data = vl_convert.vegalite_to_png(spec, scale=_SCALE)
        else:
            data = vl_convert.vegalite_to_svg(spec).encode()
        try:
            path.write_bytes(data)
        except OSError as error:
            raise CannotRun(f"cannot write `{path}`: {error.strerror}") from error
        yield path
