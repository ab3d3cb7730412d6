"""Question 19: what the live page and its viewers cost the load."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from threading import Thread

import httpx

from benchmarks import told_seconds
from benchmarks.processes import nginx
from benchmarks.told_seconds import MeteredSecond, lateness, pairs_of, shares
from planrunner.timing.spread import median
from planrunner.units import NS_PER_S

WAYS = {"page": "the page", "viewers": "with three viewers", "none": "no page"}
VIEWERS = 3

Runs = dict[str, list[list[MeteredSecond]]]


def live_page(rounds: int, seconds: int) -> dict:
    """CPU of a request in the run's process, and lateness of arrivals, in seconds with and without.

    The page runs all the time; of every other second it is told nothing.
    """
    load: Runs = {name: [] for name in WAYS}
    late: Runs = {name: [] for name in WAYS}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            for name in WAYS:
                load[name].append(_run(told_seconds.load_seconds, name, port, seconds))
                late[name].append(_run(told_seconds.late_seconds, name, port, seconds // 2))
            print(f"  round {number + 1}:", *summarise(load, late), sep="\n    ", flush=True)
    return {
        "summary": summarise(load, late),
        "load": {name: told_seconds.raw(runs) for name, runs in load.items()},
        "late": {name: told_seconds.raw(runs) for name, runs in late.items()},
    }


def summarise(load: Runs, late: Runs) -> list[str]:
    """Say what each costs; `none` is what the method finds where there is nothing."""
    pages = [told.whole.page_ns / NS_PER_S for told, _ in pairs_of(load["viewers"])]
    return [
        "of the load's processor time "
        + "; ".join(f"{words} {shares(load[name])}" for name, words in WAYS.items())
        + f" (target 2 %); the page's own process takes {median(pages):.1%} of a processor "
        "to show a second to three",
        "p99 lateness with a second for the page beside that without: "
        + "; ".join(f"{words} {lateness(late[name])}" for name, words in WAYS.items())
        + " (target: within the noise)",
    ]


def _run(
    measure: Callable[..., list[MeteredSecond]], name: str, port: int, seconds: int
) -> list[MeteredSecond]:
    options = () if name == "none" else ("--ui",)
    beside = partial(_viewers, VIEWERS) if name == "viewers" else nullcontext
    return measure(port, seconds, *options, beside=beside)


@contextmanager
def _viewers(count: int, process: subprocess.Popen[str]) -> Iterator[None]:
    """Let some look at the page of a run until its end."""
    assert process.stderr is not None
    address = re.search(r"http://\S+", process.stderr.readline())
    assert address
    with ExitStack() as stack:
        for _ in range(count):
            viewer = Thread(target=_view, args=(address[0],))
            viewer.start()
            stack.callback(viewer.join)
        yield


def _view(url: str) -> None:
    """Look at a page until it is gone, as a browser does."""
    with httpx.Client(timeout=60, trust_env=False) as browser, suppress(httpx.HTTPError):
        way = re.search(r'url=([^"]+)"', browser.get(url).text)
        assert way
        base = url.partition("/?")[0] + way[1]
        run = browser.get(f"{base}api/session").json()["run"]
        seen = browser.get(f"{base}api/runs/{run}/state").json()["seq"]
        with browser.stream("GET", f"{base}api/runs/{run}/events?after={seen}") as events:
            for line in events.iter_lines():
                if '"result":{' in line and '"files":[{' in line:
                    return
