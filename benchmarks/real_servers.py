"""Replies as real servers give them: heads and cookies that are new each time, and HTTPS."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.generators import OURS, Gets, Getter, getters
from benchmarks.processes import nginx
from benchmarks.turns import CPU_OF_REQUEST, Generated, Rounds, requests_in_turns

CASES = {"constant": "/constant", "heads": "/heads", "cookies": "/cookies", "https": "/constant"}
"""What is asked for; the constant head is as long as one that is new each time."""

_SERVER_CPU = 0

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


def real_servers(rounds: int, seconds: int) -> dict:
    """CPU of a request, by what the server makes of its reply, generators interleaved."""
    plain, secure = (nginx(cpu=_SERVER_CPU, config=_NGINX.format(tls=tls)) for tls in ("", _TLS))
    with tempfile.TemporaryDirectory() as folder, plain as port, secure as secure_port:

        def asking(get: Getter, case: str) -> Callable[[int], Generated]:
            is_secure = case == "https"
            origin = f"https://127.0.0.1:{secure_port}" if is_secure else f"http://127.0.0.1:{port}"
            gets = Gets(origin + CASES[case])
            return lambda within_s: get(gets, within_s, Path(folder))

        generate = {
            f"{name} {case}": asking(get, case)
            for case in CASES
            for name, get in getters().items()
            # It has no cookies, and reads no heads.
            if name != "wrk" or case in ("constant", "https")
        }
        found = requests_in_turns(generate, rounds, seconds)
    return found.answer(_said(found), CPU_OF_REQUEST)


def _said(found: Rounds) -> list[str]:
    """Return a sentence for each case: ours by our constant one, or by wrk, and by each peer."""
    summary = []
    for case, words, target in (
        ("heads", "heads that differ", 1.15),
        ("cookies", "cookies that differ", 1.6),
    ):
        ours = found.cpu(f"{OURS} {case}", f"{OURS} constant")
        line = f"CPU of a request whose reply has {words} {ours} that of constant heads"
        summary.append(f"{line} (target {target}){_beside(found, case)}")
    if "wrk https" in found.counted:
        ours = found.cpu(f"{OURS} https", "wrk https")
        line = f"CPU of a request over HTTPS {ours} wrk's (target 1.33)"
        summary.append(f"{line}{_beside(found, 'https')}")
    return summary


def _beside(found: Rounds, case: str) -> str:
    return found.cpu_beside(f"{OURS} {case}", {f"k9 {case}": "k9-load's", f"k6 {case}": "k6's"})
