"""Words of Locust, k6, JMeter, Taurus and Artillery that no single key here means, with hints.

Words with a key of the same meaning are synonyms, and stand with the mapping that has the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["HTTP_WORDS", "PHASE_HINTS", "PLAN_WORDS", "STEP_WORDS", "USER_WORDS"]

_LOAD: Final = "say how much load in `stages: [{duration: 1m, users: 10}]` or `phases:`"
_TARGET: Final = "write `http: {base_url: …}`"
_OPEN: Final = "the keys say which load it is: `rate: 10/s` with `hold: 1m` for arrivals"
_CLOSED: Final = "the keys say which load it is: `users: 10` with `hold: 1m` for users"
_COUNTED: Final = "the keys say which load it is: `users: 10` with `iterations: 100`"
_HOOK: Final = "write a step `python: FUNCTION`, with `hooks: FILE.py` in the plan"
_COOKIES: Final = "users keep cookies by themselves; send one with `headers: {Cookie: a=1}`"
_BODIES: Final = "leave it out: bodies that nothing reads are not kept"
_EXECUTORS: Final = {
    **dict.fromkeys(("constant_arrival_rate", "ramping_arrival_rate"), _OPEN),
    **dict.fromkeys(("constant_vus", "ramping_vus", "externally_controlled"), _CLOSED),
    **dict.fromkeys(("shared_iterations", "per_vu_iterations"), _COUNTED),
    "executor": "leave it out: `users`, `rate` and `iterations` say which load it is",
}

PLAN_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("host", "target", "url", "baseurl", "server", "default_address"), _TARGET),
    **dict.fromkeys(
        (
            *("vus", "run_time", "iterations", "concurrency", "threadgroup", "threads", "options"),
            *("config", "ramp_up", "hold-for", "spawn_rate", "rate", "load_profile", "workload"),
            *("executors", "duration", "arrival_rate", "thread_groups", "num_threads", "ramp_time"),
        ),
        _LOAD,
    ),
    **_EXECUTORS,
    "output": "write `report: {dir: …}`, or run with `--out DIR`",
    "flow": "write it in a class: `users: {Visitor: {steps: [{get: /}]}}`",
    "requests": "write them in a class: `users: {Visitor: {steps: [{get: /}]}}`",
    "engines": "leave it out: the keys of steps say which protocol is meant",
    "engine": "leave it out: the keys of steps say which protocol is meant",
    "plugins": "leave it out: installed protocols are found by their keys",
    "modules": "leave it out: `planrunner execute` runs the plan itself",
    "settings": "leave it out, or say it with an option: `planrunner execute --help`",
    "provisioning": "leave it out: `--workers N` shares the load among processes",
    "processor": _HOOK,
    **dict.fromkeys(("before_request", "after_response", "before_scenario", "plugin"), _HOOK),
    "tls": "write `http: {verify: false}`, or `http: {ca: ca.pem}`",
    "insecure_skip_tls_verify": "write `http: {verify: false}`",
    "defaults": "write `http: {headers: {…}}`, or a file `planrunner.yaml` beside the plan",
    "discard_response_bodies": _BODIES,
    "setup_timeout": "write `timeout` at the requests of `setup`",
    "teardown_timeout": "write `timeout` at the requests of `teardown`",
    "summary_trend_stats": "leave it out: thresholds name any percentile, such as `p99.9 < 1s`",
    "variables": "here it is called `params`, or `data` where users get rows of their own",
    "timeout": "write `http: {timeout: 10s}`",
    "headers": "write `http: {headers: {Accept: application/json}}`",
    "cookies": "users keep cookies by themselves; send one with `http: {headers: {Cookie: a=1}}`",
    "wait_time": "write it in a class: `users: {Visitor: {wait: 1s..5s}}`",
    "think_time": "write it in a class: `users: {Visitor: {wait: 1s..5s}}`",
    "between": "write it in a class: `users: {Visitor: {wait: 1s..5s}}`",
    "checks": "write it at a request: `expect: {status: 200}`",
    "extract": "write it at a request: `extract: {id: $.id}`",
}

USER_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("host", "default_address", "base_url", "target"), _TARGET),
    **dict.fromkeys(("vus", "threads", "users", "concurrency"), "here it is called `count`"),
    **dict.fromkeys(
        ("iterations", "loops", "duration", "hold", "arrival_rate", "ramp_up", "rate"),
        "it belongs to a phase: `phases: [{users: 10, iterations: 100}]`",
    ),
    **_EXECUTORS,
    **dict.fromkeys(("min_wait", "max_wait"), "write both as one range: `wait: 1s..5s`"),
    **dict.fromkeys(("network_timeout", "connection_timeout"), "write `http: {timeout: 10s}`"),
    **dict.fromkeys(("timeout", "think_timeout"), "write `http: {timeout: 10s}`"),
    "engine": "leave it out: the keys of steps say which protocol is meant",
    "exec": "write its steps: `steps: [{get: /}]`",
    "data_sources": "write `data:` at the top level of the plan",
    "headers": "write `http: {headers: {Accept: application/json}}`",
    **dict.fromkeys(("before_scenario", "before_request"), "write it in `on_start`"),
    "after_scenario": "write it in `on_stop`",
}

STEP_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("cookie", "cookies"), _COOKIES),
    **dict.fromkeys(("gzip", "compression"), "write `headers: {Accept-Encoding: gzip}`"),
    **dict.fromkeys(("response_type", "discard_response_body", "stream_body"), _BODIES),
    **dict.fromkeys(("between", "uniform_timer", "think_time"), "write `think: 1s..5s`"),
    **dict.fromkeys(
        ("function", "before_request", "after_response", "jsr223", "pre_request"),
        "write a step of its own: `- python: FUNCTION`",
    ),
    "emit": "no step sends Socket.IO events; `planrunner schema protocols` lists the protocols",
    "action": "the action is the key: `think: 1s`, or `stop: iteration`",
    "rendezvous": "write `barrier: {name: start, users: all}`",
    "level": "leave it out: `log` prints a line",
    "weight": "it stands at a task, or in an item of `choose:`",
    "success_when": "write `expect: {status: 200}`",
}

PHASE_HINTS: Final[Mapping[str, str]] = {
    **_EXECUTORS,
    "ramp_to": "write stages: `stages: [{duration: 1m, rate: 50/s}]`",
    "scenario": "write which classes run: `only: {users: [Visitor]}`",
    "exec": "write which classes run: `only: {users: [Visitor]}`",
    "time_unit": "write it into the rate: `rate: 10/s`, `rate: 600/m`",
    "steps": "write stages: `stages: [{duration: 1m, users: 10}]`",
    "scheduler": "leave it out: `hold` says how long the phase lasts",
    "start_after": "phases run one after the other; `start_at: 30s` runs one beside them",
}

HTTP_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("keepalive", "keep_alive"), "write `pool: {keepalive: true}`"),
    **dict.fromkeys(("store_cookie", "store_cache", "cookie_jar"), _COOKIES),
    **dict.fromkeys(("cookies", "cookie"), _COOKIES),
    "defaults": "leave it out: `http` has the defaults of all requests",
    "discard_response_bodies": _BODIES,
    "throw": "leave it out: a failed request is counted, and `on_error` says what else it does",
    "extended_metrics": "leave it out: `results.csv` has `ttfb` and `connect` of each request",
}
