"""Garbage collections in a process that has many live objects; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

BEGIN = """
import gc
from types import SimpleNamespace
from planrunner.engine.recording import gc_tuning as collector

gc.disable()
looked_at = []
spent_ns = 0

def clock():  # an object takes 100 ns of a collection, on every machine
    global spent_ns
    spent_ns += 100 * len(gc.get_objects())
    return spent_ns

collector.time = SimpleNamespace(thread_time_ns=clock)

def note(phase, info):
    if phase == "start" and info["generation"] == 2:
        looked_at.append(len(gc.get_objects()))  # frozen ones are not among them

collector.keep_collections_short()
gc.callbacks.insert(0, note)
modules = gc.get_freeze_count()

class Circle:
    def __init__(self):
        self.rest = [[] for _ in range(8)]
        self.me = self
"""


def run(script: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN + script], capture_output=True, text=True, check=True
    )
    return ended.stdout


def test_what_lives_long_is_looked_at_once() -> None:
    """However many there are: users of a long ramp, for example."""
    out = run("""
users = [[[] for _ in range(20)] for _ in range(20_000)]
print(max(looked_at), len(gc.get_objects()), gc.get_freeze_count() - modules)
""")
    most, unfrozen, frozen = map(int, out.split())

    assert most < 150_000
    assert unfrozen < 150_000
    assert frozen > 250_000


def test_what_nobody_refers_to_is_free_though_frozen() -> None:
    """Ended users need no collection."""
    out = run("""
users = [[[] for _ in range(20)] for _ in range(20_000)]
del users
print(gc.get_freeze_count() - modules)
""")

    assert int(out) < 10_000


def test_circles_do_not_pile_up() -> None:
    """Of 4 million objects some 2 million stay, though none was young when it was garbage."""
    out = run("""
most = 0
for _ in range(12):
    alive = [Circle() for _ in range(30_000)]
    most = max(most, gc.get_freeze_count() + len(gc.get_objects()))
print(most, modules)
""")
    most, modules = map(int, out.split())

    assert most < 4 * (2 * modules + 500_000) + 3 * 330_000


def test_circles_that_are_seen_to_be_made_are_looked_for_early() -> None:
    """Half of them are garbage at once."""
    out = run("""
most = 0
for _ in range(6):
    alive = [Circle() for _ in range(30_000) if Circle()]
    most = max(most, gc.get_freeze_count() + len(gc.get_objects()))
print(most, modules)
""")
    most, modules = map(int, out.split())

    assert most < 2 * modules + 500_000 + 3 * 330_000


def test_what_came_before_the_load_is_not_looked_at() -> None:
    """Modules of outputs, in a process that is ours: another one's is left alone."""
    out = run("""
came = [[] for _ in range(600)]  # too few for a collection
collector.look_past_what_came()
frozen = gc.get_freeze_count() - modules
gc.callbacks.clear()
gc.unfreeze()
collector.look_past_what_came()
print(frozen, gc.get_freeze_count())
""")
    frozen, frozen_elsewhere = map(int, out.split())

    assert frozen >= 600
    assert frozen_elsewhere == 0
