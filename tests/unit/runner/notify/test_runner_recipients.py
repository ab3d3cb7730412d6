"""Who is told, and where they are sent; nothing is sent here."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.runner.notify.place import place_of_report
from planrunner.runner.notify.recipients import Recipients

ALL = Recipients(tuple(NotificationNode(n, "json://h", on) for n, on in enumerate(NotifyOn)))


@pytest.mark.parametrize(
    ("verdict", "exit_code", "last", "told"),
    [
        ("pass", 0, "", "always"),
        ("pass", 0, "pass", "always"),
        ("pass", 0, "fail", "always change"),
        ("pass", 0, "could not run", "always change"),
        ("warn", 0, "pass", "always change"),
        ("fail", 1, "", "fail always change"),
        ("fail", 1, "fail", "fail always"),
        ("aborted", 4, "fail", "fail always change"),
        ("not valid", 5, "not valid", "fail always"),
        ("could not run", 3, "pass", "fail always change"),
        ("interrupted", 130, "pass", "always"),
    ],
)
def test_who_is_told(verdict: str, exit_code: int, last: str, told: str) -> None:
    """An exit code but 0 is a failure; whoever interrupts a run knows."""
    assert " ".join(node.on for node in ALL.wanting(verdict, exit_code, last)) == told


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"CI_JOB_URL": "https://gitlab.test/j/1"}, "https://gitlab.test/j/1"),
        (
            {
                "GITHUB_SERVER_URL": "https://github.test",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "7",
            },
            "https://github.test/a/b/actions/runs/7",
        ),
        ({"BUILD_URL": "https://jenkins.test/7/"}, "https://jenkins.test/7/"),
        ({"GITHUB_RUN_ID": "7"}, ""),
    ],
)
def test_the_page_of_a_job_is_where_its_report_is(
    tmp_path: Path, environ: dict[str, str], place: str
) -> None:
    """Half of what names a page is none."""
    assert place_of_report(tmp_path, environ) == place


def test_without_a_job_it_is_a_file(tmp_path: Path) -> None:
    """The best to open, with the machine that has it."""
    for name in ("metrics.json", "report.html"):
        (tmp_path / name).touch()

    assert place_of_report(tmp_path, {}).startswith(f"{tmp_path / 'report.html'} on ")
