"""When a change is one; what is sent is written down here and not sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun
from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.report.notification import Message
from planrunner.results.files.directory import METRICS
from planrunner.results.files.metrics_json import write_metrics
from planrunner.runner.build_result import written_time
from planrunner.runner.notify import telling
from planrunner.runner.notify.recipients import Recipients
from tests.support.graphs import closed, make_graph, user_class
from tests.support.results import make_result

ON_CHANGE = Recipients((NotificationNode(0, "json://h", NotifyOn.CHANGE),))


def test_a_run_that_could_not_begin_is_told_once_and_the_end_of_that_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves no directory, so what it came to is written beside those of others."""
    told: list[str] = []
    graph = make_graph(user_class(), closed(1, 1))

    async def keep(url: str, message: Message, *_: object, **__: object) -> None:
        del url
        told.append(message.verdict)

    def refused(number: int) -> None:
        directory = tmp_path / "runs" / f"refused {number}"
        asyncio.run(telling.tell_refusal(ON_CHANGE, graph, CannotRun("closed"), directory))

    def passed(number: int) -> None:
        directory = tmp_path / "runs" / str(number)
        directory.mkdir(parents=True)
        now = written_time(datetime.now(UTC) + timedelta(seconds=number))
        result = make_result(plan=graph.name, profile=graph.profile, started=now)
        write_metrics(result, directory / METRICS)
        asyncio.run(telling.tell_result(ON_CHANGE, result, directory, Stop()))

    monkeypatch.setattr(telling, "send", keep)
    refused(1)
    refused(2)
    assert told == ["could not run"]
    passed(1)
    passed(2)
    assert told == ["could not run", "pass"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["1", "2"]
