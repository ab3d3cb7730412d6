"""`report`, `compare`, `baseline` and `history`, on runs against a real server."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer
from tests.support.missing import hidden
from tests.support.plans import PlanProject, plan_text

SHORT = "phases: [{users: 2, iterations: 40}]"


@pytest.fixture
def run(project: PlanProject, target: HttpServer) -> Path:
    """The directory of a run."""
    project.write({"plan.yaml": plan_text("name: shop", SHORT, url=target.url)})
    assert project.run("execute", "plan.yaml", "--out", "run").code == 0
    return project.directory / "run"


@pytest.mark.slow
def test_every_report_is_made_again_byte_for_byte(project: PlanProject, run: Path) -> None:
    """From the directory alone."""
    names = ["results.csv", "report.html", "junit.xml", "jtl", "locust-csv", "timeseries.csv"]
    formats = [word for name in names for word in ("--format", name)]
    written = {name: (run / name).read_bytes() for name in ("results.csv", "report.html")}

    first = project.run("report", str(run), *formats, "--out", "first")
    second = project.run("report", str(run), *formats, "--out", "second")

    assert (first.code, second.code) == (0, 0)
    made = {path.name: path.read_bytes() for path in (project.directory / "first").iterdir()}
    assert len(made) == 9
    assert made == {
        path.name: path.read_bytes() for path in (project.directory / "second").iterdir()
    }
    assert written.items() <= made.items()


def test_a_report_that_lacks_samples_says_so(project: PlanProject, target: HttpServer) -> None:
    """Before the run where the plan asks for it, after it, and when it is made again."""
    asked = "report: {formats: [jtl], samples: failures}"
    said = "results.jtl lists failures only, because of `samples: failures`"
    project.write({"plan.yaml": plan_text("name: shop", asked, SHORT, url=target.url)})

    known = project.run("validate", "plan.yaml")
    ended = project.run("execute", "plan.yaml", "--out", "run")
    again = project.run("report", "run", "--format", "results.csv")

    assert "notice: plan.yaml:" in known.out
    assert said in " ".join(known.out.split())
    assert said in " ".join(ended.out.split())
    assert len([notice for notice in ended.metrics["notices"] if said in notice]) == 1
    assert again.err.startswith("notice: results.csv lists failures only")


@pytest.mark.slow
def test_reports_made_of_damaged_samples_are_3_and_replace_nothing(
    project: PlanProject, run: Path
) -> None:
    """What is lost is counted and said; `--force` replaces all the same."""
    whole = (run / "results.csv").read_bytes()
    samples = run / "samples.bin"
    samples.write_bytes(samples.read_bytes()[:-100])
    line = ("report", str(run), "--format", "results.csv")

    refused = project.run(*line)
    kept = (run / "results.csv").read_bytes()
    elsewhere = project.run(*line, "--out", "elsewhere")
    printed = project.run(*line, "--out", "-")
    forced = project.run(*line, "--force")
    other = project.run("report", str(run), "--format", "report.html")

    said = r"[\d,]+ of [\d,]+ samples are lost: `samples.bin` is damaged, cut off or gone"
    assert [one.code for one in (refused, elsewhere, printed, forced, other)] == [3, 3, 3, 3, 0]
    assert all(re.search(said, one.err) for one in (refused, elsewhere, printed, forced))
    assert "is left as it is" in refused.err
    assert kept == whole
    made = (project.directory / "elsewhere/results.csv").read_bytes()
    assert made == (run / "results.csv").read_bytes()
    assert len(made.splitlines()) < len(whole.splitlines())


@pytest.mark.slow
def test_a_killed_run_with_damaged_samples_says_both(project: PlanProject, run: Path) -> None:
    """The report has the notice, and the code is 3."""
    result = json.loads((run / "metrics.json").read_text("utf-8"))
    (run / "metrics.json").unlink()
    begun = {**result, "judgements": [], "rows": [], "series": [], "points": []}
    (run / "unfinished.json").write_text(json.dumps(begun), "utf-8")
    samples = run / "samples.bin"
    samples.write_bytes(samples.read_bytes()[:-100])

    ended = project.run("report", str(run))
    refused = project.run("report", str(run), "--format", "report.html")
    made = project.run("report", str(run), "--format", "report.html", "--out", "new")

    assert [one.code for one in (ended, refused, made)] == [3, 3, 3]
    assert "samples are lost: `samples.bin`" in " ".join(ended.out.split())
    assert "samples are lost" in (project.directory / "new/report.html").read_text("utf-8")


def test_a_killed_run_is_told_from_its_samples(project: PlanProject, run: Path) -> None:
    """It says what is missing."""
    result = json.loads((run / "metrics.json").read_text("utf-8"))
    (run / "metrics.json").unlink()
    begun = {**result, "judgements": [], "rows": [], "series": [], "points": []}
    (run / "unfinished.json").write_text(json.dumps(begun), "utf-8")

    ended = project.run("report", str(run))
    promoted = project.run("baseline", "promote", str(run))

    assert ended.code == 0
    assert "the run was killed" in ended.out
    assert promoted.code == 2
    assert "the run's numbers are invalid" in promoted.err
    assert "thresholds were not judged" in " ".join(ended.out.split())
    assert f"{result['totals']['total_requests']:,} requests" in ended.out


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "`run2` has no metrics.json"),
        ({"metrics.json": "{"}, "it isn't JSON"),
        ({"metrics.json": "{}"}, "no schema_version"),
        ({"metrics.json": '{"schema_version": 99}'}, "has schema_version 99"),
        ({"metrics.json": '{"schema_version": 1, "run_id": 3}'}, "$.run_id is not text"),
        ({"samples.bin": ""}, "has samples but no metrics.json"),
        ({"x/metrics.json": "{}"}, "is not a run but contains 1 run"),
    ],
)
def test_what_is_no_run_is_said_in_a_sentence(
    project: PlanProject, files: dict[str, str], words: str
) -> None:
    """Exit 2, no traceback."""
    (project.directory / "run2").mkdir()
    project.write({f"run2/{name}": text for name, text in files.items()})

    ended = project.run("report", "run2")

    assert ended.code == 2
    assert words in ended.err
    assert "hint:" in ended.err or "broken" in ended.err or "no schema_version" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_nothing_that_an_error_quotes_acts_on_the_terminal(project: PlanProject, run: Path) -> None:
    """A result may come from a stranger."""
    data = json.loads((run / "metrics.json").read_text())
    data["validity"]["level"] = "\x1b[2J"
    (run / "metrics.json").write_text(json.dumps(data))

    done = project.run("report", str(run))

    assert done.code == 2
    assert "`\ufffd[2J`" in done.err
    assert "\x1b" not in done.err


@pytest.mark.slow
def test_an_unknown_format_is_exit_2(project: PlanProject, run: Path) -> None:
    """With a suggestion."""
    ended = project.run("report", str(run), "--format", "junit")

    assert ended.code == 2
    assert "no report format `junit`" in ended.err


@pytest.mark.slow
def test_a_plan_is_held_against_its_baseline(
    project: PlanProject, run: Path, target: HttpServer
) -> None:
    """n/a without one, judged with one."""
    plan = plan_text(
        "name: shop",
        SHORT,
        "baseline: base.json",
        "thresholds: ['p95 < 100000% of baseline', 'p95 < 0.001% of baseline']",
        url=target.url,
    )
    project.write({"plan.yaml": plan})

    without = project.run("execute", "plan.yaml", "--out", "without")
    promoted = project.run("baseline", "promote", "without")
    judged = project.run("execute", "plan.yaml", "--out", "judged")

    assert without.code == 0
    assert [one["verdict"] for one in without.metrics["judgements"]] == ["n/a", "n/a"]
    assert "planrunner baseline promote" in without.out
    [notice] = [one for one in without.metrics["notices"] if "baseline" in one]
    assert "no baseline `base.json`" in notice
    assert (promoted.code, promoted.out) == (0, "base.json\n")
    assert judged.code == 1
    verdicts = json.loads((project.directory / "judged" / "metrics.json").read_text("utf-8"))[
        "judgements"
    ]
    assert [one["verdict"] for one in verdicts] == ["pass", "fail"]


@pytest.mark.slow
def test_comparisons_and_histories_are_pages_too(project: PlanProject, run: Path) -> None:
    """One file each, whole, that loads nothing; the same input gives the same bytes."""
    for n in "12":
        compared = project.run("compare", str(run), str(run), "--html", f"compared{n}.html")
        listed = project.run("history", ".", "--html", f"history{n}.html")
        assert (compared.code, listed.code) == (0, 0)
    for name in ("compared", "history"):
        page, again = ((project.directory / f"{name}{n}.html").read_text("utf-8") for n in "12")
        assert page == again
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert "shop" in page
        assert "default-src &#39;none&#39;" in page
        assert not re.findall(r"""(?:src|href)=["']?https?:""", page)


def test_a_history_says_what_it_leaves_out(project: PlanProject, run: Path) -> None:
    """Runs that were killed, and files that are none."""
    project.write({"killed/unfinished.json": "{}", "edited/metrics.json": "{"})

    listed = project.run("history", ".")

    assert listed.code == 0
    assert "notice: the run in `killed` is not finished, or was killed; left out" in listed.err
    assert "notice: `edited/metrics.json` is broken" in listed.err


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("run", "`run` is a single run, so it has no history"),
        ("nowhere", "there is no directory `nowhere`"),
        ("empty", "there is no run below `empty`"),
    ],
)
def test_a_history_of_nothing_says_why(
    project: PlanProject, run: Path, where: str, words: str
) -> None:
    """Exit 2, no traceback."""
    (project.directory / "empty").mkdir()

    listed = project.run("history", where)

    assert listed.code == 2
    assert words in listed.err
    assert "Traceback" not in listed.err


@pytest.mark.slow
def test_a_baseline_of_another_plan_is_said(project: PlanProject, run: Path) -> None:
    """Its numbers may mean something else."""
    promoted = project.run("baseline", "promote", str(run), "--to", "base.json")
    plan = (project.directory / "plan.yaml").read_text("utf-8").replace("name: shop", "name: cart")
    limits = "baseline: base.json\nthresholds: ['p95 < 100000% of baseline']\n"
    project.write({"cart.yaml": plan + limits})

    ended = project.run("execute", "cart.yaml", "--out", "cart")

    assert (promoted.code, ended.code) == (0, 0)
    assert "the baseline is from plan `shop`, not from `cart`" in " ".join(ended.out.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "begins"), [("--png", b"\x89PNG\r\n\x1a\n"), ("--svg", b"<svg")]
)
def test_charts_are_drawn_as_pictures(
    project: PlanProject, run: Path, option: str, begins: bytes
) -> None:
    """Each chart of the report is a file."""
    ended = project.run("report", str(run), option, "pictures")

    assert ended.code == 0
    made = {path.stem: path.read_bytes() for path in (project.directory / "pictures").iterdir()}
    assert {"load", "latency", "distribution"} <= set(made)
    assert all(data.startswith(begins) for data in made.values())
    assert all(len(data) > 1_000 for data in made.values())


def test_runs_are_compared_and_listed(project: PlanProject, run: Path) -> None:
    """A run of a second is too short to tell, which is no pass; one document with --json."""
    compared = project.run("compare", str(run), str(run), "--json")
    gated = project.run("compare", str(run), str(run), "--fail-on", "regression")
    listed = project.run("history", ".")

    assert compared.code == 0
    assert json.loads(compared.out)["outcome"] == "can't tell"
    assert gated.code == 1
    assert "nothing was compared" in gated.out
    assert listed.code == 0
    assert "pass" in listed.out


@pytest.mark.slow
def test_several_runs_are_configurations(project: PlanProject, run: Path) -> None:
    """They end with 0 whatever they show; a run named twice, or a gate, is wrong usage."""
    for name in ("one", "two"):
        shutil.copytree(run, project.directory / "copies" / name)
    paths = [str(run), "copies/one", "copies/two"]
    told = project.run("compare", *paths, "--json", "--markdown", "told.md", "--html", "told.html")
    twice = project.run("compare", *paths, "copies/one")
    gated = project.run("compare", *paths, "--fail-on", "regression")
    alone = project.run("compare", "copies/one")

    assert told.code == 0
    assert [one["name"] for one in json.loads(told.out)["configurations"]][1:] == ["one", "two"]
    assert (project.directory / "told.md").read_text("utf-8").startswith("## No best: of 3")
    assert "<h1>" in (project.directory / "told.html").read_text("utf-8")
    assert (twice.code, gated.code, alone.code) == (2, 2, 2)
    assert "`copies/one` is named twice" in twice.err
    assert "--fail-on regression is about two runs, not 3" in gated.err
    assert "`compare` needs two runs or more" in alone.err


@pytest.mark.slow
def test_pictures_say_what_they_need(project: PlanProject, run: Path) -> None:
    """Before a folder is made; the quotes are for shells that expand brackets."""
    with hidden("vl_convert"):
        ended = project.run("report", str(run), "--png", "pictures")

    assert ended.code == 2
    assert "`--png` needs the package vl-convert-python" in ended.err
    assert "hint: pip install 'planrunner[charts]'" in ended.err
    assert not (project.directory / "pictures").exists()


@pytest.mark.slow
def test_a_run_that_failed_is_not_promoted_by_accident(project: PlanProject, run: Path) -> None:
    """With `--if-passed`: the baseline stays, and the exit code says so."""
    passed = project.run("baseline", "promote", str(run), "--to", "base.json", "--if-passed")
    before = (project.directory / "base.json").read_bytes()
    limits = "thresholds: ['max < 1us']\n"
    plan = (project.directory / "plan.yaml").read_text("utf-8")
    project.write({"strict.yaml": plan + limits})
    failed = project.run("execute", "strict.yaml", "--out", "failed")

    kept = project.run("baseline", "promote", "failed", "--to", "base.json", "--if-passed")

    assert (passed.code, failed.code, kept.code) == (0, 1, 1)
    assert "the run ended with 1, so the baseline stays as it is" in kept.out
    assert (project.directory / "base.json").read_bytes() == before
