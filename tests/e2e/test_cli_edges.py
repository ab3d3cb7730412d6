"""Plans at the edge of what names and values can be: words and a code, never a traceback."""

from __future__ import annotations

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject

USERS = "users: {U: {steps: [{get: /}]}}\nphases: [{users: 1, iterations: 1}]\n"
LONG = "x" * 5_000


@pytest.mark.parametrize("host", ["a..test", "x" * 70 + ".test"])
def test_a_name_that_no_host_can_have_does_not_resolve(project: PlanProject, host: str) -> None:
    """Python's codec for names raises no error of the system."""
    project.write({"plan.yaml": f"name: p\nhttp: {{base_url: 'http://{host}'}}\n{USERS}"})

    ended = project.run("execute", "plan.yaml")

    assert (ended.code, "cannot resolve" in ended.err) == (3, True)


@pytest.mark.slow
@pytest.mark.parametrize("client", ["wire", "httpx"])
def test_a_reply_can_name_no_host_and_no_url(
    project: PlanProject, target: HttpServer, client: str
) -> None:
    """What it makes impossible is a failure of that request."""
    project.write(
        {
            "plan.yaml": f"""
name: p
http: {{base_url: '{target.url}', client: {client}}}
users:
  U:
    state: {{w: ''}}
    steps:
      - set: {{w: "${{'x' * 70000}}"}}
      - {{get: 'http://${{w}}.test/', name: host, timeout: 2s}}
      - {{get: '/${{w}}', name: path, timeout: 2s}}
phases: [{{users: 1, iterations: 1}}]
thresholds: ['error_rate <= 100%']
"""
        }
    )

    ended = project.run("execute", "plan.yaml", "--out", "out")

    assert ended.code == 0, ended.err
    assert (project.directory / "out" / "metrics.json").exists()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (f"baseline: {LONG}", 3),
        (f"services: {{s: {{run: sleep 9, cwd: {LONG}}}}}", 3),
        ('report: {dir: "a\\0b"}', 3),
    ],
)
def test_a_name_that_no_file_can_have_is_said(
    project: PlanProject, target: HttpServer, key: str, code: int
) -> None:
    """A baseline that isn't there is none; the others can't be used."""
    base = f"name: p\nhttp: {{base_url: '{target.url}'}}\n{key}\n"
    project.write({"plan.yaml": base + USERS})

    ended = project.run("execute", "plan.yaml")

    assert "Traceback" not in ended.err
    assert ended.code == (0 if key.startswith("baseline") else code), ended.err


def test_params_that_repeat_each_other_have_a_budget(project: PlanProject) -> None:
    """Twelve lines can otherwise mean gigabytes."""
    params = "".join(
        f"  p{n}: {{type: str, default: '{f'${{p{n - 1}}}' * 4}'}}\n" for n in range(1, 12)
    )
    first = f"  p0: {{type: str, default: {'x' * 1000}}}\n"
    project.write({"plan.yaml": f"name: p\nparams:\n{first}{params}{USERS}"})

    ended = project.run("validate", "plan.yaml")

    assert (ended.code, "larger than 1 MB" in ended.err) == (2, True)


def test_a_table_may_have_many_columns(project: PlanProject) -> None:
    """Each is looked at once."""
    names = ",".join(f"c{n}" for n in range(100_000))
    values = ",".join("1" * 100_000)
    project.write(
        {
            "d.csv": f"{names}\n{values}\n",
            "plan.yaml": "name: p\ndata: {d: {csv: d.csv}}\n"
            + USERS.replace("get: /", "get: 'http://127.0.0.1:1/${d.c7}'"),
        }
    )

    assert project.run("validate", "plan.yaml").code == 0
