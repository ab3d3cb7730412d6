"""What a request costs by what it takes, by how large its reply is, and by who else is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.generators import OURS, Gets, Getter, getters, work
from benchmarks.processes import nginx
from benchmarks.turns import CPU_OF_REQUEST, Generated, Rounds, requests_in_turns

MEGABYTE = 1_000_000

_SERVER_CPU = 0
_PEERS = {"k9": "k9-load's", "k6": "k6's", "locust": "Locust's"}
_WORK = (
    ("GET", f"{OURS} GET", "one constant GET", 1.25),
    ("weighted", f"{OURS} weighted", "the weighted plan", 1.45),
    ("weighted", f"{OURS} weighted with results.csv", "the same with results.csv", 1.6),
    ("rich", f"{OURS} rich", "the rich plan", 1.9),
)
_SIZES = {
    "of 1 MB": ("/large", 64),
    "over 1 connection": ("/", 1),
    "over 1000 connections": ("/", 1_000),
}

_NGINX = """\
worker_processes 1;
worker_rlimit_nofile 16384;
daemon off;
pid {{folder}}/nginx.pid;
error_log {{folder}}/error.log crit;
events {{{{ worker_connections 8192; }}}}
http {{{{
  access_log off;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  default_type application/json;
  open_file_cache max=8;
  server {{{{
    listen 127.0.0.1:{{port}} backlog=8192;
    location / {{{{ return 200 '{{{{"key":"k","value":"0123456789abcdef","cached":false}}}}'; }}}}
    location /large {{{{ root {served}; }}}}
  }}}}
}}}}
"""


def request_cost(rounds: int, seconds: int) -> dict:
    """Requests/s, and CPU of a request, by the work that a plan makes of it."""
    with tempfile.TemporaryDirectory() as directory, nginx(cpu=_SERVER_CPU) as port:
        folder, gets = Path(directory), Gets(f"http://127.0.0.1:{port}/kv/42")

        def getting(get: Getter) -> Callable[[int], Generated]:
            return lambda seconds: get(gets, seconds, folder)

        def working(one: Callable[[int, int, Path], Generated]) -> Callable[[int], Generated]:
            return lambda seconds: one(port, seconds, folder)

        generate = {f"{name} GET": getting(get) for name, get in getters().items()}
        generate |= {name: working(one) for name, one in work().items()}
        found = requests_in_turns(generate, rounds, seconds)
    return found.answer(_said_of_work(found), CPU_OF_REQUEST)


def _said_of_work(found: Rounds) -> list[str]:
    """Return a sentence for each plan: by wrk's constant GET, and by each peer at the same work."""
    summary = []
    for kind, name, words, target in _WORK:
        peers = {f"{peer} {kind}": called for peer, called in _PEERS.items()}
        peers[f"k6 {kind} without checks"] = "k6's without checks"
        line = f"{words}: CPU of a request"
        if "wrk GET" in found.counted:
            rate = found.ratio("rate", name, "wrk GET")
            line += f" {found.cpu(name, 'wrk GET')} wrk's GET (target {target}), at {rate:.2f} × "
            line += "its requests/s"
        beside = found.cpu_beside(name, peers)
        summary.append(f"{line}; at the same work{beside}" if beside else line)
    return summary


def request_sizes(rounds: int, seconds: int) -> dict:
    """CPU of a request by the size of its reply and by the number of connections."""
    with (
        tempfile.TemporaryDirectory() as directory,
        _large_file() as served,
        nginx(cpu=_SERVER_CPU, config=_NGINX.format(served=served)) as port,
    ):

        def getting(get: Getter, path: str, connections: int) -> Callable[[int], Generated]:
            gets = Gets(f"http://127.0.0.1:{port}{path}", connections)
            return lambda within_s: get(gets, within_s, Path(directory))

        generate = {
            f"{name} {case}": getting(get, path, connections)
            for case, (path, connections) in _SIZES.items()
            for name, get in getters().items()
        }
        found = requests_in_turns(generate, rounds, seconds)
    peers = {"wrk": "wrk's", **_PEERS}
    summary = []
    for case in _SIZES:
        others = {f"{peer} {case}": called for peer, called in peers.items()}
        beside = found.cpu_beside(f"{OURS} {case}", others).removeprefix(", ")
        summary.append(f"CPU of a request {case} {beside}")
    return found.answer(summary, CPU_OF_REQUEST)


@contextmanager
def _large_file() -> Iterator[Path]:
    """Give a folder that nginx, whoever it runs as, may read."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)
        (folder / "large").write_bytes(b"x" * MEGABYTE)
        yield folder
