"""Words of other tools for keys of a phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PHASE_WORDS"]

PHASE_WORDS: Final[Mapping[str, str]] = {
    "concurrency": "users",
    "threads": "users",
    "num_threads": "users",
    "vus": "users",
    "duration": "hold",
    "run_time": "hold",
    "runtime": "hold",
    "hold-for": "hold",
    "hold_for": "hold",
    "ramp-up": "ramp_up",
    "rampup": "ramp_up",
    "ramp_time": "ramp_up",
    "hatch_rate": "spawn_rate",
    "arrival_rate": "rate",
    "arrivalRate": "rate",
    "arrivalCount": "iterations",
    "throughput": "throttle",
    "max_vus": "max_users",
    "maxVUs": "max_users",
    "maxVusers": "max_users",
    "preAllocatedVUs": "max_users",
    "startVUs": "from",
    "startRate": "from",
    "startTime": "start_at",
    "rps": "throttle",
    "loops": "iterations_per_user",
    "delay": "start_at",
    "profile": "use",
}
