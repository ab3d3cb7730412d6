"""Machines that don't allow what a run needs: a clear message, the documented code, no debris."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from planrunner.results.files.directory import read_run
from planrunner.results.files.sample_reader import SampleReader
from tests.support.http_servers import HttpServer
from tests.support.plans import Ended, PlanProject, plan_text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set the POSIX way"),
]

SHORT = "phases: [{users: 2, iterations: 40}]"


def limited(project: PlanProject, what: str, limits: str, *arguments: str) -> Ended:
    """Run a command line that may not exceed `limits`, the soft and the hard one."""
    first = f"import resource; resource.setrlimit(resource.{what}, {limits})"
    # Python would cut off compiled modules as well, and others could not import them any more.
    ended = project.run_apart(*arguments, first=first, env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert "Traceback" not in ended.err
    return ended


class TestDescriptors:
    PLAN = "phases: [{users: 150, hold: 100ms}]"

    def test_the_soft_limit_is_raised(self, project: PlanProject, target: HttpServer) -> None:
        """Nobody has to know `ulimit`."""
        project.write({"plan.yaml": plan_text(self.PLAN, url=target.url)})

        ended = limited(project, "RLIMIT_NOFILE", "(100, 1000)", "execute", "plan.yaml")

        assert ended.code == 0
        assert ended.metrics["totals"]["failed_requests"] == 0

    def test_too_low_a_hard_limit_is_exit_3_before_load(
        self, project: PlanProject, target: HttpServer
    ) -> None:
        """With the number that would do."""
        project.write({"plan.yaml": plan_text(self.PLAN, url=target.url)})

        ended = limited(project, "RLIMIT_NOFILE", "(100, 100)", "execute", "plan.yaml")

        assert (ended.code, ended.out, ended.files) == (3, "", {})
        assert "150 users need 214 open files, but this process may open 100" in ended.err
        assert "hint: raise the limit (`ulimit -n 214`) or run fewer users" in ended.err
        assert target.connections == 0


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("file", "File exists"),
        ("file/below", "Not a directory"),
        ("/proc/none/run", "No such file or directory"),
        ("long" * 100, "File name too long"),
    ],
    ids=["file", "below a file", "unwritable", "long"],
)
def test_a_report_directory_that_cannot_be_made_is_exit_3_before_load(
    project: PlanProject, target: HttpServer, out: str, words: str
) -> None:
    """For root too."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url), "file": ""})

    ended = project.run("execute", "plan.yaml", "--out", out)

    assert (ended.code, ended.out, ended.files) == (3, "", {})
    assert f"cannot make the report directory `{out}`: {words}" in ended.err
    assert "hint: choose another one with --out or `report.dir`" in ended.err
    assert "Traceback" not in ended.err
    assert target.connections == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root can mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


BEGUN = ("samples.bin", "samples.jsonl", "unfinished.json")


class TestFullDisk:
    """A limit on the size of a file stands for a disk that takes no more."""

    PLAN = "phases: [{name: main, users: {A: 4}, iterations: 3000}]"

    def test_sampling_stops_with_a_notice_and_the_verdict_is_written(
        self, project: PlanProject, target: HttpServer
    ) -> None:
        """The load goes on, metrics count all of it, and the first samples are kept."""
        project.write({"plan.yaml": plan_text(self.PLAN, url=target.url)})

        ended = limited(
            project, "RLIMIT_FSIZE", "(64000, 64000)", "execute", "plan.yaml", "--out", "out"
        )

        assert ended.code == 0
        notices = " ".join(ended.metrics["notices"])
        assert "sampling stopped: cannot write `out/samples.bin`: File too large" in notices
        assert "notice: sampling stopped" in ended.out
        kept = list(SampleReader(ended.files["out/samples.bin"]))
        assert 0 < len(kept) < ended.metrics["totals"]["total_requests"]
        self.nothing_is_half_written(ended)

    def test_a_disk_that_fills_up_takes_the_result(
        self, project: PlanProject, target: HttpServer, small_disk: Path
    ) -> None:
        """Its room was taken before the load."""
        project.write(
            {"plan.yaml": plan_text("stages: [{duration: 3s, users: 4}]", url=target.url)}
        )
        process = project.spawn("execute", "plan.yaml", "--out", str(small_disk / "out"))
        while not target.requests and process.poll() is None:
            time.sleep(0.02)

        with suppress(OSError), (small_disk / "rest").open("wb") as file:
            while file.write(bytes(4096)):
                file.flush()
        out, err = process.communicate(timeout=60)

        assert process.returncode == 0, f"{out}\n{err}"
        result = read_run(small_disk / "out")
        assert result.totals.total_requests + result.after == len(target.requests)
        assert not (small_disk / "out" / ".reserve").exists()

    def test_a_disk_without_room_for_the_result_is_exit_3_before_load(
        self, project: PlanProject, target: HttpServer, small_disk: Path
    ) -> None:
        """A run whose result can't be kept is no use."""
        (small_disk / "rest").write_bytes(bytes(9_000_000))
        project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

        ended = project.run_apart("execute", "plan.yaml", "--out", str(small_disk / "out"))

        assert ended.code == 3
        assert "cannot keep the result in the report directory" in ended.err
        assert "No space left on device" in ended.err
        assert not (small_disk / "out").exists()
        assert not target.requests

    def test_no_room_for_metrics_json_is_exit_3(
        self, project: PlanProject, target: HttpServer
    ) -> None:
        """The summary says at least what was measured."""
        project.write({"plan.yaml": plan_text(self.PLAN, url=target.url)})

        ended = limited(
            project, "RLIMIT_FSIZE", "(15000, 15000)", "execute", "plan.yaml", "--out", "out"
        )

        assert ended.code == 3
        assert set(ended.files) == {f"out/{name}" for name in BEGUN}
        assert list(SampleReader(ended.files["out/samples.bin"]))
        assert "COULD NOT RUN" in ended.out
        assert "GET /" in ended.out
        assert "error: cannot write `out/metrics.json`: File too large" in ended.err
        assert "hint: make room or choose another --out" in ended.err

    def nothing_is_half_written(self, ended: Ended) -> None:
        """Reports are whole or not there, and no temporary file is left."""
        names = {Path(name).name for name in ended.files}
        assert names <= {
            "metrics.json",
            "results.csv",
            "report.html",
            "samples.bin",
            "samples.jsonl",
        }
        if "out/report.html" in ended.files:
            assert ended.files["out/report.html"].read_text("utf-8").rstrip().endswith("</html>")
        if "out/results.csv" in ended.files:
            with ended.files["out/results.csv"].open(newline="", encoding="utf-8") as file:
                assert len({len(row) for row in csv.reader(file)}) == 1
