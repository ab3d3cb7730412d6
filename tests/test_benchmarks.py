"""What the README says of speed is what was measured."""

from __future__ import annotations

import json

from benchmarks.readme import RESULTS, ROOT, table, with_table


def test_the_readme_quotes_the_committed_results() -> None:
    """`python benchmarks/readme.py` writes its table; `make bench` does so too."""
    page = (ROOT / "README.md").read_text("utf-8")

    assert page == with_table(page)
    assert table() in page


def test_an_answer_has_its_question_machine_and_every_round() -> None:
    """A ratio can be made again from the raw numbers."""
    for path in RESULTS.glob("*.json"):
        answer = json.loads(path.read_text("utf-8"))
        assert answer["question"] == path.stem
        assert answer["measured"]
        assert answer["machine"]["processors"] >= 1
        assert answer["summary"]
        raw = answer.keys() - {"question", "measured", "machine", "summary"}
        assert any(isinstance(answer[key], dict | list) and answer[key] for key in raw)
