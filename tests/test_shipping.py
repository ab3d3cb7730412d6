"""What runs planrunner elsewhere: containers, workflows, the action, hooks, and recipes for CI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = Path(sys.executable).parent
BLOCK = re.compile(r"^```text\n(?:#|//) (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INSTALL = re.compile(r"pip install \"[^\"\n]*\"")
RECIPES = sorted((ROOT / "docs" / "how-to").glob("ci-*.md"))


def tool(name: str) -> str:
    """Return the path of a development tool; skips the test without it, outside CI on Linux."""
    found = shutil.which(name, path=os.pathsep.join([str(COMMANDS), os.environ.get("PATH", "")]))
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: requirements-dev.txt has it")
        pytest.skip(f"{name} is not installed")
    return found


def called(*command: str | Path, given: str = "", cwd: Path = ROOT) -> str:
    """Return what a program says; fails the test when that ends with an error."""
    done = subprocess.run(
        [str(word) for word in command],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(name: str) -> Iterator[tuple[str, str]]:
    """Yield page and text of each block of the how-tos that shows a file of this name."""
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md")):
        for found in BLOCK.finditer(page.read_text("utf-8")):
            if re.fullmatch(name, found[1]):
                yield f"{page.name}: {found[1]}", found[2]


WORKFLOWS = dict(blocks(r"\.github/workflows/.*")) | {
    path.name: path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
ACTION = YAML(typ="safe").load((ROOT / "action.yml").read_text("utf-8"))
SCRIPTS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}


@pytest.mark.slow
def test_the_containerfile_has_no_fault() -> None:
    """Of those that hadolint knows."""
    called(tool("hadolint"), "Containerfile")


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    """By number, which orchestrators can check, and with the command as entry point."""
    last = (ROOT / "Containerfile").read_text("utf-8").rpartition("\nFROM ")[2]

    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["planrunner"]' in last


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_fault(name: str) -> None:
    """Of this repository, or shown in a how-to; shellcheck reads the scripts in it."""
    tool("shellcheck")
    called(tool("actionlint"), "-", given=WORKFLOWS[name])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_no_more_than_it_needs(name: str) -> None:
    """Code of a fork runs with these permissions; nothing runs with those of the base branch."""
    workflow = YAML(typ="safe").load(WORKFLOWS[name])

    assert workflow["permissions"]["contents"] == "read"
    assert "pull_request_target" not in WORKFLOWS[name]
    used = re.findall(r"uses: ([^./\s]\S*)", WORKFLOWS[name])
    assert [action for action in used if not re.search(r"@v\d+$", action)] == []


@pytest.mark.slow
def test_the_action_and_other_recipes_fit_their_schemas(tmp_path: Path) -> None:
    """Those of GitHub and GitLab, as check-jsonschema brings them."""
    check = tool("check-jsonschema")
    called(check, "--builtin-schema", "vendor.github-actions", "action.yml")
    for number, (_, text) in enumerate(blocks(r"\.gitlab-ci\.yml")):
        path = tmp_path / f"{number}.yml"
        path.write_text(text, "utf-8")
        called(check, "--builtin-schema", "vendor.gitlab-ci", path)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_of_the_action_has_no_fault(name: str) -> None:
    """Of those that shellcheck knows; what users write comes in through the environment."""
    assert "${{" not in SCRIPTS[name]["run"]
    called(tool("shellcheck"), "--shell=bash", "-", given=SCRIPTS[name]["run"])


PLAN = """\
name: gate
services: {shop: {demo: shop}}
http: {base_url: "${services.shop.url}"}
params: {limit: {type: duration, default: 10s}}
users: {Visitor: {tasks: [{get: /products}]}}
phases: [{users: 1, iterations: 5}]
thresholds: ["max < ${limit}"]
"""


def stepped(name: str, cwd: Path, **environment: object) -> subprocess.CompletedProcess[str]:
    """Run a step of the action as a runner does."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]["run"]],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={
            **os.environ,
            "PLANRUNNER": str(COMMANDS / "planrunner"),
            "GITHUB_OUTPUT": str(cwd / "output"),
            "GITHUB_STEP_SUMMARY": str(cwd / "summary"),
            **{key: str(value) for key, value in environment.items()},
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "verdict"),
    [("--seed\n7\n\n", 0, "pass"), ("--set\nlimit=1us", 1, "fail"), ("--set\nlimt=1us", 2, "")],
)
def test_the_action_runs_a_plan(tmp_path: Path, options: str, code: int, verdict: str) -> None:
    """Its summary is there in either case, and its last step ends as the run did."""
    (tmp_path / "a plan.yaml").write_text(PLAN)
    environment = {"PLAN": "a plan.yaml", "OUT": "out dir", "OPTIONS": options}

    ran = stepped("run the plan", tmp_path, **environment)
    shown = stepped("show the result", tmp_path, **environment)
    judged = stepped("judge", tmp_path, CODE=code)

    assert (ran.returncode, shown.returncode, judged.returncode) == (0, 0, code), ran.stderr
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"
    summary = tmp_path / "summary"
    assert summary.exists() == bool(verdict)
    assert not verdict or verdict in summary.read_text("utf-8").lower()
    assert ("::error" in shown.stdout) == (code == 1)


@pytest.mark.slow
def test_the_nightly_recipe_promotes_a_night_that_passed(tmp_path: Path) -> None:
    """Its own commands, with a shorter run, and a night that fails in between.

    What a busy machine makes late is within limits; what else the plan asks for is as it stands.
    """
    workflow = YAML(typ="safe").load(WORKFLOWS["ci-nightly.md: .github/workflows/nightly.yml"])
    [execute, promote] = [
        step["run"].split()[1:]
        for step in workflow["jobs"]["nightly"]["steps"]
        if step.get("run", "").startswith(("planrunner execute", "planrunner baseline"))
    ]
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    baseline = tmp_path / "reports" / "ci-gate-baseline.json"
    command = [sys.executable, "-m", "planrunner"]
    hold = execute.index("--hold") + 1
    execute[hold] = "1s"
    execute.remove("--strict")  # other tests keep this machine busy

    codes = []
    for limit in ("1m", "1us"):
        changed = {"thresholds.1.fail": f"p95 < {limit}", "http.timeout": "1m"}
        changed |= {"phases.gate.ramp_up": "200ms", "phases.gate.warmup": "200ms"}
        extra = [f"--override={key}={value}" for key, value in changed.items()]
        shutil.rmtree(tmp_path / "nightly", ignore_errors=True)
        for words in ([*execute, *extra], promote):
            done = subprocess.run(
                [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            codes.append(done.returncode)
        if limit == "1m":
            first = baseline.read_bytes() if baseline.exists() else b""

    assert codes == [0, 0, 1, 1]
    assert first
    assert baseline.read_bytes() == first


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_a_recipe_installs_planrunner_from_wherever_it_is(page: Path) -> None:
    """`test_wheel.py` runs this very line with a checkout, a wheel and an index."""
    lines = INSTALL.findall(page.read_text("utf-8"))

    assert lines
    assert set(lines) == {'pip install "${PLANRUNNER:-planrunner}"'}


@pytest.mark.slow
def test_hooks_and_their_recipe_are_what_pre_commit_reads(tmp_path: Path) -> None:
    """The manifest, and the configuration that a how-to shows."""
    called(tool("pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml")
    [(_, text)] = blocks(r"\.pre-commit-config\.yaml")
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(text, "utf-8")
    called(tool("pre-commit"), "validate-config", config)


@pytest.mark.slow(seconds=60)
def test_hooks_stop_a_commit_with_a_faulty_plan(tmp_path: Path) -> None:
    """In a repository set up as the how-to says, with planrunner as pre-commit installs it.

    That is once, from the last commit, and not compiled: it runs twice.
    """
    pre_commit = tool("pre-commit")
    [(_, recipe)] = blocks(r"\.pre-commit-config\.yaml")
    config = YAML(typ="safe").load(recipe)
    [here] = config["repos"]
    here |= {"repo": str(ROOT), "rev": called("git", "rev-parse", "HEAD").strip()}
    YAML().dump(config, tmp_path / ".pre-commit-config.yaml")
    called("git", "init", "--quiet", tmp_path)
    (tmp_path / "plans" / "shared").mkdir(parents=True)
    (tmp_path / "plans" / "good.yaml").write_text(PLAN)
    (tmp_path / "plans" / "shared" / "flows.yaml").write_text("flows: {}\n")
    (tmp_path / "other.yaml").write_text("no: plan\n")
    home = {"PRE_COMMIT_HOME": str(tmp_path.parent / "pre-commit"), "PIP_NO_COMPILE": "1"}

    def tried() -> subprocess.CompletedProcess[str]:
        called("git", "add", "--all", cwd=tmp_path)
        return subprocess.run(
            [pre_commit, "run", "--verbose"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **home},
        )

    good = tried()
    if "No matching distribution" in good.stdout and not os.environ.get("CI"):
        pytest.skip("pip could not install what planrunner requires")
    (tmp_path / "plans" / "good.yaml").write_text(PLAN.replace("users:", "usres:"))
    bad = tried()

    assert good.returncode == 0, good.stdout + good.stderr
    assert "2 files left unchanged" in good.stdout
    assert bad.returncode == 1
    assert "plans/good.yaml:5:1: error[unknown-key]" in bad.stdout
