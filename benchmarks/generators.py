"""The load generators under comparison: each takes a port and gives requests and CPU."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Outcome, run
from benchmarks.turns import Generated

HERE = Path(__file__).resolve().parent
USERS = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one generator."""

    rate: float
    requests: int
    cpu_us_per_request: float
    peak_mb: float


def _measured(requests: int, rate: float, outcome: Outcome) -> Measured:
    return Measured(
        round(rate, 1),
        requests,
        round(outcome.cpu_s / max(requests, 1) * 1e6, 2),
        round(outcome.peak_bytes / 1e6, 1),
    )


def planrunner(port: int, seconds: int, *, formats: str, plan: str = "throughput.yaml") -> Measured:
    """Run a plan of benchmarks/plans as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        outcome = run(
            [
                str(Path(sys.executable).with_name("planrunner")),
                "execute",
                str(HERE / "plans" / plan),
                *("--set", f"port={port}", "--set", f"hold={seconds}s"),
                *("--set", f"users={USERS}", "--out", str(out), "--quiet"),
                *(("--formats", formats) if formats else ()),
            ],
            cpu=1,
        )
        metrics = out / "metrics.json"
        if not metrics.exists():
            raise RuntimeError(
                f"planrunner wrote no metrics.json:\n{outcome.output}{outcome.errors}"
            )
        totals = json.loads(metrics.read_text())["totals"]
    if totals["failed_requests"]:
        raise RuntimeError(f"{plan}: {totals['failed_requests']} requests failed")
    return _measured(totals["total_requests"], totals["requests_per_second"], outcome)


def wrk(port: int, seconds: int) -> Measured:
    url = f"http://127.0.0.1:{port}/kv/42"
    outcome = run(["wrk", "-t1", f"-c{USERS}", f"-d{seconds}s", url], cpu=1)
    requests = int(re.search(r"(\d+) requests in", outcome.output)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", outcome.output)[1])
    return _measured(requests, rate, outcome)


_K6 = """
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
  check(reply, {{ ok: (r) => r.status >= 200 && r.status < 400 }});
}}
"""


# The work of plans/rich.yaml: a row in path and body, a look into the reply.
_K6_RICH = """
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


def k6(port: int, seconds: int, *, script: str = _K6) -> Measured:
    data = HERE / "plans" / "data" / "keys.csv"
    with tempfile.TemporaryDirectory() as folder:
        text = script.format(users=USERS, seconds=seconds, port=port, data=data)
        done = run_k6(text, Path(folder), cpu=1)
    return _measured(int(done.count), done.rate, done.outcome)


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
            cpu=1,
            cwd=Path(folder),
        )
    table = json.loads(outcome.output[outcome.output.index("[") :])
    requests = sum(row["num_requests"] for row in table)
    return _measured(requests, requests / seconds, outcome)


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
        found["k6"] = lambda port, seconds: k6(port, seconds, script=_K6_RICH)
    return found
