"""Whatever commands make of a run's directory, byte for byte, whatever the names in it.

After a deliberate change: `pytest --update-golden`, then read the diff as those will who read the
report, and open the pages and pictures.
"""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from junitparser import JUnitXml

from planrunner.cli.group import run
from planrunner.formats import REPORT_FORMATS
from planrunner.results.files.metrics_json import metrics_schema
from tests.support.golden import check_golden
from tests.support.run_directories import (
    HOSTILE_NAMES,
    make_killed_run_directory,
    make_run_directory,
)

FORMATS = tuple(name for name, record in REPORT_FORMATS.items() if not record.package)
"""Those that planrunner writes itself: another package may choose other bytes."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CASES = ("shop", "hostile")
OF_SAMPLES = ("load", "latency", "requests", "statuses", "distribution", "errors")
PICTURES = (*OF_SAMPLES, "scaling", "search", "cpu", "memory", "lateness", "monitors")
CHARTS = {"shop": PICTURES, "hostile": PICTURES, "killed": OF_SAMPLES}

Command = Callable[..., str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with run directories."""
    folder = tmp_path_factory.mktemp("runs")
    make_run_directory(folder / "shop")
    make_run_directory(folder / "slow", slower=1.6, seed=8, run_id="20261122-120000-m2xp")
    make_run_directory(folder / "slower", slower=4, seed=9, run_id="20261123-120000-q9ws")
    make_run_directory(folder / "quick", slower=0.2, seed=10, run_id="20261124-120000-r3kd")
    make_run_directory(folder / "hostile", names=HOSTILE_NAMES, seconds=12)
    make_run_directory(folder / "hostile2", names=HOSTILE_NAMES, seconds=12, seed=8, slower=9)
    make_killed_run_directory(folder / "killed")
    return folder


@pytest.fixture
def command(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command in that folder and returns what it printed."""
    monkeypatch.chdir(runs)
    monkeypatch.setenv("COLUMNS", "100")
    # A megabyte of Vega: the page holds where it goes, not the same golden megabyte each time.
    for module in ("report.formats.html", "cli.commands.compare", "cli.commands.history"):
        monkeypatch.setattr(f"planrunner.{module}.javascript_bundle", lambda: "/* Vega */")

    def call(*words: str) -> str:
        code = run(words)
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return call


def made(command: Command, case: str, name: str) -> dict[str, str]:
    """Return the files that `report` makes of a run in a format."""
    with TemporaryDirectory(dir=Path.cwd().parent) as folder:
        printed = command("report", case, "--format", name, "--out", folder)
        return {Path(line).name: text_of(line) for line in printed.splitlines()}


def text_of(path: str) -> str:
    return Path(path).read_bytes().decode()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_each_format_of_a_run_is_what_was_reviewed(
    case: str, name: str, command: Command, *, update_golden: bool
) -> None:
    """Whoever adds a format is asked for its golden files here."""
    files = made(command, case, name)
    of_the_run = {file.name for file in REPORT_FORMATS[name].files}

    assert of_the_run <= set(files)
    for file in of_the_run:
        text = files[file]
        check_golden(f"run/{case}/{file}", text, update=update_golden)


@pytest.mark.parametrize("case", [*CASES, "killed"])
def test_the_summary_of_a_directory_is_what_was_reviewed(
    case: str, command: Command, *, update_golden: bool
) -> None:
    """`report RUN`; of a killed run too."""
    check_golden(f"run/{case}/summary.txt", command("report", case), update=update_golden)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [("shop", "slow"), ("hostile", "hostile2")])
def test_a_comparison_is_what_was_reviewed(
    pair: tuple[str, str], command: Command, *, update_golden: bool
) -> None:
    """As text, as JSON, as Markdown, and as a page with both runs in each chart."""
    for kind, content in compared(command, *pair).items():
        check_golden(f"run/{pair[0]}/compare.{kind}", content, update=update_golden)


def test_configurations_are_what_was_reviewed(command: Command, *, update_golden: bool) -> None:
    """Three runs of one load; the best of them marked."""
    for kind, content in compared(command, "slow", "quick", "slower").items():
        check_golden(f"run/configurations.{kind}", content, update=update_golden)


def test_configurations_of_another_load_are_what_was_reviewed(
    command: Command, *, update_golden: bool
) -> None:
    """They stand beside each other, and none is the best."""
    for kind, content in compared(command, "shop", "hostile", "slow").items():
        check_golden(f"run/other-load.{kind}", content, update=update_golden)


def compared(command: Command, *runs: str) -> dict[str, str]:
    """Return what `compare` tells of runs, by kind."""
    command("compare", *runs, "--markdown", "compared.md", "--html", "compared.html")
    return {
        "txt": command("compare", *runs),
        "json": command("compare", *runs, "--json"),
        "md": text_of("compared.md"),
        "html": text_of("compared.html"),
    }


def test_a_history_is_what_was_reviewed(command: Command, *, update_golden: bool) -> None:
    """As text and as a page."""
    text = command("history", ".", "--html", "trend.html")

    check_golden("run/history.txt", text.removesuffix("trend.html\n"), update=update_golden)
    check_golden("run/history.html", text_of("trend.html"), update=update_golden)


def pictures(command: Command, case: str, kind: str, folder: str) -> dict[str, bytes]:
    """Return the charts that `report` draws of a run."""
    printed = command("report", case, f"--{kind}", f"{folder}/{case}")
    return {Path(line).name: Path(line).read_bytes() for line in printed.splitlines()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CHARTS)
def test_charts_as_svg_are_what_was_reviewed(
    case: str, command: Command, *, update_golden: bool
) -> None:
    """The font is part of the library that draws, so they are the same on every machine.

    But where a name has letters that it lacks: those take room by another font.
    """
    files = pictures(command, case, "svg", "svg")

    assert set(files) == {f"{name}.svg" for name in CHARTS[case]}
    for file, data in files.items():
        ET.fromstring(data)
        if case != "hostile":
            check_golden(f"run/{case}/{file}", data.decode(), update=update_golden)


@pytest.mark.slow
@pytest.mark.parametrize("case", CHARTS)
def test_charts_as_png_are_drawn_the_same_each_time(case: str, command: Command) -> None:
    """As large as their SVG at twice the resolution, and not blank."""
    files = pictures(command, case, "png", "png")
    svg = pictures(command, case, "svg", "beside")

    # Nothing golden here: the letters' edges differ between versions of a font.
    assert files == pictures(command, case, "png", "again")
    assert set(files) == {f"{name}.png" for name in CHARTS[case]}
    for file, data in files.items():
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        drawn = ET.fromstring(svg[file.replace(".png", ".svg")])
        expected = [2 * float(drawn.attrib[side]) for side in ("width", "height")]
        assert struct.unpack(">II", data[16:24]) == pytest.approx(expected, abs=2)
        assert len(data) > 8_000  # blank paper of this size takes less than 3 kB


def rows_of(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""))


@pytest.mark.parametrize("name", ["results.csv", "timeseries.csv", "jtl", "locust-csv"])
def test_hostile_names_stay_in_their_cells(name: str, command: Command) -> None:
    """No column is shifted, no line torn, and no cell a formula."""
    for text in made(command, "hostile", name).values():
        header, *rows = rows_of(text)

        assert rows or name == "locust-csv"  # some phases had no failure, and none an exception
        assert {len(row) for row in rows} <= {len(header)}
        assert not any(cell.startswith(FORMULA) for row in rows for cell in row)


def test_hostile_names_come_back_from_json_and_xml(command: Command) -> None:
    """What readers of other programs see is the name itself where the format can hold it."""
    data = json.loads(made(command, "hostile", "metrics.json")["metrics.json"])
    suites = JUnitXml.fromstring(made(command, "hostile", "junit.xml")["junit.xml"].encode())
    changes = json.loads(command("compare", "hostile", "hostile2", "--json"))["changes"]

    jsonschema.validate(data, metrics_schema())
    assert {row["name"] for row in data["rows"] if row["by"] == "request"} == set(HOSTILE_NAMES)
    assert {"</script><script>alert(1)</script><img src=x onerror=alert(2)>", "=1+1"} <= {
        case.name for suite in suites for case in suite
    }
    assert {change["request"] for change in changes} == set(HOSTILE_NAMES)
