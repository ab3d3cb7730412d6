"""A load tool that a test brings: a program of Python that prints what it is told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from planrunner.tools.contract import Tool, ToolCommand, ToolJob, ToolSample
from planrunner.tools.reading.csv_rows import CsvRows

__all__ = ["PRINTER"]


class PrinterReader:
    """Reads `name,took_ms,status` from what is printed."""

    lasted_ns = 0
    users = None

    def __init__(self) -> None:
        self.began_ns = self.unread = 0
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

    def end(self, printed: str) -> Sequence[ToolSample]:
        del printed
        return ()

    def notices(self) -> Sequence[str]:
        return ()


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
    verdicts={9: "it is not content"},
)
