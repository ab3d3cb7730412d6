"""Files of test data are written before the load, or the run says why not."""

from __future__ import annotations

import asyncio

import pytest

from planrunner.errors import CannotRun
from planrunner.runner.data import files
from planrunner.runner.data.files import with_files_written
from tests.support.plans import compiled

PLAN = (
    "data: {orders: {generate: {rows: 2000, fields: {id: rand.uuid(), n: 'rand.int(1, 9)'}}}}",
    "files: {orders: {from: orders}}",
    'users: {A: {steps: [{get: "/?file=${files.orders.path}"}]}}',
)


def write(directory, *sections, tell=lambda _: None):
    graph = compiled(*(sections or PLAN), seed=7)
    return asyncio.run(with_files_written(graph, directory, "abc", tell))


def test_steps_know_where_the_file_is_and_how_large(tmp_path):
    """The users of its phases, and nobody else."""
    said = []

    graph, [file] = write(tmp_path, tell=said.append)

    path = tmp_path / "files" / "orders-2000.csv"
    size = path.stat().st_size
    known = {"path": str(path), "rows": 2000, "bytes": size, "format": "csv"}
    assert graph.phases[0].scope == {"files": {"orders": known}}
    assert "files" not in graph.scope
    assert (file.rows, file.bytes, file.phases) == (2000, size, ("main",))
    assert said == [f"wrote files/orders-2000.csv: 2,000 rows, {size / 1000:.1f} KB"]


def test_a_plan_without_files_is_left_alone(tmp_path):
    """Not even a folder is made."""
    graph = compiled("users: {A: {steps: [{get: /}]}}")

    same, written = asyncio.run(with_files_written(graph, tmp_path, "abc", lambda _: None))

    assert same is graph
    assert written == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "avro"])
def test_a_full_disk_ends_the_run_before_its_load(tmp_path, form):
    """With what to do; the file that is cut short is gone."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / f"orders-2000.{form}").symlink_to("/dev/full")

    with pytest.raises(CannotRun) as caught:
        write(tmp_path, PLAN[0], f"files: {{orders: {{from: orders, format: {form}}}}}", PLAN[2])

    assert caught.value.message == (
        f"cannot write `files/orders-2000.{form}` with 2,000 rows: No space left on device"
    )
    assert "fewer `rows`" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_a_row_without_a_value_ends_the_run_before_its_load(tmp_path):
    """With the source and the expression."""
    made = "data: {orders: {generate: {rows: 3, fields: {n: 'rand.int(9, 1)'}}}}"

    with pytest.raises(CannotRun, match=r"data `orders`: .*rand\.int\(9, 1\)"):
        write(tmp_path, made, *PLAN[1:])


def test_whoever_gives_up_waits_for_no_more_rows(tmp_path, monkeypatch):
    """A hundred million of them would take minutes; what was begun is gone."""
    many = PLAN[0].replace("2000", "100000000")
    graph = compiled(many, *PLAN[1:])
    monkeypatch.setattr(files, "_MANY", 1)

    async def cut():
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        writing = asyncio.create_task(
            with_files_written(
                graph, tmp_path, "abc", lambda _: loop.call_soon_threadsafe(begun.set)
            )
        )
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    asyncio.run(cut())

    assert list((tmp_path / "files").iterdir()) == []
