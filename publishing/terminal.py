"""Pictures of a real terminal: commands typed into tmux, and its screen as SVG."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme

__all__ = ["Terminal"]

_PROMPT: Final = "$ "
_PATIENCE_S: Final = 120.0
_FONTS: Final = 'ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'
_THEME: Final = TerminalTheme(
    (16, 20, 28),
    (214, 219, 228),
    [
        (60, 66, 78),
        (255, 107, 107),
        (105, 210, 129),
        (240, 190, 90),
        (110, 168, 254),
        (205, 147, 255),
        (92, 207, 230),
        (200, 205, 214),
    ],
    [
        (120, 128, 142),
        (255, 133, 133),
        (134, 226, 155),
        (250, 210, 120),
        (145, 190, 255),
        (222, 175, 255),
        (130, 224, 240),
        (240, 243, 248),
    ],
)
# The font of rich's own format comes from a CDN.
_FORMAT: Final = re.sub(
    r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
).replace("Fira Code, monospace", _FONTS)


class Terminal:
    """A shell in a terminal of a fixed size, which ends with its block."""

    def __init__(self, folder: Path, *, columns: int, rows: int, programs: Path) -> None:
        self.folder = folder
        self._columns = columns
        self._socket = str(folder / "tmux")
        self._environ = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COLORTERM": "truecolor",
        }
        size = ["-x", str(columns), "-y", str(rows)]
        shell = "bash --noprofile --norc"
        self._tmux("new-session", "-d", *size, "-c", str(folder), shell)

    def __enter__(self) -> Self:
        self._tmux("send-keys", f"PS1='{_PROMPT}'; clear", "Enter")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server")

    def type(self, command: str) -> None:
        """Clear the screen and start a command; it may still run afterwards."""
        self._wait_for_prompt()
        self._tmux("send-keys", "-R", "C-l")
        self._tmux("clear-history")
        self._tmux("send-keys", "-l", command)
        self._tmux("send-keys", "Enter")

    def run(self, command: str) -> None:
        """Type a command and wait until it has ended."""
        self.type(command)
        time.sleep(0.3)
        self._wait_for_prompt()

    def wait_for(self, text: str) -> None:
        """Wait until the screen shows a text; TimeoutError after two minutes."""
        deadline = time.monotonic() + _PATIENCE_S
        while text not in self._screen():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no `{text}` on the screen:\n{self._screen()}")
            time.sleep(0.1)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def picture(self) -> str:
        """Return the screen as SVG, from the command to the last line that has something."""
        lines = self._screen("-e").rstrip().splitlines()
        if lines and re.sub(r"\x1b\[[\d;]*m", "", lines[-1]).strip() == _PROMPT.strip():
            lines.pop()
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            console = Console(
                record=True,
                width=self._columns,
                file=nowhere,
                force_terminal=True,
                color_system="truecolor",
                legacy_windows=False,
            )
            for line in AnsiDecoder().decode("\n".join(lines)):
                console.print(line, soft_wrap=True, highlight=False)
            return console.export_svg(
                title="planrunner", theme=_THEME, code_format=_FORMAT, unique_id="terminal"
            )

    def _wait_for_prompt(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self._screen().rstrip().rpartition("\n")[2] != _PROMPT.rstrip():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the command has not ended:\n{self._screen()}")
            time.sleep(0.1)

    def _screen(self, *options: str) -> str:
        """Return what the terminal has shown since it was cleared, scrolled lines included."""
        return self._tmux("capture-pane", "-p", "-S", "-", *options)

    def _tmux(self, *words: str) -> str:
        ended = subprocess.run(
            ["tmux", "-S", self._socket, "-f", os.devnull, *words],
            env=self._environ,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"tmux {shlex.join(words)}: {ended.stderr.strip()}")
        return ended.stdout
