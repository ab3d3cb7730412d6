"""HTTP/2 over TLS: planrunner beside a bare loop of jh2, and k6.

`python benchmarks/http2.py jh2 PORT SECONDS` is the bare loop.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
import time
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # as a script it has only its own folder

from benchmarks.generators import Gets, find_peer, run_k6, run_k9  # noqa: E402
from benchmarks.peer_work import K9_GETS  # noqa: E402
from benchmarks.processes import nginx, run  # noqa: E402
from benchmarks.turns import SHORT_S, Figures, Generated, in_turns, without_start  # noqa: E402

CONNECTIONS = 64
COMMAND = str(Path(sys.executable).with_name("planrunner"))

PLAN = """\
name: http2 bench
params: {{seconds: {{type: duration, default: 5s}}}}
http: {{base_url: "https://127.0.0.1:{port}", version: {version}, verify: false}}
users:
  Client: {{steps: [{{get: /kv}}]}}
phases: [{{users: {users}, hold: "${{seconds}}"}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

_K6 = """
import http from 'k6/http';
export const options = {{
  vus: {users}, duration: '{seconds}s', gracefulStop: '1s', insecureSkipTLSVerify: true,
}};
export default function () {{
  const reply = http.get('https://127.0.0.1:{port}/kv');
  if (reply.proto !== 'HTTP/2.0') throw new Error(reply.proto);
}}
"""

_NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    location / {{ return 200 '{{"key":"k","value":"0123456789abcdef","cached":false}}'; }}
  }}
}}
"""

_SERVER_CPU, _GENERATOR_CPU = 0, 1

_PEERS = {"k9": ("k9-load", ""), "k6": ("k6", " (target 1.5)")}


def http2(rounds: int, seconds: int) -> dict:
    """Requests a second over 64 connections, one at a time on each, generators interleaved."""
    names = ["planrunner", "jh2", "http/1.1", *filter(find_peer, _PEERS)]
    server = nginx(cpu=_SERVER_CPU, config=_NGINX)
    with tempfile.TemporaryDirectory() as directory, server as port:

        def measure(name: str) -> Figures:
            return _measure(name, port, max(seconds, SHORT_S + 1), Path(directory))

        found = in_turns(names, rounds, measure)
    rate, cpu = found.medians("rate"), found.medians("cpu_us_per_request")
    ours = "planrunner"
    summary = [
        f"{rate[ours] / rate['jh2']:.2f} × a bare loop of jh2 (target 0.6)",
        f"CPU per request {cpu[ours] / cpu['jh2']:.2f} × that of the bare loop, "
        f"{cpu[ours] / cpu['http/1.1']:.2f} × that of planrunner over HTTP/1.1",
    ]
    for peer, (called, target) in _PEERS.items():
        if peer in rate:
            summary.append(
                f"{rate[ours] / rate[peer]:.2f} × {called}{target}"
                f"{found.cpu_beside(ours, {peer: 'its CPU per request'})}"
            )
    return found.answer(summary, "cpu_us_per_request")


def _measure(name: str, port: int, seconds: int, directory: Path) -> Figures:
    """Return the rate, and the CPU of a request without that of starting."""
    generate = {"jh2": _jh2, "k6": _k6, "k9": _k9}.get(name, _planrunner)
    return without_start(
        lambda within_s: generate(name, port, within_s, directory), seconds, "request"
    )


def _planrunner(name: str, port: int, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    version = "1.1" if name == "http/1.1" else "2"
    plan.write_text(PLAN.format(port=port, users=CONNECTIONS, version=version))
    command = [COMMAND, "execute", str(plan), "--set", f"seconds={seconds}s", "--out", str(out)]
    done = run([*command, "-q"], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    count, rate = totals["total_requests"], totals["requests_per_second"]
    return Generated(done, float(count), float(rate))


def _jh2(name: str, port: int, seconds: int, _: Path) -> Generated:
    done = run([sys.executable, __file__, name, str(port), str(seconds)], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    rate = float(done.output)
    return Generated(done, rate * seconds, rate)


def _k6(_: str, port: int, seconds: int, directory: Path) -> Generated:
    script = _K6.format(port=port, users=CONNECTIONS, seconds=seconds)
    return run_k6(script, directory, cpu=_GENERATOR_CPU)


def _k9(_: str, port: int, seconds: int, directory: Path) -> Generated:
    gets = Gets(f"https://127.0.0.1:{port}/kv", CONNECTIONS)
    return run_k9(gets.written(K9_GETS, seconds), directory, version="2")[0]


def jh2(port: int, seconds: float) -> None:  # noqa: C901 - one script
    """Connections that do nothing but send and count what comes."""
    import uvloop  # noqa: PLC0415
    from jh2.config import H2Configuration  # noqa: PLC0415
    from jh2.connection import H2Connection  # noqa: PLC0415
    from jh2.events import DataReceived, StreamEnded  # noqa: PLC0415

    head = [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", f"127.0.0.1:{port}".encode()),
        (b":path", b"/kv"),
        (b"user-agent", b"planrunner"),
        (b"accept", b"*/*"),
        (b"accept-encoding", b"gzip, deflate, br, zstd"),
    ]
    settings = H2Configuration(
        client_side=True,
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
        normalize_inbound_headers=False,
    )

    class Loop(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.done, self.transport = 0, transport
            self.connection = H2Connection(settings)
            self.connection.initiate_connection()
            self.send()

        def send(self) -> None:
            stream = self.connection.get_next_available_stream_id()
            self.connection.send_headers(stream, head, end_stream=True)
            self.transport.write(self.connection.data_to_send())

        def data_received(self, data: bytes) -> None:
            connection = self.connection
            for event in connection.receive_data(data):
                if isinstance(event, DataReceived):
                    size = event.flow_controlled_length
                    connection.acknowledge_received_data(size, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self.done += 1
                    self.send()
            if out := connection.data_to_send():
                self.transport.write(out)

    async def main() -> float:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()
        loops = [
            (await loop.create_connection(Loop, "127.0.0.1", port, ssl=context))[1]
            for _ in range(CONNECTIONS)
        ]
        began, before = time.perf_counter(), sum(each.done for each in loops)
        await asyncio.sleep(seconds)
        return (sum(each.done for each in loops) - before) / (time.perf_counter() - began)

    print(uvloop.run(main()))


if __name__ == "__main__":
    jh2(int(sys.argv[2]), float(sys.argv[3]))
