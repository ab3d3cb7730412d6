"""Very large plans: what is said of them stays short, and says how much it leaves out."""

from __future__ import annotations

import pytest

from planrunner.explain.explain import explain_text
from planrunner.explain.graph_views import graph_dot, graph_json, graph_mermaid, graph_text
from planrunner.graph.run_graph import RunGraph
from tests.support.cpu_time import within_cpu
from tests.support.plans import compiled

_MANY = 20_000


def with_stages(count: int) -> RunGraph:
    lines = "\n".join("  - {duration: 1s, users: 1}" for _ in range(count))
    return compiled(f"stages:\n{lines}")


def with_tasks(count: int) -> RunGraph:
    lines = "\n".join(f"      - {{get: /{number}}}" for number in range(count))
    return compiled(f"users:\n  A:\n    tasks:\n{lines}")


def with_rates(count: int) -> RunGraph:
    lines = "\n".join(f"      - {{duration: 1s, rate: {n + 1}/s}}" for n in range(count))
    return compiled(f"phases:\n  - stages:\n{lines}")


def with_phases(count: int) -> RunGraph:
    lines = "\n".join(f"  - {{name: p{number}, users: 1, hold: 1s}}" for number in range(count))
    return compiled(f"phases:\n{lines}")


@pytest.mark.slow
@pytest.mark.parametrize("make", [with_stages, with_tasks, with_rates])
def test_twenty_thousand_of_a_kind_are_explained_in_seconds(make: object) -> None:
    """The first twenty, and how many more there are; in every view that people read."""
    assert callable(make)
    graph = make(_MANY)

    def explain() -> tuple[list[str], str]:
        texts = [explain_text(graph), graph_text(graph), graph_mermaid(graph), graph_dot(graph)]
        return texts, graph_json(graph)

    texts, whole = within_cpu(3, explain)

    assert "… 19,980 more" in texts[0]
    assert max(len(text.splitlines()) for text in texts) < 100
    assert max(map(len, texts[0].splitlines())) < 200
    assert len(whole.splitlines()) > _MANY


@pytest.mark.parametrize("make", [with_stages, with_tasks, with_rates, with_phases])
def test_two_hundred_of_a_kind_are_all_shown(make: object) -> None:
    """Plans that people write are never cut."""
    assert callable(make)

    assert "more" not in explain_text(make(200)).replace("more moments", "").replace(
        "more for raw samples", ""
    )


def test_views_of_a_cut_graph_still_hang_together() -> None:
    """Each arrow of Mermaid and DOT leads between two boxes."""
    for graph in (with_phases(300), with_tasks(300)):
        lines = graph_mermaid(graph).splitlines()[1:]
        boxes = {line.split("[")[0].strip() for line in lines if "[" in line}
        ends = {end.strip() for line in lines if "-->" in line for end in line.split("-->")}

        assert ends == boxes
        assert "… 280 more" in graph_mermaid(graph)
        assert graph_dot(graph).count("->") == sum("-->" in line for line in lines)
