"""A load tool that a test brings: a program of Python that prints what it is told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolReader, ToolSample
from planrunner.tools.reading.csv_rows import CsvRows

__all__ = ["PRINTER"]


class PrinterReader(ToolReader):
    """Reads `name,took_ms,status` from what is printed."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = CsvRows()

    def feed(self, data: bytes) -> Sequence[ToolSample]:
        found = []
        for row in self._rows.feed(data):
            try:
                name, took, status = row
                one = ToolSample(name, self.began_ns, int(took) * 1_000_000, status=int(status))
            except ValueError:
                self.unread += 1
            else:
                found.append(one)
        return found

    def verdict(self, code: int) -> str:
        return "it is not content" if code == 9 else ""


def _command(job: ToolJob) -> ToolCommand:
    script = Path("script.py") if job.script is None else job.script
    return ToolCommand((job.program, "-u", str(script), *job.args, *(["once"] if job.once else ())))


PRINTER = Tool(
    name="printer",
    programs=(sys.executable,),
    version=("--version",),
    script="a program of Python that prints samples",
    needs_script=True,
    delivers="names, times and statuses",
    lacks="all else",
    install="apt-get install python3",
    command=_command,
    reader=lambda _: PrinterReader(),
    once="a single round",
)
