"""Builds the site of the documentation into build/site: `python -m publishing.site`.

The generator makes the pages. Beside them are the same pages as they are written, `llms.txt`, which
lists them, and `llms-full.txt`, which holds all of them: what a language model reads.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import unquote

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
    for html in site.rglob("*.html"):
        _take_in(html, site, root)
    listed = pages(root)
    for page in listed:
        shutil.copyfile(root / "docs" / page.path, site / page.path)
    (site / "llms.txt").write_text(index_of(listed), "utf-8")
    (site / "llms-full.txt").write_text(whole_of(listed), "utf-8")
    return site


def _take_in(html: Path, site: Path, root: Path) -> None:
    """Copy files of the checkout that a page links to into the site, and turn the links there.

    On a code host such a link leads from docs/ to plans/ or schema/, beside docs/.
    """

    def inside(found: re.Match[str]) -> str:
        wanted = (root / "docs" / html.relative_to(site)).parent / unquote(found[1])
        path = Path(os.path.normpath(wanted)).relative_to(root)
        if path.parts[0] == "docs" or not (root / path).is_file():
            return found[0]
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, site / path)
        return f'href="{os.path.relpath(site / path, html.parent)}"'

    text = html.read_text("utf-8")
    html.write_text(re.sub(r'href="((?:\.\./)+[^"#]+)"', inside, text), "utf-8")


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
