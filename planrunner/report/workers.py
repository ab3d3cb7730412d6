"""Several workers and their hosts, as reports have them, and a view while the run lasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from planrunner.report.plain import plain
from planrunner.results.record.hosts import (
    HostFigures,
    WorkerFigures,
    health_words,
    slowest,
    slowest_words,
    workers_of_hosts,
)
from planrunner.units import NS_PER_S, format_count, format_duration, format_size
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.engine.workers.worker_state import WorkerStanding

__all__ = ["CrewRow", "CrewTable", "crew_table", "crew_words", "standings_words"]

_MOST_NAMED: Final = 3
_ERROR: Final = "Clock off by at most"


@dataclass(frozen=True, slots=True)
class CrewRow:
    """A worker, or a host with the sums of its workers.

    Attributes:
        lost: Why it was gone before the end, and from when; empty if it wasn't.
        is_host: The workers below it are its own.
    """

    name: str
    cells: tuple[str, ...]
    lost: str = ""
    is_host: bool = False


@dataclass(frozen=True, slots=True)
class CrewTable:
    """How each worker did, below its host if there are several.

    Attributes:
        columns: Titles of the cells; those that would be empty in every row are left out.
        slowest: Which worker kept up worst, in words.
    """

    columns: tuple[str, ...]
    rows: tuple[CrewRow, ...]
    slowest: str


def crew_table(hosts: Sequence[HostFigures]) -> CrewTable | None:
    """Return the table of several workers; None for a single one."""
    if not hosts:
        return None
    rows = []
    for host in hosts:
        if len(hosts) > 1:
            cells = _cells(host) | {"CPU": f"{host.cpu_share:.0%}"}
            if host.clock_error_ns:
                cells[_ERROR] = format_duration(host.clock_error_ns)
            rows.append((plain(host.name), cells, "", True))
        for worker in host.workers:
            busy = {"CPU at most": f"{worker.peak_cpu_share:.0%}"}
            cells = _cells(worker) | {"CPU": f"{worker.cpu_share:.0%}"} | busy
            rows.append((f"worker {worker.number}", cells, _lost(worker), False))
    titles = dict.fromkeys(title for _, cells, _, _ in rows for title in cells)
    shown = [title for title in titles if any(cells.get(title) for _, cells, _, _ in rows)]
    return CrewTable(
        tuple(shown),
        tuple(
            CrewRow(name, tuple(cells.get(title, "") for title in shown), lost, is_host)
            for name, cells, lost, is_host in rows
        ),
        slowest_words(hosts),
    )


def _cells(one: HostFigures | WorkerFigures) -> dict[str, str]:
    began = one.first_arrival_ns
    return {
        "Users": f"{one.most_users:,}",
        "Requests": f"{one.requests:,}",
        "Per second": f"{one.requests_per_second:,.1f}",
        "Arrivals": f"{one.arrivals:,}" if one.arrivals else "",
        "Dropped": f"{one.dropped:,}" if one.dropped else "",
        "Late (p99)": format_duration(one.lateness_p99_ns) if one.lateness_p99_ns else "",
        "Timers late": format_duration(one.loop_lag_ns),
        "CPU": "",
        "CPU at most": "",
        "Open files": f"{one.open_files:,}" if one.open_files else "",
        "Received": format_size(one.received_bytes),
        "Sent": format_size(one.sent_bytes),
        "Began after": "" if began is None else format_duration(began),
        _ERROR: "",
    }


def _lost(worker: WorkerFigures) -> str:
    if worker.lost_ns is None:
        return ""
    return f"lost after {worker.lost_ns / NS_PER_S:.1f} s: {worker.lost}"


def crew_words(hosts: Sequence[HostFigures]) -> str:
    """Return how many workers there were where, and which kept up worst; empty for a single one."""
    if not hosts:
        return ""
    workers = [worker for _, worker in workers_of_hosts(hosts)]
    named = [plain(host.name) for host in hosts[:_MOST_NAMED]]
    if more := len(hosts) - len(named):
        named.append(f"{more} more")
    gone = sum(worker.lost_ns is not None for worker in workers)
    lost = f", {gone} of them lost" if gone else ""
    return f"{len(workers)} workers on {', '.join(named)}{lost}; {plain(slowest_words(hosts))}"


def standings_words(standings: Iterable[WorkerStanding]) -> tuple[str, bool]:
    """Return how several workers are now, and whether one is gone or silent; empty for one."""
    workers = list(standings)
    living = [one for one in workers if not one.fate]
    if not workers:
        return "", False
    silent = [f"worker {one.number} is silent" for one in living if one.is_silent]
    lost = [f"worker {one.number} is lost" for one in workers if one.fate]
    words = [format_count(len(living), "worker"), *_few(lost), *_few(silent)]
    if (worst := slowest(living)) is not None:
        on = f" on {plain(worst.host)}" if len({one.host for one in workers}) > 1 else ""
        words.append(f"slowest: worker {worst.number}{on}, {health_words(worst)}")
    return " · ".join(words), bool(lost or silent)


def _few(words: list[str]) -> list[str]:
    more = [f"{left} more"] if (left := len(words) - _MOST_NAMED) > 0 else []
    return [*words[:_MOST_NAMED], *more]
