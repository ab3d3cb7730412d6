"""Question 4: are arrivals on time, and what do they cost?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from operator import sub
from pathlib import Path
from statistics import median

from benchmarks.generators import OURS, Gets, find_peer, getters
from benchmarks.peer_work import ARRIVALS
from benchmarks.processes import nginx
from benchmarks.truth import k6, k9, planrunner, probe
from benchmarks.turns import CPU_OF_REQUEST, SHORT_S, Figures, Rounds, in_turns, without_start

RATES = {5_000: 0.5, 10_000: 0.5, 15_000: 1.5, 20_000: None}
"""Arrivals a second, each with how much later than an empty timer loop's they may be, in ms."""

MOST_ABOVE_US = 20
"""What an arrival may take more than a request of a user that has no due time."""

PEER_S = 4
"""Seconds that peers are measured, of which only costs and replies are known."""

_LOOP = "timer loop"
_CLOSED = "closed"
_PEERS = {"k9": "k9-load", "k6": "k6"}


def open_model(rounds: int, seconds: int) -> dict:
    """Arrivals on one core: how many, how late beside an empty timer loop, and what they cost."""
    with tempfile.TemporaryDirectory() as directory, nginx(cpu=0) as port:
        found = {
            rate: in_turns_at(rate, port, rounds=rounds, seconds=seconds, folder=Path(directory))
            for rate in RATES
        }
    return {
        "summary": [_said(one, rate) for rate, one in found.items()],
        "rounds": {f"{rate}/s": one.counted for rate, one in found.items()},
        "left_out": {f"{rate}/s": one.left_out for rate, one in found.items()},
    }


def in_turns_at(rate: int, port: int, *, rounds: int, seconds: int, folder: Path) -> Rounds:
    """Measure so many arrivals a second, and users without a due time beside them."""
    few, scenario = min(seconds, PEER_S), partial(ARRIVALS.format, rate=rate)
    get, gets = getters()[OURS], Gets(f"http://127.0.0.1:{port}/")

    def closed() -> Figures:
        return without_start(lambda s: get(gets, s, folder), max(few, SHORT_S + 1), "request")

    def ours() -> Figures:
        arrivals = partial(planrunner, port, "warmed", rate=f"{rate}/s")
        return _cost(lambda s: arrivals(hold=f"{s}s"), rate, seconds)

    def theirs(peer: Callable[[int, str], Figures]) -> Callable[[], Figures]:
        return lambda: _cost(lambda s: peer(port, scenario(seconds=s)), rate, few)

    ways = {_CLOSED: closed, _LOOP: partial(probe, 0, rate, seconds), OURS: ours}
    ways |= {name: theirs(peer) for name, peer in (("k9", k9), ("k6", k6)) if find_peer(name)}
    print(f"  {rate:,}/s", flush=True)
    return in_turns(list(ways), rounds, lambda name: ways[name]())


def _cost(generate: Callable[[int], Figures], rate: int, seconds: int) -> Figures:
    """Return what a longer run says, and the CPU of an arrival without that of starting."""
    seconds = max(seconds, SHORT_S + 1)
    short, long = generate(SHORT_S), generate(seconds)
    further = max(long["count"] - short["count"], 1)
    # Peers tell of no more than what was answered.
    begun = long.get("started", long["requests"])
    return {
        CPU_OF_REQUEST: round((long["cpu_s"] - short["cpu_s"]) / further * 1e6, 2),
        "share": round(begun / (rate * seconds), 4),
        "dropped": long["dropped"],
        "p50_ms": round(long["p50_ms"], 4),
        "p99_ms": round(long["p99_ms"], 4),
        "waited": max(short["waited"], long["waited"]),
        **({"late_p99_ms": long["late_p99_ms"]} if "late_p99_ms" in long else {}),
    }


def _said(found: Rounds, rate: int) -> str:
    def of(name: str, what: str) -> list[float]:
        return [one[what] for one in found.counted[name]]

    target, late, empty = RATES[rate], of(OURS, "late_p99_ms"), of(_LOOP, "late_p99_ms")
    apart = median(map(sub, late, empty))
    judged = f" (target {target} ms: {'kept' if apart <= target else 'missed'})" if target else ""
    above_us = median(map(sub, of(OURS, CPU_OF_REQUEST), of(_CLOSED, CPU_OF_REQUEST)))
    started = [
        f"{called} {median(of(name, 'share')):.1%} started, p50 {median(of(name, 'p50_ms')):.2f} ms"
        for name, called in ((OURS, OURS), *_PEERS.items())
        if name in found.counted
    ]
    beside = found.cpu_beside(OURS, {name: f"{called}'s" for name, called in _PEERS.items()})
    return "; ".join(
        [
            f"{rate:,}/s: lateness p99 {median(late):.2f} ms, empty timer loop "
            f"{median(empty):.2f} ms, apart {apart:.2f} ms{judged}",
            *started,
            f"CPU of an arrival {median(of(OURS, CPU_OF_REQUEST)):.1f} µs, {above_us:.1f} µs above "
            f"a request of users (target {MOST_ABOVE_US}){beside}",
            *found.said,
        ]
    )
