"""How each worker of a run did, and each host, from what the coordinator has heard of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planrunner.engine.workers.presence.missing_load import missing_load
from planrunner.engine.workers.worker_state import WorkerState
from planrunner.graph.run_graph import RunGraph
from planrunner.results.record.hosts import HostFigures, MissingLoad, WorkerFigures
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_S

__all__ = ["host_figures"]

SpanNs = tuple[int, int]
"""From when to when something lasted (clock time)."""


def host_figures(
    graph: RunGraph,
    links: Sequence[WorkerState],
    phases: Mapping[str, SpanNs],
    *,
    started_ns: int,
) -> tuple[HostFigures, ...]:
    """Return the hosts of several workers in the order of their first ones.

    Args:
        graph: What ran.
        links: The workers.
        phases: Those that ran, from their begin to when their last user had gone.
        started_ns: When the run began (clock time).
    """
    by_host: dict[str, list[WorkerState]] = {}
    for link in links:
        by_host.setdefault(link.handle.host, []).append(link)
    load_ns = min((begin_ns for begin_ns, _ in phases.values()), default=started_ns)
    over_ns = max((gone_ns for _, gone_ns in phases.values()), default=started_ns)
    return tuple(
        _host(
            name,
            of_host,
            tuple(
                _worker(
                    link,
                    (load_ns, over_ns),
                    started_ns,
                    tuple(_missing(graph, link, len(links), phases, started_ns)),
                )
                for link in of_host
            ),
        )
        for name, of_host in by_host.items()
    )


def _worker(
    link: WorkerState, load_ns: SpanNs, started_ns: int, missing: tuple[MissingLoad, ...]
) -> WorkerFigures:
    begin_ns, over_ns = load_ns
    end_ns = over_ns if link.alive else min(link.told_ns, over_ns)
    seconds = max(end_ns - begin_ns, 0) / NS_PER_S
    traffic = link.traffic
    return WorkerFigures(
        number=link.number + 1,
        name=link.handle.name,
        first_arrival_ns=link.began_ns - begin_ns if link.began_ns else None,
        most_users=link.most_users,
        requests=traffic.requests,
        requests_per_second=traffic.requests / seconds if seconds else 0.0,
        arrivals=link.due,
        dropped=link.dropped,
        lateness_p99_ns=link.lateness_p99_ns,
        loop_lag_ns=link.loop_lag_ns,
        cpu_share=link.mean_cpu_share,
        peak_cpu_share=link.peak_cpu_share,
        open_files=link.open_files,
        received_bytes=traffic.received_bytes,
        sent_bytes=traffic.sent_bytes,
        lost="" if link.alive else link.verdict,
        lost_ns=None if link.alive else link.told_ns - started_ns,
        tolerated=link.is_tolerated,
        missing=missing,
    )


def _missing(
    graph: RunGraph,
    link: WorkerState,
    workers: int,
    phases: Mapping[str, SpanNs],
    started_ns: int,
) -> Iterator[MissingLoad]:
    if link.alive:
        return
    share = WorkerShare(link.number, workers)
    for phase in graph.phases:
        begin_ns, gone_ns = phases.get(phase.name, (0, 0))
        if phase.name not in link.done and gone_ns > link.told_ns:
            from_ns = max(begin_ns, link.told_ns) - started_ns
            yield from missing_load(graph, phase, share, from_ns)


def _host(
    name: str, links: Sequence[WorkerState], workers: tuple[WorkerFigures, ...]
) -> HostFigures:
    # Containers of one name may have clocks of their own: the one that is known worst counts.
    clock = max((link.handle.clock for link in links), key=lambda one: one.error_ns)
    begins = [one.first_arrival_ns for one in workers if one.first_arrival_ns is not None]
    return HostFigures(
        name=name,
        clock_offset_ns=clock.offset_ns,
        clock_error_ns=clock.error_ns,
        first_arrival_ns=max(begins, default=None),
        most_users=sum(one.most_users for one in workers),
        requests=sum(one.requests for one in workers),
        requests_per_second=sum(one.requests_per_second for one in workers),
        arrivals=sum(one.arrivals for one in workers),
        dropped=sum(one.dropped for one in workers),
        lateness_p99_ns=max(one.lateness_p99_ns for one in workers),
        loop_lag_ns=max(one.loop_lag_ns for one in workers),
        cpu_share=sum(one.cpu_share for one in workers),
        open_files=sum(one.open_files for one in workers),
        received_bytes=sum(one.received_bytes for one in workers),
        sent_bytes=sum(one.sent_bytes for one in workers),
        workers=workers,
    )
