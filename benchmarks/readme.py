"""Write the answers in results/ into the README, as a table of ratios."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

_BLOCK = re.compile(r"(<!-- benchmarks: .* -->\n).*(<!-- end of benchmarks -->)", re.DOTALL)
_QUESTION = re.compile(r"^\| (\d+) \| ([^|]+) \|", re.MULTILINE)


def table() -> str:
    """Return a row for each question that has an answer, in the order of their numbers."""
    asked = dict(_QUESTION.findall((ROOT / "benchmarks" / "README.md").read_text("utf-8")))
    answers = [json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")]
    answers.sort(key=lambda answer: int(answer["question"].partition("-")[0]))
    rows = ["| question | answer |", "|---|---|"]
    for answer in answers:
        words = asked[answer["question"].partition("-")[0]]
        rows.append(f"| {words} | {'; '.join(answer['summary'])} |")
    return "".join(f"{row}\n" for row in rows)


def with_table(page: str) -> str:
    """Return the README with the table in its place."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{table()}\n{found[2]}", page)


def main() -> None:
    page = ROOT / "README.md"
    page.write_text(with_table(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
