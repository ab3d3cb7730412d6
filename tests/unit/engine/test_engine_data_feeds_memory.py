"""Large data files cost what they must: nothing in sequence, 8 bytes a row by place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 1_000_000
ROW = "user-{:07d}," + "x" * 300 + "\n"

# In a process of its own: the peak of this one is that of all tests before.
READ = """
import resource, sys
from random import Random
from planrunner.graph.data import DataNode, Order
from planrunner.engine.users.data_feeds import open_feed

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

path, order, draws = sys.argv[1], sys.argv[2], int(sys.argv[3])
node = DataNode("users", "csv", ("name", "text"), 1000, file="users.csv", path=path,
                is_counted=False, order=Order(order))
rng, before = Random(1), peak()
feed = open_feed(node, seed=1, scope={}, needs=None)
seen = 0
for _ in range(draws):
    seen ^= int(feed.draw(rng)["name"][5:])
print(peak() - before, seen)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of over 300 MB."""
    path = tmp_path_factory.mktemp("large") / "users.csv"
    with path.open("w") as file:
        file.write("name,text\n")
        file.writelines(ROW.format(number) for number in range(ROWS))
    assert path.stat().st_size > 300_000_000
    return path


def read(path: Path, order: str, draws: int) -> tuple[int, int]:
    """Return by how many bytes the peak grew, and the rows' numbers, xor-ed."""
    ended = subprocess.run(
        [sys.executable, "-c", READ, str(path), order, str(draws)],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, seen = ended.stdout.split()
    return int(grown), int(seen)


@pytest.mark.slow
def test_rows_in_sequence_cost_no_memory(large: Path) -> None:
    """All of the file is read, and none of it kept."""
    grown, seen = read(large, "sequential", ROWS)

    assert grown < 5_000_000
    assert seen == _all_rows()


@pytest.mark.slow
def test_random_rows_cost_eight_bytes_each(large: Path) -> None:
    """Their places are kept, not the rows."""
    grown, _ = read(large, "random", 20_000)

    assert grown < 8 * ROWS * 1.25 + 5_000_000  # a list that grows has room to spare


@pytest.mark.slow
def test_a_shuffle_costs_eight_bytes_a_row_and_leaves_none_out(large: Path) -> None:
    """Each row once, in any order."""
    grown, seen = read(large, "shuffle", ROWS)

    assert grown < 8 * ROWS * 1.25 + 5_000_000
    assert seen == _all_rows()


def _all_rows() -> int:
    seen = 0
    for number in range(ROWS):
        seen ^= number
    return seen
