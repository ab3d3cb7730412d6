"""Breaks shipped plans at every 7th character and asks all that an editor can, in 3 minutes."""

from __future__ import annotations

import time

from tests.support.broken_texts import ask_all, broken_texts, completed
from tests.support.doc_pages import ROOT
from tests.support.plan_views import view_of


def main() -> None:
    texts = asked = 0
    longest_s = 0.0
    for file in sorted((ROOT / "plans").glob("*.yaml")):
        view = view_of(file, checks=True)
        completed(view, view.text, 0)  # which makes the schema
        for text, end in broken_texts(view.text):
            texts += 1
            began = time.thread_time()
            completed(view, text, end)
            longest_s = max(longest_s, time.thread_time() - began)
            for ask in ask_all(view, text, end):
                ask()
                asked += 1
    print(f"{texts} texts, {asked} other questions; slowest completion {1000 * longest_s:.0f} ms")


if __name__ == "__main__":
    main()
