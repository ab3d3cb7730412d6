"""`on_error` of classes, tasks and groups: the nearest one holds."""

from __future__ import annotations

import pytest

from planrunner.graph.run_graph import OnError
from tests.support.plans import compiled, findings


@pytest.mark.parametrize(
    ("of_class", "of_task", "wanted"),
    [
        ("", "", OnError.CONTINUE),
        ("on_error: stop_user,", "", OnError.STOP_USER),
        ("on_error: stop_user,", "on_error: stop_iteration,", OnError.STOP_ITERATION),
        ("on_error: stop_user,", "on_error: continue,", OnError.CONTINUE),
    ],
)
def test_a_task_takes_its_own_or_the_classs(of_class: str, of_task: str, wanted: OnError) -> None:
    """Beside a lone request too."""
    for rest in ("task: t, steps: [{get: /}]", "get: /"):
        graph = compiled(f"users: {{A: {{{of_class} tasks: [{{{of_task} {rest}}}]}}}}")

        assert graph.users[0].tasks[0].on_error is wanted


def test_it_belongs_to_no_request_of_a_list() -> None:
    """A group of one says what it means."""
    [found] = findings("users: {A: {steps: [{get: /, on_error: continue}]}}")

    assert found.message == "`on_error` can't be combined with `get`"
    assert "`group`" in found.hint
