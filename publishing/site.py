"""Builds the site of the documentation into build/site: `python -m publishing.site`.

The generator makes the pages. Beside them are the same pages as they are written, `llms.txt`, which
lists them, and `llms-full.txt`, which holds all of them: what a language model reads.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from publishing.navigation import Page, pages

__all__ = ["build"]

ROOT: Final = Path(__file__).resolve().parent.parent
_SUMMARY: Final = """\
# planrunner

> Performance tests as YAML plans: planrunner checks a plan to line and column, sends its load from
> an asynchronous engine, and gives its verdict as an exit code.

Each link leads to a page as Markdown. [llms-full.txt](llms-full.txt) holds all of them.
"""


def build(root: Path) -> Path:
    """Build the site of the checkout `root`, and return its folder.

    CalledProcessError: a link or an anchor leads nowhere, or the navigation names no page.
    """
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(command, cwd=root, check=True)
    site = root / "build" / "site"
    listed = pages(root)
    for page in listed:
        shutil.copyfile(root / "docs" / page.path, site / page.path)
    (site / "llms.txt").write_text(index_of(listed), "utf-8")
    (site / "llms-full.txt").write_text(whole_of(listed), "utf-8")
    return site


def index_of(listed: Iterable[Page]) -> str:
    """Return a list of the pages by section, each with its first sentence."""
    text = _SUMMARY
    for section, below in groupby(listed, key=lambda page: page.section):
        text += f"\n## {section}\n\n"
        text += "".join(
            f"- [{page.title}]({page.path})" + (f": {page.summary}\n" if page.summary else "\n")
            for page in below
        )
    return text


def whole_of(listed: Iterable[Page]) -> str:
    """Return the pages one after the other, each below the path that links name."""
    return "\n".join(f"<!-- {page.path} -->\n\n{page.text}" for page in listed)


if __name__ == "__main__":
    print(build(ROOT))
