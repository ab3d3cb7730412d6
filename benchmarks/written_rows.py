"""Question 15: what generated rows cost, and whether memory stays flat while they are written."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.processes import Outcome, run

HERE = Path(__file__).resolve().parent
COMMAND = str(Path(sys.executable).with_name("planrunner"))

ROWS = 100_000
FEW = 1_000
"""Rows of the process whose time is taken off: its start."""

MILLION = 1_000_000
SIZES = {"csv": (MILLION // 4, MILLION), "parquet": (MILLION // 4, MILLION, 3 * MILLION)}

LOOP = """
import csv, sys
with open(sys.argv[1], "w", newline="") as out:
    write = csv.writer(out).writerow
    row = ("8b7e1a0c-5f4d-4c52-9a55-0c6f0d1b2a3e", "order", 50.12345678901234, 25000)
    for _ in range(int(sys.argv[2])):
        write(row)
"""


def written_rows(rounds: int, seconds: int) -> dict:
    """CPU of a row beside a bare loop's, and peak memory by the number of rows."""
    del seconds
    cpu, peaks = cost(rounds), memory()
    return {"summary": summarise(cpu, peaks), "cpu_us_per_row": cpu, "peak_mb": peaks}


def cost(rounds: int) -> dict[str, list[float]]:
    """Return the CPU microseconds of a row, in turns with the loop."""
    cpu: dict[str, list[float]] = {"loop": [], "csv": [], "parquet": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for kind, found in cpu.items():
                # The loop is so fast that few rows would be lost beside the start of a process.
                rows = MILLION if kind == "loop" else ROWS
                few = _write(kind, FEW, Path(folder), cpu=1)
                many = _write(kind, rows, Path(folder), cpu=1)
                found.append(round((many.cpu_s - few.cpu_s) / (rows - FEW) * 1e6, 3))
            shown = {kind: found[-1] for kind, found in cpu.items()}
            print(f"  round {number + 1}: {shown}", flush=True)
    return cpu


def memory() -> dict[str, dict[int, float]]:
    """Return peak resident megabytes, by format and number of rows."""
    peaks: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, sizes in SIZES.items():
            peaks[kind] = {}
            for rows in sizes:
                peak = _write(kind, rows, Path(folder), cpu=None).peak_bytes
                peaks[kind][rows] = round(peak / 1e6, 1)
                print(f"  {kind}: {peaks[kind]}", flush=True)
    return peaks


def summarise(cpu: dict[str, list[float]], peaks: dict[str, dict[int, float]]) -> list[str]:
    """Return the median ratio of each format to the loop, and how memory grows with rows."""
    lines = []
    for kind, by_rows in peaks.items():
        pairs = zip(cpu[kind], cpu["loop"], strict=True)
        ratio = median(mine / bare for mine, bare in pairs)
        target = " (target 6)" if kind == "csv" else ""
        shown = ", ".join(f"{mb:.0f} MB at {rows:,}" for rows, mb in by_rows.items())
        lines.append(
            f"a row of {kind} takes {ratio:.1f} × the CPU of a bare `csv.writer` loop{target}; "
            f"peak memory {shown} rows"
        )
    return lines


def _write(kind: str, rows: int, folder: Path, *, cpu: int | None) -> Outcome:
    out = folder / f"rows.{kind}"
    out.unlink(missing_ok=True)
    if kind == "loop":
        command = [sys.executable, "-c", LOOP, str(out), str(rows)]
    else:
        plan = str(HERE / "plans" / "rows.yaml")
        command = [COMMAND, "data", plan, "events", "--rows", str(rows), "--output", str(out)]
    outcome = run(command, cpu=cpu)
    if outcome.exit_code:
        raise RuntimeError(outcome.output + outcome.errors)
    return outcome
