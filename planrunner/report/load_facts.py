"""What a result says about the load itself, in words: requested and achieved, the generator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import SERVICE_TIME
from planrunner.report.plain import plain
from planrunner.results.loads import GeneratorFacts, PhaseLoad
from planrunner.results.model import RunResult
from planrunner.results.record import read_series
from planrunner.units import format_duration, format_percent

__all__ = ["generator_words", "missed_loads", "service_p95_ns", "spoken_words"]


def missed_loads(result: RunResult) -> Iterator[str]:
    """Yield a sentence for each phase that did not get the load it requested."""
    for load in result.loads:
        if load.achieved < load.requested or load.dropped:
            phase = f"phase `{plain(load.phase)}` " if len(result.loads) > 1 else ""
            yield f"{phase}{_missed(load)}"


def _missed(load: PhaseLoad) -> str:
    words = f"requested {load.requested:,} {load.unit}, achieved {load.achieved:,}"
    if load.requested:
        words += f" ({format_percent(load.share)})"
    late = f"{load.late:,} late (p99 {format_duration(load.lateness_p99_ns)})"
    parts = [f"{load.dropped:,} dropped" if load.dropped else "", late if load.late else ""]
    told = ", ".join(filter(None, parts))
    return f"{words}: {told}" if told else words


def generator_words(facts: GeneratorFacts) -> str:
    """Return how busy and how punctual the generator was; empty where nothing is known."""
    if facts == GeneratorFacts():
        return ""
    words = [
        f"{format_percent(facts.cpu_share)} of a processor at most",
        f"timers at most {format_duration(facts.loop_lag_ns)} late",
    ]
    if facts.wait_share is not None:
        words.append(f"waited for it {format_percent(facts.wait_share)} of a second at most")
    if facts.collections:
        longest = format_duration(facts.collection_ns)
        words.append(f"{facts.collections:,} full garbage collections, the longest {longest}")
    if facts.open_files:
        words.append(f"{facts.open_files:,} of {facts.open_files_limit:,} files open")
    return ", ".join(words)


def service_p95_ns(result: RunResult) -> int:
    """Return the 95th percentile of service time, of all requests that are results; 0 of none."""
    whole = Histogram()
    for labels, delta in read_series(result.series).items():
        if labels.is_timed_request and SERVICE_TIME.word not in labels.unknown:
            whole.merge(delta.service)
    return whole.percentile(95) if whole.count else 0


def spoken_words(result: RunResult) -> str:
    """Return which versions of a protocol were spoken, the most first; empty where it has none."""
    spoken: Counter[str] = Counter()
    for row in result.rows:
        if row.by == "request" and not row.phase:
            spoken.update({word: count for word, count in row.protocols.items() if "/" in word})
    if len(spoken) < 2:
        return "".join(f"over {plain(word)}" for word in spoken)
    return f"over {', '.join(f'{plain(word)} ({count:,})' for word, count in spoken.most_common())}"
