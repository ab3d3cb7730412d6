"""A host keeps files of plans by their content: whole, private, bounded, and sent to it once."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.cluster.files import arriving, sending
from planrunner.cluster.files import store as store_module
from planrunner.cluster.files.chunks import CHUNK, LaidFile, pack, unpack
from planrunner.cluster.files.manifest import FileToSend, Manifest, file_to_send
from planrunner.cluster.files.sending import Delivered, Delivery, bring
from planrunner.cluster.files.store import HostStore, cache_folder
from planrunner.errors import CannotRun
from tests.support.host_stores import StoreCalls

RANDOM = random.Random(1).randbytes(3 * CHUNK + 17)
"""What can't be compressed, in four pieces."""


def key(content: bytes) -> str:
    return blake2b(content, digest_size=32).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "far away"


@pytest.fixture
def store(folder: Path) -> Iterator[HostStore]:
    with closing(HostStore(folder)) as store:
        yield store


def manifest(*files: FileToSend) -> Manifest:
    return Manifest(files, ("/plans",), "/plans", {})


def one_file(tmp_path: Path, content: bytes, *, is_secret: bool = False) -> Manifest:
    path = tmp_path / "file"
    path.write_bytes(content)
    return manifest(file_to_send(str(path), path, is_secret=is_secret))


class TestStore:
    @settings(max_examples=10, deadline=None)
    @given(order=st.permutations(range(4)), again=st.lists(st.integers(0, 3), max_size=3))
    def test_pieces_come_in_any_order_and_twice(
        self, tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int]
    ) -> None:
        """The file is there when all have come."""
        content = bytes(range(200)) * 2
        name, pieces = key(content), [content[at : at + 100] for at in range(0, 400, 100)]

        with closing(HostStore(tmp_path_factory.mktemp("store"))) as store:
            assert store.lacks({name: 400}) == {name: 0}
            for number in (*again, *order):
                have = store.put(name, number * 100, pack(pieces[number]))
            tree = store.lay_out([LaidFile("/a/b", name)], ["/c/d"])

            assert (have, (tree / "a/b").read_bytes()) == (400, content)
            assert (tree / "c/d").is_dir()
            assert store.lacks({name: 400}) == {}

    def test_what_came_of_a_file_is_not_sent_again(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A later store goes on from there, unless another process is still writing it.

        Not from anywhere: what was there is read again.
        """
        name = key(RANDOM)
        with closing(HostStore(folder)) as store:
            store.lacks({name: len(RANDOM)})
            store.put(name, 0, pack(RANDOM[:CHUNK]))
            store.put(name, 2 * CHUNK, pack(RANDOM[2 * CHUNK : 3 * CHUNK]))  # of no use
            with closing(HostStore(folder)) as beside:
                assert beside.lacks({name: len(RANDOM)}) == {name: 0}

        monkeypatch.setattr(arriving, "_MOST_RESUMED", CHUNK - 1)
        with closing(HostStore(folder)) as store:
            assert store.lacks({name: len(RANDOM)}) == {name: CHUNK - 1}
            for at in range(0, len(RANDOM), CHUNK):
                store.put(name, at, pack(RANDOM[at : at + CHUNK]))
            assert store.lacks({name: len(RANDOM)}) == {}

    def test_two_at_once_each_have_the_file(self, folder: Path) -> None:
        """And it is stored once."""
        name, content = key(b"abc"), b"abc"
        with closing(HostStore(folder)) as one, closing(HostStore(folder)) as other:
            for store in (one, other):
                store.lacks({name: 3})
            trees = []
            for store in (one, other):
                store.put(name, 0, pack(content))
                trees.append(store.lay_out([LaidFile("/f", name)], ()))
            one.close()

            assert (trees[1] / "f").read_bytes() == content
            assert not trees[0].exists()
            assert [path.name for path in (folder / "objects").iterdir()] == [name]

    def test_nothing_else_is_taken(self, store: HostStore, folder: Path) -> None:
        """Other content, pieces of no file, names that lead out, what is no piece."""
        name = key(b"abc")
        store.lacks({name: 3})
        for offset, data in ((1, pack(b"abc")), (-1, pack(b"a")), (0, b"?"), (0, b"zabc")):
            with pytest.raises(ValueError, match="piece"):
                store.put(name, offset, data)
        with pytest.raises(CannotRun, match="what arrived is not what was sent"):
            store.put(name, 0, pack(b"abd"))
        for wrong in ("../x", key(b"no"), f"{name}/x"):
            with pytest.raises(ValueError, match="was not asked for"):
                store.put(wrong, 0, pack(b"a"))
        with pytest.raises(ValueError, match="is not the key"):
            store.lacks({"../x": 1})
        with pytest.raises(ValueError, match="is not a whole path"):
            store.lay_out([LaidFile("/a/../../x", name)], ())

        assert [*folder.glob("*/*")] == [*folder.glob("runs/*")]

    def test_a_file_that_was_written_to_is_not_used(self, store: HostStore, folder: Path) -> None:
        """Nor one that a disk cut short."""
        for content in (b"abc", b"abcd"):
            name = key(content)
            store.lacks({name: len(content)})
            store.put(name, 0, pack(content))
        first, second = (folder / "objects" / key(content) for content in (b"abc", b"abcd"))
        first.chmod(0o600)
        first.write_bytes(b"abX")
        second.chmod(0o600)
        os.truncate(second, 2)

        with closing(HostStore(folder)) as later:
            assert later.lacks({key(b"abc"): 3, key(b"abcd"): 4}) == {first.name: 0, second.name: 0}

    def test_a_disk_that_is_full_is_said_before_anything_is_sent(
        self, store: HostStore, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What other runs left is removed first."""
        name = key(b"abc")
        with closing(HostStore(folder)) as earlier:
            earlier.lacks({name: 3})
            earlier.put(name, 0, pack(b"abc"))
        assert [*(folder / "objects").iterdir()]

        with pytest.raises(CannotRun, match=r"has room for .*, and files of the plan need 900,000"):
            store.lacks({key(b"large"): 900 * 10**15})

        assert [*(folder / "objects").iterdir()] == []

    def test_what_was_not_used_for_longest_goes_first(self, folder: Path) -> None:
        """Only so much is kept for runs to come, but nothing goes that a run uses."""
        contents = [letter * 100 for letter in (b"a", b"b", b"c")]
        with closing(HostStore(folder)) as store:
            for content in contents:
                store.lacks({key(content): 100})
                store.put(key(content), 0, pack(content))
            with closing(HostStore(folder, most_kept=0)):
                pass
            assert len([*(folder / "objects").iterdir()]) == 3
        used, *others = [folder / "objects" / key(content) for content in contents]
        while used.stat().st_ctime_ns <= max(path.stat().st_ctime_ns for path in others):
            with closing(HostStore(folder)) as store:  # its clock moves every few milliseconds
                store.lacks({used.name: 100})

        HostStore(folder, most_kept=200).close()

        left = [*(folder / "objects").iterdir()]
        assert len(left) == 2
        assert used in left

    def test_what_a_killed_process_left_is_removed_by_the_next(self, folder: Path) -> None:
        """Its tree and its secrets; those of one that lives stay."""
        store, name = HostStore(folder), f"{key(b'key')}.secret"
        store.lacks({name: 3})
        store.put(name, 0, pack(b"key"))
        tree = store.lay_out([LaidFile("/k", name)], ())
        HostStore(folder).close()
        assert (tree / "k").read_bytes() == b"key"

        store._lock.close()  # as the system does
        with closing(HostStore(folder)):
            assert not tree.exists()
            assert not [
                one for one in folder.rglob("*") if one.is_file() and b"key" in one.read_bytes()
            ]
        store.close()

    def test_a_folder_must_be_private(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that others can read is closed to them, and a link into somebody's is refused."""
        open_to_all = tmp_path / "open"
        open_to_all.mkdir(mode=0o755)
        HostStore(open_to_all).close()
        assert open_to_all.stat().st_mode & 0o777 == 0o700
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert cache_folder() == tmp_path / "cache/planrunner/files"
        monkeypatch.setattr(store_module.os, "getuid", lambda: 12345)
        with pytest.raises(CannotRun, match="is not a folder of this user's own"):
            HostStore(open_to_all)


class TestSending:
    def test_each_machine_gets_a_file_once_in_bounded_pieces(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two stores on one disk share it; how far it is, is told; few pieces are in flight."""
        monkeypatch.setattr(sending, "_BYTES_IN_FLIGHT", 2 * CHUNK + 2)
        wanted = one_file(tmp_path, RANDOM)
        told: list[Delivered] = []
        with closing(HostStore(folder)) as one, closing(HostStore(folder)) as two:
            third = HostStore(tmp_path / "third")
            calls = [StoreCalls(one, held=2), StoreCalls(two), StoreCalls(third, held=2)]
            hosts = [
                Delivery(f"host-{number}", machine, call, wanted)
                for number, (machine, call) in enumerate(zip("aab", calls, strict=True))
            ]

            there = asyncio.run(bring(hosts, told.append))

            assert [host.place(tmp_path / "file").read_bytes() for host in there] == [RANDOM] * 3
        third.close()
        assert [len(call.puts) for call in calls] == [4, 0, 4]
        assert [call.at_once for call in calls] == [2, 0, 2]
        assert max(size for call in calls for _, _, size in call.puts) == CHUNK + 1
        last = {one.host: one.bytes for one in told}
        assert last == {"host-0": len(RANDOM), "host-2": len(RANDOM)}

    def test_a_lost_answer_does_no_harm(
        self, tmp_path: Path, store: HostStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The call is made again."""
        monkeypatch.setattr(sending, "_PAUSE_S", 0)
        calls = StoreCalls(store, failing=(1, 2, 3))

        (there,) = asyncio.run(bring([Delivery("far", "m", calls, one_file(tmp_path, RANDOM))]))

        assert there.place(tmp_path / "file").read_bytes() == RANDOM

    def test_a_host_that_stays_away_is_named(
        self, tmp_path: Path, store: HostStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the file that could not be sent."""
        monkeypatch.setattr(sending, "_PATIENCE_S", 0)
        calls = StoreCalls(store, failing=range(100))

        with pytest.raises(CannotRun, match=r"`.*/file` can't be sent to far: the connection was"):
            asyncio.run(bring([Delivery("far", "m", calls, one_file(tmp_path, b"a"))]))

    @pytest.mark.parametrize("change", [b"", b"abX", b"abcd", None])
    def test_a_file_that_changes_meanwhile_is_said(
        self, tmp_path: Path, store: HostStore, change: bytes | None
    ) -> None:
        """And nothing wrong is stored."""
        wanted = one_file(tmp_path, b"abc")
        path = tmp_path / "file"
        path.unlink() if change is None else path.write_bytes(change)

        with pytest.raises(CannotRun, match=r"`.*/file` (changed while it|does not exist)"):
            asyncio.run(bring([Delivery("far", "m", StoreCalls(store), wanted)]))

    def test_many_small_files_arrive_too(self, tmp_path: Path, store: HostStore) -> None:
        """A command can be run, empty files are there, and none waits for each other."""
        paths = [tmp_path / name for name in ("empty", "tool", *map(str, range(20)))]
        for path in paths:
            path.write_text("" if path.name == "empty" else f"#!/bin/sh\n{path.name}")
        paths[1].chmod(0o755)
        files = [file_to_send(str(path), path, is_secret=False) for path in paths]
        calls = StoreCalls(store, held=sending._IN_FLIGHT)

        (there,) = asyncio.run(bring([Delivery("far", "m", calls, manifest(*files))]))

        assert calls.at_once == sending._IN_FLIGHT
        assert there.place(paths[0]).read_bytes() == b""
        assert os.access(there.place(paths[1]), os.X_OK)


@given(st.binary(max_size=300), st.integers(0, 40))
def test_a_piece_is_what_it_was(content: bytes, times: int) -> None:
    """Compressed only where that saves something."""
    piece = content * times

    data = pack(piece)

    assert unpack(data) == piece
    assert len(data) <= len(piece) + 1


def test_a_piece_cannot_grow_without_bounds() -> None:
    """However small it is as it comes."""
    with pytest.raises(ValueError, match="larger than any"):
        unpack(pack(bytes(CHUNK + 1)))
    assert arriving._MOST_EARLY >= sending._IN_FLIGHT
