"""Loops in the trace of `--once`: the first rounds, and how many there were."""

from __future__ import annotations

from planrunner.engine.debug.trace_events import TracedStep, TraceEvent, TraceSection
from planrunner.report.terminal.folded_rounds import FoldedRounds


def test_rounds_after_the_third_are_counted_and_the_first_failures_among_them_shown() -> None:
    """A loop inside a round that isn't shown says nothing of its own."""
    seen: list[str] = []

    def show(told: TraceEvent) -> None:
        seen.append(told.words if isinstance(told, TracedStep) else "part")

    folded = FoldedRounds(show, lambda depth, words: seen.append(f"{depth} {words}"))

    def run(words: str, depth: int, *, key: int = 1, failed: str = "", loops: bool = False) -> None:
        folded(TracedStep(words, depth, failed=failed, key=key, is_loop=loops))

    run("outer", 0, loops=True)
    for number in range(10):
        run(f"a{number}", 1)
        run("inner", 1, key=2, loops=True)
        for _ in range(4 if number == 9 else 1):
            run(f"b{number}", 2, key=3, failed="no" if number > 4 else "")
    run("after", 0, key=4)
    folded(TraceSection("teardown"))
    folded.end()

    rounds = [word for number in range(3) for word in (f"a{number}", "inner", f"b{number}")]
    hidden = ["b5", "b6", "b7", "1 … 7 more rounds, 5 more failures; --full shows all"]
    assert seen == ["outer", *rounds, *hidden, "after", "part"]
