"""Replies as real servers give them: heads and cookies that are new each time, and HTTPS."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.generators import find_peer, run_k6
from benchmarks.processes import nginx, run
from benchmarks.turns import SHORT_S, Figures, Generated, Rounds, in_turns, without_start

CONNECTIONS = 64
COMMAND = str(Path(sys.executable).with_name("planrunner"))
CPU_OF = "cpu_us_per_request"
OURS = "planrunner"

CASES = {"constant": "/constant", "heads": "/heads", "cookies": "/cookies", "https": "/constant"}
"""What is asked for; the constant head is as long as one that is new each time."""

_SERVER_CPU, _GENERATOR_CPU = 0, 1

_NGINX = """\
worker_processes 1;
daemon off;
pid {{folder}}/nginx.pid;
error_log {{folder}}/error.log crit;
events {{{{ worker_connections 1024; }}}}
http {{{{
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  default_type application/json;
  server {{{{
    listen 127.0.0.1:{{port}} {tls};
    location /constant {{{{
      add_header X-Request-Id 0123456789abcdef0123456789abcdef;
      add_header ETag '"1796098030.656"';
      add_header traceparent 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01;
      return 200 '{{{{"key":"k","value":"0123456789abcdef","cached":false}}}}';
    }}}}
    location /heads {{{{
      add_header X-Request-Id $request_id;
      add_header ETag '"$msec"';
      add_header traceparent 00-$request_id-0123456789abcdef-01;
      return 200 '{{{{"key":"k","value":"0123456789abcdef","cached":false}}}}';
    }}}}
    location /cookies {{{{
      add_header Set-Cookie "sid=$request_id; Path=/; HttpOnly";
      return 200 '{{{{"key":"k","value":"0123456789abcdef","cached":false}}}}';
    }}}}
  }}}}
}}}}
"""
_TLS = (
    "ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem; "
    "ssl_session_cache none"
)

_PLAN = """\
name: real servers
http: {{version: "1.1", verify: false}}
users:
  Client: {{steps: [{{get: "{url}"}}]}}
phases: [{{users: {users}, hold: {seconds}s}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

_K9 = """\
options: {{vus: {users}, duration: {seconds}s, insecureSkipTLSVerify: true}}
flows:
  default:
    - request: {{url: "{url}", checks: {{ok: {{status: 200}}}}}}
"""

_K6 = """
import http from 'k6/http';
export const options = {{
  vus: {users}, duration: '{seconds}s', insecureSkipTLSVerify: true, noCookiesReset: true,
}};
export default function () {{
  const reply = http.get('{url}');
  if (reply.status !== 200) throw new Error(reply.status);
}}
"""


def real_servers(rounds: int, seconds: int) -> dict:
    """CPU of a request, by what the server makes of its reply, generators interleaved."""
    peers = [OURS, *(peer for peer in ("wrk", "k9", "k6") if find_peer(peer))]
    names = [
        f"{peer} {case}"
        for case in CASES
        for peer in peers
        if peer != "wrk" or case in ("constant", "https")  # it has no cookies, and reads no heads
    ]
    plain, secure = (nginx(cpu=_SERVER_CPU, config=_NGINX.format(tls=tls)) for tls in ("", _TLS))
    with tempfile.TemporaryDirectory() as directory, plain as port, secure as secure_port:

        def measure(name: str) -> Figures:
            peer, case = name.split()
            origin = f"http://127.0.0.1:{port}"
            if case == "https":
                origin = f"https://127.0.0.1:{secure_port}"
            url, generate = origin + CASES[case], _GENERATORS[peer]
            return without_start(
                lambda within_s: generate(url, within_s, Path(directory)),
                max(seconds, SHORT_S + 1),
                "request",
            )

        found = in_turns(names, rounds, measure)
    return found.answer(_said(found, peers), CPU_OF)


def _said(found: Rounds, peers: list[str]) -> list[str]:
    """Return a sentence for each case: ours by our constant one, or by wrk, and by each peer."""

    def times(one: str, other: str) -> str:
        return f"{found.ratio(CPU_OF, one, other):.2f} ×"

    summary = []
    for case, words, target in (
        ("heads", "heads that differ", 1.15),
        ("cookies", "cookies that differ", 1.6),
    ):
        ours = times(f"{OURS} {case}", f"{OURS} constant")
        line = f"CPU of a request whose reply has {words} {ours} that of constant heads"
        summary.append(f"{line} (target {target}){_beside(found, peers, case)}")
    if "wrk" in peers:
        ours = times(f"{OURS} https", "wrk https")
        line = f"CPU of a request over HTTPS {ours} wrk's (target 1.33)"
        summary.append(f"{line}{_beside(found, peers, 'https')}")
    return summary


def _beside(found: Rounds, peers: list[str], case: str) -> str:
    ratios = [
        f", {found.ratio(CPU_OF, f'{OURS} {case}', f'{peer} {case}'):.2f} × {named}'s"
        for peer, named in (("k9", "k9-load"), ("k6", "k6"))
        if peer in peers
    ]
    return "".join(ratios)


def _planrunner(url: str, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    plan.write_text(_PLAN.format(url=url, users=CONNECTIONS, seconds=seconds))
    done = run([COMMAND, "execute", str(plan), "--out", str(out), "-q"], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    return Generated(done, float(totals["total_requests"]), float(totals["requests_per_second"]))


def _wrk(url: str, seconds: int, _: Path) -> Generated:
    done = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url], cpu=_GENERATOR_CPU)
    count, rate = (
        re.search(pattern, done.output)
        for pattern in (r"(\d+) requests in", r"Requests/sec:\s+([\d.]+)")
    )
    if count is None or rate is None or "Non-2xx" in done.output:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(count[1]), float(rate[1]))


def _k9(url: str, seconds: int, directory: Path) -> Generated:
    plan, summary = directory / "k9.yaml", directory / "k9.json"
    plan.write_text(_K9.format(url=url, users=CONNECTIONS, seconds=seconds))
    command = [find_peer("k9"), "run", str(plan), "--http-version", "1.1", "--no-cookies-reset"]
    done = run([*command, "--summary-export", str(summary)], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    requests = json.loads(summary.read_text())["metrics"]["http_reqs"]
    requests = requests.get("values", requests)
    return Generated(done, float(requests["count"]), float(requests["rate"]))


def _k6(url: str, seconds: int, directory: Path) -> Generated:
    script = _K6.format(url=url, users=CONNECTIONS, seconds=seconds)
    return run_k6(script, directory, cpu=_GENERATOR_CPU)


_GENERATORS: dict[str, Callable[[str, int, Path], Generated]] = {
    OURS: _planrunner,
    "wrk": _wrk,
    "k9": _k9,
    "k6": _k6,
}
