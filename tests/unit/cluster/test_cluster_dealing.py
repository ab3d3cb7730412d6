"""A host that has only the rows of its own workers: these draw what they would draw of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.cluster.files import dealing
from planrunner.cluster.files.dealing import dealt_files
from planrunner.data.formats import format_of
from planrunner.data.layout import Layout
from planrunner.engine.users.data_feeds import open_feed
from planrunner.engine.workers.assignment import held_rows
from planrunner.graph.data import DataNode, OnEnd, Order
from planrunner.graph.run_graph import RunGraph
from planrunner.schedule.partition import WorkerShare
from tests.support.graphs import closed, make_graph, request, run_graph, task, user_class
from tests.support.remote_pools import run_fleet

SEMICOLONS = Layout(("name", "words"), ";", "#")


def written(folder: Path, kind: str, rows: int) -> Path:
    """Write rows as authors do: with a mark, remarks, blank lines, quotes, lines in values."""
    path = folder / f"some people.{kind}"
    lines = []
    for number in range(rows):
        if kind == "jsonl":
            lines.append(json.dumps({"name": number, "words": "ä\n" * (number % 3)}))
        else:
            lines.append(f'{number};"a ""b"";\nc"' if number % 3 else f"{number}; plain ")
        lines += [""] * (number % 4 == 1)
        lines += ["# none"] * (number % 5 == 1 and kind == "csv")
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    return path


def drawn(node: DataNode, graph: RunGraph, share: WorkerShare, count: int) -> Iterator[object]:
    needs = held_rows(graph, share.workers).get(node.key)
    feed = open_feed(node, seed=graph.seed, scope={}, share=share, needs=needs)
    rng = Random(share.worker)
    with suppress(StopIteration):
        for _ in range(count):
            yield feed.draw(rng)
    feed.close()


def hosts_of(places: Sequence[int]) -> list[list[int]]:
    """Return the workers of each host, given the host of each worker."""
    found = ([worker for worker, host in enumerate(places) if host == one] for one in range(3))
    return [workers for workers in found if workers]


def graph_with(node: DataNode, users: int) -> RunGraph:
    reader = replace(user_class(task("get", request())), data=(node.key,))
    return replace(make_graph(reader, closed(users, 1)), data=(node,), seed=5)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["csv", "jsonl"]),
    rows=st.integers(1, 30),
    places=st.lists(st.integers(0, 2), min_size=2, max_size=5),
    order=st.sampled_from(list(Order)),
    unique=st.booleans(),
    per_user=st.booleans(),
    ends=st.booleans(),
    users=st.integers(1, 12),
)
def test_workers_draw_what_they_would_draw_of_the_whole_file(
    kind: str,
    rows: int,
    places: list[int],
    order: Order,
    *,
    unique: bool,
    per_user: bool,
    ends: bool,
    users: int,
) -> None:
    """In the same order, over and over if they do; and all hosts together have each row once."""
    hosts, workers = hosts_of(places), len(places)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dealing, "LARGE", 0)
        path = written(Path(folder), kind, rows)
        node = DataNode(
            "people",
            kind,
            ("name", "words"),
            rows,
            file=path.name,
            path=str(path),
            layout=SEMICOLONS if kind == "csv" else Layout(),
            order=order,
            unique=unique,
            per_user=per_user,
            on_end=OnEnd.STOP_USER if ends else OnEnd.CYCLE,
        )
        graph = graph_with(node, users)

        found = dealt_files(graph, str(path), str(path), hosts, Path(folder))

        is_random = order is Order.RANDOM and not unique
        comes_again = not ends and not unique and (order is not Order.SEQUENTIAL or rows % workers)
        assert (found is None) == (len(hosts) == 1 or is_random or bool(comes_again))
        have = []
        for file, own in zip(found or (), hosts, strict=False):
            there = replace(node, path=str(file.source), workers=file.workers)
            of = format_of(kind, node.layout)
            have += of.open_rows(file.source, node.columns).stream()
            for worker in own:
                share = WorkerShare(worker, workers)
                whole = [*drawn(node, graph, share, 3 * rows)]
                assert [*drawn(there, graph, share, 3 * rows)] == whole
        if found is not None:
            assert sorted(int(row["name"]) for row in have) == [*range(rows)]


@pytest.mark.parametrize("workers", [1, 3, 4])
def test_a_run_on_hosts_is_the_run_of_one_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """As many requests and iterations, and each row once, with whatever users hold theirs."""
    monkeypatch.setattr(dealing, "LARGE", 0)
    path = written(tmp_path, "jsonl", 23)
    columns = ("name", "words")
    drawn_once = DataNode("once", "jsonl", columns, 23, path=str(path), unique=True)
    drawn_once = replace(drawn_once, on_end=OnEnd.STOP_USER, order=Order.SHUFFLE)
    program = replace(user_class(task("get", request())), data=("once",))
    graph = replace(make_graph(program, closed(5, 3)), data=(drawn_once,), seed=5)
    hosts = [[one for one in range(workers) if one % 2 == part] for part in (0, 1)]
    files = dealt_files(graph, str(path), str(path), [one for one in hosts if one], tmp_path)
    theirs = [graph] * workers
    for file in files or ():
        for worker in file.workers:
            node = replace(drawn_once, path=str(file.source), workers=file.workers)
            theirs[worker] = replace(graph, data=(node,))

    told = run_graph(graph) if workers == 1 else run_fleet(graph, workers, theirs=theirs)

    rows = [scope["once"]["name"] for scope in told.target.scopes]
    assert sorted(rows) == [*range(23)]
    assert (files is None) == (workers == 1)


def test_what_is_small_or_read_twice_is_sent_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a header precedes the rows of each host, even of one that has none."""
    path = tmp_path / "people.csv"
    path.write_text("name\nann\n\nben\n")
    node = DataNode("people", "csv", ("name",), 2, path=str(path), on_end=OnEnd.ERROR)
    graph, hosts = graph_with(node, 1), [[0], [1, 2], [3]]

    assert dealt_files(graph, str(path), str(path), hosts, tmp_path) is None
    monkeypatch.setattr(dealing, "LARGE", 0)
    files = dealt_files(graph, str(path), str(path), hosts, tmp_path)
    assert files is not None
    assert [file.source.read_text() for file in files] == ["name\nann\n", "name\nben\n", "name\n"]
    assert [file.laid.path for file in files] == [str(path)] * 3
    twice = replace(graph, data=(node, replace(node, name="others")))
    assert dealt_files(twice, str(path), str(path), hosts, tmp_path) is None
