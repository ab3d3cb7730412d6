"""Words of Locust, k6, JMeter, Taurus, Artillery and wrk, each with what says the same here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["COMMANDS", "OPTIONS", "OTHERWISE"]

COMMANDS: Final[Mapping[str, str]] = {
    "start": "execute",
    "exec": "execute",
    "test": "execute",
    "check": "validate",
    "lint": "validate",
    "format": "fmt",
    "inspect": "explain",
    "new": "init",
    "create": "init",
    "quick": "run",
    "attack": "run",
    "bench": "run",
    "diff": "compare",
    "trend": "history",
    "prune": "clean",
    "serve": "demo",
    "web": "ui",
    "dashboard": "ui",
}

OPTIONS: Final[Mapping[str, str]] = {
    "--duration": "--hold",
    "--time": "--hold",
    "--hold-for": "--hold",
    "-t": "--hold",
    "-d": "--hold",
    "--vus": "--users",
    "--num-users": "--users",
    "--connections": "--users",
    "--concurrency": "--users",
    "--threads": "--users",
    "-u": "--users",
    "-c": "--users",
    "--hatch-rate": "--spawn-rate",
    "-r": "--spawn-rate",
    "--arrival-rate": "--rate",
    "--throughput": "--rate",
    "-R": "--rate",
    "-H": "--host",
    "--target": "--host",
    "--base-url": "--host",
    "--stage": "--stages",
    "-s": "--stages",
    "--env-var": "--set",
    "--variables": "--set",
    "-e": "--set",
    "-J": "--set",
    "-G": "--set",
    "--environment": "--env",
    "--overrides": "--override",
    "--scenario": "--user",
    "--scenario-name": "--user",
    "--tags": "--tag",
    "-T": "--tag",
    "--exclude-tags": "--skip-tag",
    "-E": "--skip-tag",
    "--processes": "--workers",
    "--solo": "--once",
    "--only-summary": "--quiet",
    "--no-summary": "--quiet",
    "-o": "--output",
    "--web-port": "--ui",
    "--web-host": "--ui",
    "-P": "--ui",
}

_NO_WINDOW: Final = "leave it out: only `--ui` opens a page"
_NAMED: Final = "leave it out: `planrunner execute plan.yaml` needs no option for the plan"
_COUNTED: Final = "a plan says how many: write `iterations: 100` in a phase"
_SHARED: Final = "`--workers N` shares the load among N processes of this machine"
_TRACED: Final = "`--once -v` prints all that is sent and received"
_REPORTS: Final = "`--formats` says which reports a run writes, and `--out` where"
_UNSAFE: Final = "write `http: {verify: false}` in the plan"

OTHERWISE: Final[Mapping[str, str]] = {
    "--headless": _NO_WINDOW,
    "--no-web": _NO_WINDOW,
    "--autostart": _NO_WINDOW,
    "--autoquit": _NO_WINDOW,
    "-n": f"{_NO_WINDOW}; of iterations, {_COUNTED}",
    "-f": _NAMED,
    "--locustfile": _NAMED,
    "--config": _NAMED,
    "-i": _COUNTED,
    "--iterations": _COUNTED,
    "--requests": _COUNTED,
    "--master": _SHARED,
    "--worker": _SHARED,
    "--expect-workers": _SHARED,
    "--loglevel": _TRACED,
    "--http-debug": _TRACED,
    "--debug": _TRACED,
    "--csv": "`--formats locust-csv` writes the files that Locust writes",
    "--html": "`--formats report.html` writes it, and `--out` says where",
    "--summary-export": _REPORTS,
    "--report": _REPORTS,
    "-l": "`--formats jtl` writes a file as JMeter does, and `--out` says where",
    "-o": f"{_REPORTS}; `--override PATH=VALUE` changes the plan",
    "--insecure-skip-tls-verify": _UNSAFE,
    "--insecure": _UNSAFE,
    "-k": _UNSAFE,
    "--rps": "`--rate` sets arrivals, and `throttle: 100/s` in a phase limits requests",
    "--ramp-up": "`--spawn-rate` says how many users start in a second",
    "--stop-timeout": "write `graceful_stop: 10s` in a phase",
    "--reset-stats": "write `warmup: 30s` in a phase",
    "--payload": "write `data` in the plan, with the file that rows come from",
}
"""Options whose meaning is no option, or another one, where plans run: what to do instead."""
