"""What a request costs by what it takes, by how large its reply is, and by who else is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.generators import (
    K6_RICH,
    K6_WEIGHTED,
    Gets,
    Getter,
    execute_shipped,
    find_peer,
    getters,
    k6_work,
)
from benchmarks.processes import nginx
from benchmarks.turns import CPU_OF_REQUEST, Generated, requests_in_turns

OURS = "planrunner"
MEGABYTE = 1_000_000

_SERVER_CPU = 0
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
    """CPU of a request, by the work that a plan makes of it, beside wrk's constant GET."""
    with tempfile.TemporaryDirectory() as directory, nginx(cpu=_SERVER_CPU) as port:
        folder, gets = Path(directory), Gets(f"http://127.0.0.1:{port}/kv/42")

        def getting(get: Getter) -> Callable[[int], Generated]:
            return lambda within_s: get(gets, within_s, folder)

        def plan(name: str, formats: str = "metrics.json") -> Callable[[int], Generated]:
            return lambda within_s: execute_shipped(name, port, within_s, folder, formats=formats)

        generate = {f"{name} GET": getting(get) for name, get in getters().items()} | {
            f"{OURS} weighted": plan("throughput.yaml"),
            f"{OURS} weighted with results.csv": plan("throughput.yaml", ""),
            f"{OURS} rich": plan("rich.yaml"),
        }
        if find_peer("k6"):
            generate |= {
                "k6 weighted": lambda s: k6_work(K6_WEIGHTED, port, s, folder),
                "k6 weighted without checks": lambda s: k6_work(
                    K6_WEIGHTED, port, s, folder, check=""
                ),
                "k6 rich": lambda s: k6_work(K6_RICH, port, s, folder),
            }
        found = requests_in_turns(generate, rounds, seconds)
    summary = []
    for work, name, words, target in _WORK:
        peers = {f"{peer} {work}": f"{called} at the same work" for peer, called in _PEERS.items()}
        peers[f"k6 {work} without checks"] = "k6's without checks"
        by_wrk = f"{found.cpu(name, 'wrk GET')} wrk's GET" if "wrk GET" in generate else "(no wrk)"
        line = f"CPU of a request of {words} {by_wrk} (target {target})"
        summary.append(f"{line}{found.cpu_beside(name, peers)}")
    return found.answer(summary, CPU_OF_REQUEST)


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


_PEERS = {"k9": "k9-load's", "k6": "k6's"}


@contextmanager
def _large_file() -> Iterator[Path]:
    """Give a folder that nginx, whoever it runs as, may read."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)
        (folder / "large").write_bytes(b"x" * MEGABYTE)
        yield folder
