"""Starts what runs the users of a run: processes of this machine, or of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from planrunner.clock import MonotonicClock
from planrunner.cluster.wanted import ClusterWanted
from planrunner.runner.event_loop import OWN_DESCRIPTORS, WORKER_MODULE, worker_command
from planrunner.runner.reach import loopback_targets
from planrunner.runner.request import PreparedRun, check_tolerance
from planrunner.values import dataclass

if TYPE_CHECKING:
    from planrunner.cluster.cluster_workers import ClusterCrew
    from planrunner.engine.workers.worker_state import WorkerHandle

__all__ = ["StartedWorkers", "started_workers"]


@dataclass(frozen=True, slots=True)
class StartedWorkers:
    """Workers in processes of their own, and what is to be said of them in the end."""

    handles: Sequence[WorkerHandle] = ()
    notices: Sequence[str] = ()


@asynccontextmanager
async def started_workers(prepared: PreparedRun) -> AsyncIterator[StartedWorkers]:
    """Start the processes of workers; none for a single one, which lives in this process.

    Raises:
        CannotRun: One can't be started, or the cluster not be reached.
        UsageError: The plan can't run there.
    """
    request, source = prepared.request, prepared.compiled.source
    directory, seed = str(prepared.directory), prepared.graph.seed
    names = {"id": prepared.run_id, "dir": directory, "seed": seed}
    if request.cluster is not None:
        async with _cluster_workers(prepared, request.cluster, names) as crew:
            check_tolerance(request.tolerate, len(crew.handles))
            yield StartedWorkers(crew.handles, crew.notices)
    elif request.workers == 1:
        yield StartedWorkers()
    else:
        from planrunner.engine.workers.local_processes import worker_processes  # noqa: PLC0415 - seldom used

        async with worker_processes(
            request.workers, command=worker_command(), source=source, names=names
        ) as handles:
            yield StartedWorkers(handles)


@asynccontextmanager
async def _cluster_workers(
    prepared: PreparedRun, wanted: ClusterWanted, names: Mapping[str, object]
) -> AsyncIterator[ClusterCrew]:
    """Start workers on the hosts of a cluster."""
    from planrunner.cluster.cluster_workers import ClusterPlan, cluster_workers  # noqa: PLC0415 - seldom used
    from planrunner.cluster.dask_cluster import open_cluster  # noqa: PLC0415 - as above

    graph, request = prepared.graph, prepared.request
    plan = ClusterPlan(
        workers=request.workers,
        module=WORKER_MODULE,
        graph=graph,
        source=prepared.compiled.source,
        names=names,
        directory=prepared.directory,
        open_files=lambda workers: -(-prepared.compiled.most_users // workers) + OWN_DESCRIPTORS,
        loopback=loopback_targets(graph),
        only_here="the plan writes `files` for its steps" if graph.written_files else "",
        copies_samples=wanted.samples == "stream",
        tell=request.tell,
    )
    async with (
        open_cluster(wanted, request.tell) as cluster,
        cluster_workers(cluster, plan, MonotonicClock.now_ns) as crew,
    ):
        yield crew
