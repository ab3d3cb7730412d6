"""Whatever happens to the files of raw samples: what is whole is read, what is lost is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import CannotRun, UsageError
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.results.files.sample_blocks import seal
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SAMPLES_VERSION, SampleWriter, pack_row

LABELS = {"request": "r", "method": "", "phase": "", "stage": "", "user": "", "task": ""}
FLUSHES = (3, 300, 1, 40)
TAKEN = sum(FLUSHES)


def write(path: Path) -> None:
    """Write 344 samples of two series in four flushes; the start of each is its number."""
    book = SeriesBook()
    writer = SampleWriter(path, started_unix_ns=0)
    number = 0
    for size in FLUSHES:
        for _ in range(size):
            labels = Labels(f"r{number % 2}", "GET", "main", "hold", "A", "t")
            row = (book.series(labels).index, number, 10, 10, 0, 0, 0, writer.message("why"))
            writer.append(pack_row(*row))
            number += 1
        writer.flush(book.opened)
    writer.close()


def flip(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def cut(data: bytes, at: int) -> bytes:
    return data[: at % len(data)]


def remove(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + data[at + 100 :]


def zero(data: bytes, at: int) -> bytes:
    at %= len(data)
    return (data[:at] + bytes(64) + data[at + 64 :])[: len(data)]


def repeat(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + data


Damage = Callable[[bytes, int], bytes]
DAMAGES: list[Damage] = [flip, cut, remove, zero, repeat]


@given(
    damage=st.sampled_from(DAMAGES),
    suffix=st.sampled_from([".bin", ".jsonl"]),
    at=st.integers(0, 1 << 20),
)
def test_damage_is_never_read_as_samples_and_never_missed(
    damage: Damage, suffix: str, at: int
) -> None:
    """Every row that is read was written, in its order; all others are said to be lost."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "samples.bin"
        write(path)
        victim = path.with_suffix(suffix)
        whole = victim.read_bytes()
        victim.write_bytes(damage(whole, at))
        try:
            reader = SampleReader(path)
        except (CannotRun, UsageError):
            assert suffix == ".jsonl"  # its header
            return

        starts = [row.start_ns for row in reader]
        names = [reader.labels[row.series].request for row in reader]
        loss = reader.loss(is_over=True)

    assert starts == sorted(set(starts))
    assert set(starts) <= set(range(TAKEN))
    assert names == [f"r{start % 2}" for start in starts]
    if loss.is_exact and loss:
        assert (loss.rows, loss.total) == (TAKEN - len(starts), TAKEN)
    assert loss or len(starts) == TAKEN


@pytest.mark.parametrize("at", [0, 30, 1_000, 5_000])
def test_a_damaged_block_costs_its_own_rows_only(tmp_path: Path, at: int) -> None:
    """What follows it is found again."""
    path = tmp_path / "samples.bin"
    write(path)
    path.write_bytes(flip(path.read_bytes(), at))

    reader = SampleReader(path)

    assert list(reader)[-1].start_ns == TAKEN - 1
    assert 0 < reader.loss(is_over=True).rows <= 256


def test_a_file_that_lost_its_end_with_the_run_says_so(tmp_path: Path) -> None:
    """Blocks that are gone whole leave no trace in it; the other file knows how many there were."""
    path = tmp_path / "samples.bin"
    write(path)
    names = path.with_suffix(".jsonl")
    names.write_bytes(b"".join(names.read_bytes().splitlines(keepends=True)[:-1]))

    killed, ended = (SampleReader(path).loss(is_over=is_over) for is_over in (False, True))

    assert not killed
    assert str(ended).startswith("samples may be lost, and their number is not known: `samples.js")


@pytest.mark.parametrize(
    "edited",
    [
        {"end": "many"},
        {"end": -1},
        {"worker": 0, "rows": None},
        {"message": 1, "text": ["why"]},
        {"message": [1], "text": "why"},
        {"series": 0, "request": 1},
        {"series": "0", "request": "r0"},
        {"series": 0, **LABELS, "tags": [["only a key"]]},
        {"series": 0, **LABELS, "groups": "g"},
        {"something": "else"},
    ],
)
def test_a_line_of_the_wrong_kind_is_refused_by_its_place(tmp_path: Path, edited) -> None:
    """Whoever edits a line can give it a checksum that holds."""
    path = tmp_path / "samples.bin"
    write(path)
    names = path.with_suffix(".jsonl")
    header, *lines = names.read_bytes().splitlines(keepends=True)
    names.write_bytes(b"".join([header, seal(edited).encode() + b"\n", *lines]))

    with pytest.raises(UsageError, match=r"samples\.jsonl:2` is broken: ") as refused:
        SampleReader(path)

    assert refused.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        *({"started_unix_ns": started} for started in (-1, 1 << 63, "now", None)),
        *({"share": share} for share in (-0.1, 1.5, "all", None, [])),
        {"file": "samples-1.bin"},
    ],
)
def test_a_header_that_cannot_be_this_files_is_broken(tmp_path: Path, fields) -> None:
    """Every report of samples makes dates of the start, and words of the share."""
    path = tmp_path / "samples.bin"
    write(path)
    names = path.with_suffix(".jsonl")
    _, *lines = names.read_bytes().splitlines(keepends=True)
    sound = {"started_unix_ns": 0, "file": "samples.bin", "share": 1.0}
    header = {"planrunner_samples": SAMPLES_VERSION} | sound | fields
    names.write_bytes(b"".join([seal(header).encode() + b"\n", *lines]))

    with pytest.raises(CannotRun, match="its header is broken"):
        SampleReader(path)
