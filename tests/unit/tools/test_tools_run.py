"""A tool runs without any plan: whatever becomes of it, its samples count and nothing is left."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import psutil
import pytest

from planrunner.errors import CannotRun
from planrunner.tools.contract import Tool, ToolJob, ToolSample
from planrunner.tools.installed import installed, need_program
from planrunner.tools.known.artillery import TOOL as ARTILLERY
from planrunner.tools.known.hey import TOOL as HEY
from planrunner.tools.tool_run import ToolEnd, ToolRun, ToolSetting
from tests.support.own_tools import PRINTER

pytestmark = pytest.mark.slow


def run_script(
    folder: Path, text: str, *, timeout_ms: int = 0, stop_at: int = 0
) -> tuple[ToolEnd, list[ToolSample]]:
    """Run a script under the printer; stop it when it has told of so many samples."""
    script = folder / "script.py"
    script.write_text(f"import os, subprocess, sys, time\n{text}")
    job = ToolJob(need_program(PRINTER), script, (), folder / "work")
    setting = ToolSetting(
        folder,
        folder / "log",
        dict(os.environ),
        grace_ns=100_000_000,
        timeout_ns=timeout_ms * 1_000_000,
    )
    run, found = ToolRun(PRINTER, job, setting), list[ToolSample]()

    def take(samples: list[ToolSample]) -> None:
        found.extend(samples)
        if stop_at and len(found) >= stop_at:
            run.stop()

    return asyncio.run(run.run(take)), found  # type: ignore[arg-type]  # a list is a sequence


def test_samples_are_read_and_the_processor_counted(tmp_path: Path) -> None:
    """Also a last line that only the end of the process completes."""
    ended, found = run_script(tmp_path, "print('a,1,200'); print('b,2,500'); sum(range(10**6))")

    assert [(one.request, one.took_ns, one.status) for one in found] == [
        ("a", 1_000_000, 200),
        ("b", 2_000_000, 500),
    ]
    assert (ended.code, ended.failed, ended.notices, ended.is_cut) == (0, "", (), False)
    assert ended.cpu_s is not None
    assert 0 < ended.cpu_s < 60


def test_one_that_dies_says_so_and_its_samples_stay(tmp_path: Path) -> None:
    """With what it printed last; lines that are no samples are counted."""
    ended, found = run_script(tmp_path, "print('a,1,200'); print('out of memory'); sys.exit(3)")

    assert len(found) == 1
    assert ended.all_that_failed == (
        "printer ended with exit code 3; it printed last:\n  a,1,200\n  out of memory"
    )
    assert ended.notices == (
        "printer wrote 1 line that can't be read as samples, so requests may be missing",
    )


def test_what_can_not_be_true_is_no_sample(tmp_path: Path) -> None:
    """Times before its start, or of years: they would be the figures of the whole run."""
    ended, found = run_script(
        tmp_path, "print('a,-1,200'); print('b,9999999999,200'); print('c,1,200')"
    )

    assert [one.request for one in found] == ["c"]
    assert "2 lines that can't be read as samples" in ended.notices[0]


def test_what_a_tool_that_broke_did_not_send_has_not_failed(tmp_path: Path) -> None:
    """hey's CSV lacks what got no reply, and all that was never sent."""
    program = tmp_path / "hey"
    program.write_text("#!/bin/sh\necho boom\nexit 3\n")
    program.chmod(0o755)
    job = ToolJob(str(program), None, ("-n", "100", "-c", "2", "http://h/x"), tmp_path / "work")
    found = list[ToolSample]()
    setting = ToolSetting(tmp_path, tmp_path / "log", dict(os.environ))
    ended = asyncio.run(ToolRun(HEY, job, setting).run(found.extend))

    assert found == []
    assert ended.all_that_failed == "hey ended with exit code 3; it printed last:\n  boom"


def test_a_log_has_an_end_and_samples_in_it_have_none(tmp_path: Path) -> None:
    """Its begin and its end are kept; every sample that was printed counts."""
    ended, found = run_script(
        tmp_path,
        "print('first,1,200')\n"
        "for n in range(200): print('x' * 65_535)\n"
        "print('middle,1,200')\n"
        "for n in range(200): print('y' * 65_535)\n"
        "print('last,1,200')",
    )

    log = (tmp_path / "log").read_bytes()
    assert [one.request for one in found] == ["first", "middle", "last"]
    assert log.startswith(b"first,1,200\nxxx")
    assert log.endswith(b"y\nlast,1,200\n")
    note = re.search(rb"\n\[\xe2\x80\xa6 ([0-9,]+) bytes left out \xe2\x80\xa6\]\n", log)
    assert note is not None
    left_out = int(note[1].replace(b",", b""))
    assert len(log) - len(note[0]) == 1 << 23
    assert left_out + (1 << 23) == 400 * 65_536 + len("first,1,200 middle,1,200 last,1,200 ")
    assert "400 lines" in ended.notices[0]
    assert not (tmp_path / "work" / "printed").exists()


def test_its_own_verdict_is_no_failure(tmp_path: Path) -> None:
    ended, _ = run_script(tmp_path, "sys.exit(9)")

    assert ended.failed == ""
    assert ended.notices == ()
    assert ended.verdict == "printer ended with exit code 9: it is not content"


@pytest.mark.parametrize("limits", [{"timeout_ms": 300}, {"stop_at": 1}])
def test_one_that_hangs_is_stopped_with_its_children(
    tmp_path: Path, limits: dict[str, int]
) -> None:
    """At its timeout, or when the run ends; it takes no notice of being asked."""
    ended, found = run_script(
        tmp_path,
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid)); print('a,1,200'); time.sleep(60)",
        **limits,
    )

    assert ended.is_cut
    assert len(found) == 1
    assert bool(ended.failed) == ("timeout_ms" in limits)
    child = int((tmp_path / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", ["KILL", "SEGV"])
def test_a_signal_is_never_a_verdict(tmp_path: Path, number: str) -> None:
    """Whoever killed it, the script has not had its say; half a line is no sample."""
    program = tmp_path / "artillery"
    program.write_text(
        "#!/bin/sh\n"
        'printf \'[%s000,1.5,"GET","http://h/a","",200,2,""]\\n[1796077,1.\' $(date +%s) '
        '>"$PLANRUNNER_SAMPLES"\n'
        f"kill -{number} $$\n"
    )
    program.chmod(0o755)
    job = ToolJob(str(program), None, (), tmp_path / "work")
    found = list[ToolSample]()
    setting = ToolSetting(tmp_path, tmp_path / "log", dict(os.environ))
    ended = asyncio.run(ToolRun(ARTILLERY, job, setting).run(found.extend))

    assert [one.request for one in found] == ["GET /a"]
    assert ended.failed.startswith("artillery was killed by signal ")
    assert ended.verdict == ""


def test_what_is_not_installed_says_how_to_get_it() -> None:
    tool = Tool(**{name: getattr(PRINTER, name) for name in Tool.__slots__} | {"programs": ("no",)})

    assert installed(tool).program == ""
    assert installed(PRINTER).version.startswith("3.")
    with pytest.raises(CannotRun, match="printer is not installed") as error:
        need_program(tool)
    assert error.value.hint == "get it with `apt-get install python3`"
