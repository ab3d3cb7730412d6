"""The load generators under comparison, each run as a user would run it."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer_work import (
    K6_CHECK,
    K6_GETS,
    K6_RICH,
    K6_WEIGHTED,
    K9_GETS,
    K9_RICH,
    K9_WEIGHTED,
    LOCUST_WEIGHTED,
    PLANRUNNER_GETS,
)
from benchmarks.processes import run
from benchmarks.turns import Generated

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))
OURS = "planrunner"
GENERATOR_CPU = 1
USERS = 64


def find_peer(name: str) -> str:
    """Return a peer's path: beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or ""


# -- how each is run ------------------------------------------------------------------------------


def execute_shipped(
    plan: str, port: int, seconds: int, directory: Path, *, formats: str
) -> Generated:
    """Run a plan of benchmarks/plans; one of whose requests fails is an error."""
    settings = {"port": port, "hold": f"{seconds}s", "users": USERS}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    if formats:
        options += ["--formats", formats]
    return execute(HERE / "plans" / plan, options, directory)


def execute(
    plan: Path, options: Sequence[str], directory: Path, *, cpu: int | None = GENERATOR_CPU
) -> Generated:
    """Run a plan; one of whose requests fails is an error."""
    out = directory / f"out-{time.monotonic_ns()}"
    done = run([COMMAND, "execute", str(plan), *options, "--out", str(out), "-q"], cpu=cpu)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    if totals["failed_requests"]:
        raise RuntimeError(f"{plan}: {totals['failed_requests']} requests failed")
    return Generated(done, float(totals["total_requests"]), float(totals["requests_per_second"]))


def run_k6(script: str, directory: Path, *, cpu: int | None = GENERATOR_CPU) -> Generated:
    """Run a script of k6 and return its requests; one that throws is an error."""
    path = directory / "script.js"
    path.write_text(script)
    done = run([find_peer("k6"), "run", "--no-usage-report", str(path)], cpu=cpu)
    found = re.search(r"http_reqs\.*:\s+(\d+)\s+([\d.]+)/s", done.output)
    if found is None or "throw" in done.errors:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(found[1]), float(found[2]))


def run_k9(
    plan: str, directory: Path, *, version: str = "1.1", counted: str = "http_reqs"
) -> tuple[Generated, Mapping[str, Mapping[str, float]]]:
    """Run a YAML plan of k9-load; return what one of its metrics counts, and all by name."""
    path, summary = directory / "k9.yaml", directory / "k9.json"
    path.write_text(plan)
    command = [find_peer("k9"), "run", str(path), "--http-version", version, "--no-cookies-reset"]
    done = run([*command, "-q", "--summary-export", str(summary)], cpu=GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    metrics = json.loads(summary.read_text())["metrics"]
    found = metrics[counted]
    return Generated(done, float(found["count"]), float(found["rate"])), metrics


def _run_wrk(url: str, connections: int, seconds: int) -> Generated:
    done = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url], cpu=GENERATOR_CPU)
    count, rate = (
        re.search(pattern, done.output)
        for pattern in (r"(\d+) requests in", r"Requests/sec:\s+([\d.]+)")
    )
    if count is None or rate is None or "Non-2xx" in done.output:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(count[1]), float(rate[1]))


def _run_locust(port: int, seconds: int, directory: Path) -> Generated:
    (directory / "locustfile.py").write_text(LOCUST_WEIGHTED)
    done = run(
        [
            *(find_peer("locust"), "--headless", "--users", str(USERS)),
            *("--spawn-rate", str(USERS), "--run-time", f"{seconds}s"),
            *("--host", f"http://127.0.0.1:{port}", "--json", "--only-summary"),
        ],
        cpu=GENERATOR_CPU,
        cwd=directory,
    )
    table = json.loads(done.output[done.output.index("[") :])
    requests = float(sum(row["num_requests"] for row in table))
    return Generated(done, requests, requests / seconds)


# -- one URL, asked for again and again ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gets:
    """What each generator can do: so many connections ask for a URL, a status of 200 expected."""

    url: str
    connections: int = USERS

    def written(self, text: str, seconds: int) -> str:
        """Return a plan or script of it."""
        return text.format(url=self.url, users=self.connections, seconds=seconds, version="1.1")


def _planrunner_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    plan = directory / "plan.yaml"
    plan.write_text(gets.written(PLANRUNNER_GETS, seconds))
    return execute(plan, (), directory)


def _wrk_gets(gets: Gets, seconds: int, _: Path) -> Generated:
    return _run_wrk(gets.url, gets.connections, seconds)


def _k9_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    return run_k9(gets.written(K9_GETS, seconds), directory)[0]


def _k6_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    return run_k6(gets.written(K6_GETS, seconds), directory)


Getter = Callable[[Gets, int, Path], Generated]
"""Asks for so many seconds; what it has to write goes into a folder."""

_GETTERS: dict[str, Getter] = {
    OURS: _planrunner_gets,
    "wrk": _wrk_gets,
    "k9": _k9_gets,
    "k6": _k6_gets,
}


def getters() -> dict[str, Getter]:
    """Return what can be asked for one URL, of the generators that are installed here."""
    return {name: get for name, get in _GETTERS.items() if name == OURS or find_peer(name)}


# -- the work of plans ---------------------------------------------------------------------------

_Work = Callable[[int, int, Path], Generated]
"""Does it against a port for so many seconds."""


def _shipped(plan: str, formats: str = "metrics.json") -> _Work:
    return lambda port, s, folder: execute_shipped(plan, port, s, folder, formats=formats)


def _by_k6(script: str, check: str = K6_CHECK) -> _Work:
    """Without a check, a failed reply is counted all the same."""
    return lambda port, s, folder: run_k6(_written(script, port, s, check=check), folder)


def _by_k9(plan: str) -> _Work:
    return lambda port, s, folder: run_k9(_written(plan, port, s), folder)[0]


def _written(text: str, port: int, seconds: int, *, check: str = "") -> str:
    data = HERE / "plans" / "data" / "keys.csv"
    tenth = USERS // 14
    shares = {"of_ten": USERS - 4 * tenth, "of_three": 3 * tenth, "of_one": tenth}
    return text.format(users=USERS, seconds=seconds, port=port, data=data, check=check, **shares)


_WORK: dict[str, _Work] = {
    f"{OURS} weighted": _shipped("throughput.yaml"),
    f"{OURS} weighted with results.csv": _shipped("throughput.yaml", ""),
    "k9 weighted": _by_k9(K9_WEIGHTED),
    "k6 weighted": _by_k6(K6_WEIGHTED),
    "k6 weighted without checks": _by_k6(K6_WEIGHTED, check=""),
    "locust weighted": _run_locust,
    f"{OURS} rich": _shipped("rich.yaml"),
    "k9 rich": _by_k9(K9_RICH),
    "k6 rich": _by_k6(K6_RICH),
}


def work() -> dict[str, _Work]:
    """Return who does the work of plans, of the generators that are installed here."""
    return {
        name: one
        for name, one in _WORK.items()
        if name.startswith(OURS) or find_peer(name.split(" ", 1)[0])
    }
