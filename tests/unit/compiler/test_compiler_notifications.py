"""`notify:` of a plan: whom it names, and that nobody else reads the URLs."""

from __future__ import annotations

import pytest

from planrunner.compiler.compile import compile_plan
from planrunner.explain.explain import explain_text
from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from tests.support.plans import compiled, findings, plan_text

URL = "json://h.test/a-long-token"


def test_entries_without_a_url_tell_nobody() -> None:
    """Empty, null, and a param without a value; `fail` is when people want to know."""
    graph = compiled(
        f"""
        params: {{hook: {{type: str, default: null, secret: true}}}}
        notify:
          - {{url: '', on: always}}
          - {{url: null}}
          - {{url: "${{hook}}", on: change}}
          - {{url: {URL}, attach: [report.html]}}
        """
    )

    assert graph.notifications == (
        NotificationNode(0, "", NotifyOn.ALWAYS),
        NotificationNode(1, ""),
        NotificationNode(2, "", NotifyOn.CHANGE),
        NotificationNode(3, URL, NotifyOn.FAIL, ("report.html",)),
    )
    assert explain_text(graph).partition("\nnotify")[2].splitlines() == [
        ": when the run has ended",
        *["  nothing is sent: the URL is empty"] * 3,
        "  json: if it fails, with report.html",
    ]


def test_a_url_is_a_secret_wherever_it_comes_from() -> None:
    """A literal, a param that nobody declared to be secret, and the option that sets it."""
    literal = compiled(f"notify: [{{url: '{URL}'}}]")
    given = compiled(
        """
        params: {hook: {type: str, default: 'json://h.test/default-token'}}
        notify: [{url: "${hook}"}]
        """,
        overrides={"hook": URL},
    )

    for graph in (literal, given):
        assert URL in graph.secrets
        assert URL not in repr((graph.notifications, graph.plan_text, graph.params))
    assert "default-token" not in given.plan_text
    assert given.params == {"hook": "***"}
    assert given.notifications[0].url == URL


def test_plans_of_a_folder_may_tell_the_same_people() -> None:
    """Unless a plan names its own, or nobody; a URL there is a secret as well."""
    defaults = f"notify: [{{url: '{URL}', on: change}}]"

    def graph_with(*sections: str) -> RunGraph:
        texts = {"plan.yaml": plan_text(*sections), "planrunner.yaml": defaults}
        bundle = Bundle("plan.yaml", texts, defaults="planrunner.yaml")
        return compile_plan(load_bundle(bundle, ParamSources({}, None, {})))

    given = graph_with()
    assert given.notifications == (NotificationNode(0, URL, NotifyOn.CHANGE),)
    assert URL in given.secrets
    assert [one.url for one in graph_with("notify: [{url: 'json://own.test'}]").notifications] == [
        "json://own.test"
    ]
    assert graph_with("notify: []").notifications == ()


def test_a_faulty_plan_shows_no_url() -> None:
    """Nor the default that an option has replaced, in the line that is wrong."""
    text = f"""
        params: {{hook: {{type: str, default: '{URL}', max: 3}}}}
        notify: [{{url: "${{hook}}"}}]
        """
    with pytest.raises(PlanError) as failed:
        compiled(text)

    assert "max" in str(failed.value)
    assert "token" not in str(failed.value)


def test_what_can_not_be() -> None:
    """Values of users, reports that nobody writes, and moments that there are not."""
    found = findings(
        """
        notify:
          - {url: "json://${user.id}"}
          - {url: '', attach: [junit.xml]}
        """
    )

    assert [(one.code, one.marked) for one in found] == [
        ("unknown-name", "user.id"),
        ("not-allowed", "junit.xml"),
    ]
    [when] = findings("notify: [{url: '', on: never}]")
    assert (when.code, when.marked) == ("invalid-value", "never")
    [missing] = findings("notify: [{on: fail}]")
    assert (missing.code, missing.message) == ("missing-key", "`url` is missing")
