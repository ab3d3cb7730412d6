"""Samples that several workers wrote are read as one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.results.files.sample_reader import SampleLoss, SampleReader
from planrunner.results.files.samples import Keep, SampleWriter, pack_row


def labels(name: str, failure: str = "") -> Labels:
    template = "n ${n}" if name.startswith("n ") else ""
    return Labels(name, "GET", "main", "hold", "A", "t", failure=failure, template=template)


def write(writer: SampleWriter, samples: list[tuple[str, int, str]]) -> None:
    """Write (name, start, words of a failure), each 10 ns long."""
    book = SeriesBook()
    for name, start_ns, words in samples:
        series = book.series(labels(name, "status" if words else ""))
        message = writer.message(words)
        writer.append(pack_row(series.index, start_ns, 10, 10, 0, 0, 0, message))
    writer.flush(book.opened)
    writer.close()


def read(path: Path) -> list[tuple[str, int, str]]:
    reader = SampleReader(path)
    return [
        (reader.labels[row.series].request, row.start_ns, reader.messages[row.message])
        for row in reader
    ]


def test_rows_of_all_workers_come_in_order_of_time(tmp_path: Path) -> None:
    """With their own names and words, which have other numbers in each file."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=5)
    files = [own.beside(worker) for worker in (1, 2)]
    first, second = (file.open() for file in files)

    write(own, [("setup", 1, "")])
    write(first, [("a", 2, ""), ("b", 5, "no b"), ("a", 9, "no a")])
    write(second, [("b", 3, "no luck"), ("a", 4, ""), ("c", 11, "no b")])

    assert [file.path.name for file in files] == ["samples-1.bin", "samples-2.bin"]
    assert read(path) == [
        ("setup", 1, ""),
        ("a", 2, ""),
        ("b", 3, "no luck"),
        ("a", 4, ""),
        ("b", 5, "no b"),
        ("a", 9, "no a"),
        ("c", 11, "no b"),
    ]
    assert SampleReader(path).started_unix_ns == 5


def test_a_torn_file_loses_only_its_own_end(tmp_path: Path) -> None:
    """The worker was killed; what the others wrote is all there."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=0)
    one, other = (own.beside(worker).open() for worker in (1, 2))
    write(own, [])
    write(one, [("a", 1, ""), ("a", 3, "")])
    write(other, [("a", 2, ""), ("a", 4, "")])
    torn = tmp_path / "samples-1.bin"
    torn.write_bytes(torn.read_bytes()[:-7])

    assert [start for _, start, _ in read(path)] == [2, 4]
    assert SampleReader(path).loss(is_over=True) == SampleLoss(2, 4, ("samples-1.bin",))


@pytest.mark.parametrize("suffixes", [(".bin",), (".jsonl",), (".bin", ".jsonl")])
def test_a_file_in_the_place_of_another_is_damaged(
    tmp_path: Path, suffixes: tuple[str, ...]
) -> None:
    """Its checksums hold in its own place only: a copy would count one worker's samples twice."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=0)
    one, other = (own.beside(worker).open() for worker in (1, 2))
    write(one, [("a", 1, ""), ("a", 3, "")])
    write(other, [("a", 2, ""), ("a", 4, "")])
    own.reported(1, 2)
    own.reported(2, 2)
    write(own, [])
    for suffix in suffixes:
        copy = (tmp_path / f"samples-1{suffix}").read_bytes()
        (tmp_path / f"samples-2{suffix}").write_bytes(copy)

    assert [start for _, start, _ in read(path)] == [1, 3]
    assert SampleReader(path).loss(is_over=True).rows == 2


def test_only_what_a_lost_worker_reported_counts(tmp_path: Path) -> None:
    """The result of the run is made of it, and no report of more."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=0)
    files = [own.beside(worker) for worker in (1, 2)]
    write(files[0].open(), [("a", 1, ""), ("a", 3, ""), ("a", 5, "")])
    write(files[1].open(), [("a", 2, ""), ("a", 4, "")])

    own.reported(1, 1)
    own.reported(2, 2)
    write(own, [])
    reader = SampleReader(path)

    assert [start for _, start, _ in read(path)] == [1, 2, 4]
    assert not reader.loss(is_over=True)
    assert reader.left_out() == 2


def test_a_worker_whose_files_are_gone_is_missed(tmp_path: Path) -> None:
    """The coordinator knows how many rows it had."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=0)
    write(own.beside(1).open(), [("a", 1, "")])
    own.reported(1, 1)
    own.reported(2, 7)
    write(own, [])

    assert [start for _, start, _ in read(path)] == [1]
    loss = SampleReader(path).loss(is_over=True)
    assert loss == SampleLoss(7, 8, ("samples-2.jsonl",))
    assert str(loss) == "7 of 8 samples are lost: `samples-2.jsonl` is damaged, cut off or gone"


def test_workers_keep_different_samples_of_a_share(tmp_path: Path) -> None:
    """Equal seeds would keep the same positions of each."""
    own = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0, keep=Keep(0.5), seed=3)
    kept = []
    for worker in (1, 2):
        file = own.beside(worker)
        assert file.keep == Keep(0.5)
        write(file.open(), [("a", number, "") for number in range(100)])
        kept.append(read(file.path))
    own.close()

    assert kept[0] != kept[1]


def test_names_that_a_result_has_no_room_for_are_read_as_it_has_them(tmp_path: Path) -> None:
    """Each worker wrote its own names; the run keeps a number of them all together."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=5)
    first, second = (own.beside(worker).open() for worker in (1, 2))

    write(first, [("n 1", 1, ""), ("n 2", 2, "")])
    write(second, [("n 3", 3, ""), ("n 1", 4, ""), ("n ${n}", 5, ""), ("b", 6, "")])
    own.limited({"n ${n}": ["n 1", "n 2"]})
    write(own, [])

    assert [name for name, _, _ in read(path)] == ["n 1", "n 2", "__other__", "n 1", "n ${n}", "b"]


def test_samples_know_which_worker_took_them(tmp_path: Path) -> None:
    """A process of its own is a number in its file's name; one alone is the first."""
    path = tmp_path / "samples.bin"
    own = SampleWriter(path, started_unix_ns=5)
    write(own.beside(2).open(), [("b", 1, "")])
    write(own.beside(1).open(), [("a", 2, "")])
    write(own, [])

    reader = SampleReader(path)

    assert [(reader.labels[n].request, worker) for n, worker in reader.workers.items()] == [
        ("a", 1),
        ("b", 2),
    ]
