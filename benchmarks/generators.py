"""The load generators under comparison, each run as a user would run it."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import run
from benchmarks.turns import Generated

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))
GENERATOR_CPU = 1
USERS = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one generator."""

    rate: float
    requests: int
    cpu_us_per_request: float
    peak_mb: float


def _measured(done: Generated) -> Measured:
    return Measured(
        round(done.rate, 1),
        int(done.count),
        round(done.outcome.cpu_s / max(done.count, 1) * 1e6, 2),
        round(done.outcome.peak_bytes / 1e6, 1),
    )


def planrunner(port: int, seconds: int, *, formats: str, plan: str = "throughput.yaml") -> Measured:
    """Run a plan of benchmarks/plans."""
    with tempfile.TemporaryDirectory() as folder:
        return _measured(execute_shipped(plan, port, seconds, Path(folder), formats=formats))


def execute_shipped(
    plan: str, port: int, seconds: int, directory: Path, *, formats: str
) -> Generated:
    """Run a plan of benchmarks/plans; one of whose requests fails is an error."""
    settings = {"port": port, "hold": f"{seconds}s", "users": USERS}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    if formats:
        options += ["--formats", formats]
    return _execute(HERE / "plans" / plan, options, directory)


def _execute(plan: Path, options: Sequence[str], directory: Path) -> Generated:
    out = directory / f"out-{time.monotonic_ns()}"
    done = run(
        [COMMAND, "execute", str(plan), *options, "--out", str(out), "-q"], cpu=GENERATOR_CPU
    )
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    if totals["failed_requests"]:
        raise RuntimeError(f"{plan}: {totals['failed_requests']} requests failed")
    return Generated(done, float(totals["total_requests"]), float(totals["requests_per_second"]))


# -- one URL, asked for again and again ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gets:
    """What each generator can do: so many connections ask for a URL, a status of 200 expected."""

    url: str
    connections: int = USERS


_GETS = """\
name: gets
http: {{version: "1.1", verify: false}}
users:
  Client: {{steps: [{{get: "{url}"}}]}}
phases: [{{users: {users}, hold: {seconds}s}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

_K9_GETS = """\
options: {{vus: {users}, duration: {seconds}s, insecureSkipTLSVerify: true}}
flows:
  default:
    - request: {{url: "{url}", checks: {{ok: {{status: 200}}}}}}
"""

_K6_GETS = """
import http from 'k6/http';
export const options = {{
  vus: {users}, duration: '{seconds}s', insecureSkipTLSVerify: true, noCookiesReset: true,
}};
export default function () {{
  const reply = http.get('{url}');
  if (reply.status !== 200) throw new Error(reply.status);
}}
"""


def _planrunner_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    plan = directory / "plan.yaml"
    plan.write_text(_GETS.format(url=gets.url, users=gets.connections, seconds=seconds))
    return _execute(plan, (), directory)


def _wrk_gets(gets: Gets, seconds: int, _: Path) -> Generated:
    done = run(
        ["wrk", "-t1", f"-c{gets.connections}", f"-d{seconds}s", gets.url], cpu=GENERATOR_CPU
    )
    count, rate = (
        re.search(pattern, done.output)
        for pattern in (r"(\d+) requests in", r"Requests/sec:\s+([\d.]+)")
    )
    if count is None or rate is None or "Non-2xx" in done.output:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(count[1]), float(rate[1]))


def _k9_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    plan, summary = directory / "k9.yaml", directory / "k9.json"
    plan.write_text(_K9_GETS.format(url=gets.url, users=gets.connections, seconds=seconds))
    command = [find_peer("k9"), "run", str(plan), "--http-version", "1.1", "--no-cookies-reset"]
    done = run([*command, "--summary-export", str(summary)], cpu=GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    requests = json.loads(summary.read_text())["metrics"]["http_reqs"]
    requests = requests.get("values", requests)
    return Generated(done, float(requests["count"]), float(requests["rate"]))


def _k6_gets(gets: Gets, seconds: int, directory: Path) -> Generated:
    script = _K6_GETS.format(url=gets.url, users=gets.connections, seconds=seconds)
    return run_k6(script, directory, cpu=GENERATOR_CPU)


Getter = Callable[[Gets, int, Path], Generated]
"""Asks for so many seconds; what it has to write goes into a folder."""

_GETTERS: dict[str, Getter] = {
    "planrunner": _planrunner_gets,
    "wrk": _wrk_gets,
    "k9": _k9_gets,
    "k6": _k6_gets,
}


def getters() -> dict[str, Getter]:
    """Return what can be asked for one URL, of the generators that are installed here."""
    return {name: get for name, get in _GETTERS.items() if name == "planrunner" or find_peer(name)}


def wrk(port: int, seconds: int) -> Measured:
    gets = Gets(f"http://127.0.0.1:{port}/kv/42")
    return _measured(_wrk_gets(gets, seconds, HERE))


# -- the work of plans ---------------------------------------------------------------------------

K6_WEIGHTED = """
import http from 'k6/http';
import {{ check }} from 'k6';
export const options = {{ vus: {users}, duration: '{seconds}s',
  thresholds: {{ http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] }} }};
const base = 'http://127.0.0.1:{port}';
export default function () {{
  const pick = Math.random() * 14;
  let reply;
  if (pick < 10) reply = http.get(`${{base}}/kv/${{Math.floor(Math.random() * 1000)}}`,
    {{ tags: {{ name: 'GET /kv/:key' }} }});
  else if (pick < 13) reply = http.get(`${{base}}/kv`);
  else reply = http.del(`${{base}}/kv/1`);
  {check}
}}
"""
"""The work of plans/throughput.yaml."""

K6_CHECK = "check(reply, { ok: (r) => r.status >= 200 && r.status < 400 });"

K6_RICH = """
import http from 'k6/http';
import {{ check }} from 'k6';
import {{ SharedArray }} from 'k6/data';
import {{ scenario }} from 'k6/execution';
const keys = new SharedArray('keys', () => {{
  const [head, ...lines] = open('{data}').trim().split('\\n').map((line) => line.split(','));
  return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
}});
export const options = {{ vus: {users}, duration: '{seconds}s',
  thresholds: {{ http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] }} }};
export default function () {{
  const row = keys[scenario.iterationInTest % keys.length];
  const reply = http.post(`http://127.0.0.1:{port}/kv/${{row.key}}`,
    JSON.stringify({{ key: row.key, value: '0123456789abcdef', cached: false }}),
    {{ headers: {{ 'Content-Type': 'application/json' }}, tags: {{ name: 'POST /kv/:key' }} }});
  const data = reply.json();
  check(reply, {{ ok: (r) => r.status >= 200 && r.status < 400 && data.cached === false }});
  const value = data.value;
}}
"""
"""That of plans/rich.yaml: a row in path and body, a look into the reply."""


def k6(port: int, seconds: int, *, script: str = K6_WEIGHTED) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        return _measured(k6_work(script, port, seconds, Path(folder)))


def k6_work(
    script: str, port: int, seconds: int, directory: Path, *, check: str = K6_CHECK
) -> Generated:
    """Run one of the scripts above; without a check, a failed reply is counted all the same."""
    data = HERE / "plans" / "data" / "keys.csv"
    text = script.format(users=USERS, seconds=seconds, port=port, data=data, check=check)
    return run_k6(text, directory, cpu=GENERATOR_CPU)


def run_k6(script: str, directory: Path, *, cpu: int) -> Generated:
    """Run a script of k6 and return its requests; one that throws is an error."""
    path = directory / "script.js"
    path.write_text(script)
    done = run([find_peer("k6"), "run", "--no-usage-report", str(path)], cpu=cpu)
    found = re.search(r"http_reqs\.*:\s+(\d+)\s+([\d.]+)/s", done.output)
    if found is None or "throw" in done.errors:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(found[1]), float(found[2]))


_LOCUST = """
import random
from locust import FastHttpUser, constant, task
class Visitor(FastHttpUser):
    wait_time = constant(0)
    @task(10)
    def get(self): self.client.get(f"/kv/{random.randrange(1000)}", name="GET /kv/:key")
    @task(3)
    def put(self): self.client.get("/kv")
    @task(1)
    def drop(self): self.client.delete("/kv/1")
"""


def locust(port: int, seconds: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "locustfile.py").write_text(_LOCUST)
        outcome = run(
            [
                *(find_peer("locust"), "--headless", "--users", str(USERS)),
                *("--spawn-rate", str(USERS), "--run-time", f"{seconds}s"),
                *("--host", f"http://127.0.0.1:{port}", "--json", "--only-summary"),
            ],
            cpu=GENERATOR_CPU,
            cwd=Path(folder),
        )
    table = json.loads(outcome.output[outcome.output.index("[") :])
    requests = sum(row["num_requests"] for row in table)
    return _measured(Generated(outcome, requests, requests / seconds))


def find_peer(name: str) -> str:
    """Return a peer's path: beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or ""


Generator = Callable[[int, int], Measured]


def available() -> dict[str, Generator]:
    """Return the generators that are installed here, planrunner first."""
    found: dict[str, Generator] = {
        "planrunner": lambda port, seconds: planrunner(port, seconds, formats="metrics.json"),
        "planrunner+csv": lambda port, seconds: planrunner(port, seconds, formats=""),
    }
    peers = {"wrk": wrk, "k6": k6, "locust": locust}
    found |= {name: peer for name, peer in peers.items() if find_peer(name)}
    return found


def rich() -> dict[str, Generator]:
    """Return those of the rich plan: the plain one beside it, and k6 where it is installed."""
    found: dict[str, Generator] = {
        "plain": lambda port, seconds: planrunner(port, seconds, formats="metrics.json"),
        "rich": lambda port, seconds: planrunner(
            port, seconds, formats="metrics.json", plan="rich.yaml"
        ),
    }
    if find_peer("k6"):
        found["k6"] = lambda port, seconds: k6(port, seconds, script=K6_RICH)
    return found
