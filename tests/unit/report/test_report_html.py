"""report.html."""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from planrunner.report.charts import vega
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.html import write_html
from planrunner.results.changes import (
    ChangeOutcome,
    Comparison,
    EarlierKind,
    EarlierRun,
    FigureChange,
)
from planrunner.results.record import FailingSample, Track
from tests.support.golden import check_golden
from tests.support.missing import hidden
from tests.support.results import RESULTS, make_large

VOID = {"meta", "br", "wbr", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """The elements of a page, its text, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def html(result, *, bundle=""):
    out = io.StringIO()
    write_html(result, out, bundle=bundle)
    return out.getvalue()


@pytest.fixture(scope="module")
def pages():
    return {name: html(result) for name, result in RESULTS.items()}


@pytest.mark.parametrize("name", ["passing", "failing", "awkward", "empty"])
def test_the_report_is_what_was_reviewed(name, pages, update_golden):
    """Byte for byte."""
    check_golden(f"report/{name}.html", pages[name], update=update_golden)


@pytest.mark.parametrize("name", RESULTS)
def test_the_report_is_well_formed(name, pages):
    """Every element is closed, headings descend by one, every header cell has its scope."""
    page = Page(pages[name])

    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    ids = [attributes["id"] for _, attributes in page.attributes if "id" in attributes]
    labels = {attributes.get("aria-labelledby") for _, attributes in page.attributes} - {None}
    assert not page.open
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert levels.count(1) == 1
    assert all(attributes.get("scope") for tag, attributes in page.attributes if tag == "th")
    assert len(ids) == len(set(ids))
    assert labels <= set(ids)


@pytest.mark.parametrize("name", RESULTS)
def test_the_report_loads_and_runs_nothing(name, pages):
    """No script, no address, links within the page; the style is allowed by its hash alone."""
    page = Page(pages[name])

    style = re.search("<style>(.*?)</style>", pages[name], re.DOTALL)[1]
    policy = next(a["content"] for t, a in page.attributes if t == "meta" and "http-equiv" in a)
    links = {attributes["href"] for tag, attributes in page.attributes if tag == "a"}
    ids = {f"#{attributes.get('id')}" for _, attributes in page.attributes}
    others = [attributes for tag, attributes in page.attributes if tag != "a"]
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "style", "onerror"} & {key for one in others for key in one}
    assert links <= ids
    assert "url(" not in style
    assert "@import" not in style
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{hashed}';" in policy
    assert "unsafe" not in policy


def test_charts_bring_only_their_own_scripts_and_data():
    """The policy names each script by its hash; names cannot end the element of the data."""
    result = replace(RESULTS["awkward"], points=RESULTS["passing"].points * 2)
    text = html(result, bundle="window.vegaEmbed = 1;")
    page = Page(text)

    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = next(a["content"] for t, a in page.attributes if t == "meta" and "http-equiv" in a)
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1]
    assert len(scripts) == 3
    assert all(b64encode(sha256(s.encode()).digest()).decode() in policy for s in scripts)
    assert "default-src 'none'" in policy
    assert "<" not in data
    assert {chart["id"] for chart in json.loads(data)["charts"]} == {"load", "latency"}
    assert not {"src", "href"} & {k for tag, a in page.attributes for k in a if tag != "a"}


def test_names_cannot_reach_the_page_as_markup(pages):
    """Names are text, and control characters are replaced."""
    page = Page(pages["awkward"])

    text = "".join(page.texts)
    assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert "{{ 7 * 7 }}" in text


def test_right_to_left_names_do_not_reorder_their_limit(pages):
    """`< 1s` after Arabic would be shown as `1 >`."""
    assert "<bdi>مرحبا</bdi>&#34; &lt; 1s" in pages["awkward"]


def test_a_long_name_folds_away(pages):
    """2,000 characters stay readable without taking the page."""
    assert "<details><summary>GET /longlong" in pages["awkward"]


def test_a_path_breaks_at_its_slashes():
    """Not in the middle of a word."""
    assert "GET /api/<wbr>v2/<wbr>customers/<wbr>${customer}/<wbr>orders" in html(
        make_large(requests=1)
    )


def test_each_failing_exchange_is_shown_once():
    """What failed for the same reason is one entry; of exchanges that are the same, the first."""
    first = FailingSample("GET /a", "main", "status", "status 503", "GET", 503, 1.2, 10, "A", "B")
    samples = (first, replace(first, second=3.4), replace(first, second=5.6, received="C"))
    other = replace(first, kind="timeout", reason="no reply", status=0, received="")
    text = html(replace(RESULTS["failing"], failing_samples=(*samples, other)))

    failing = text.partition('id="failing"')[2].partition("</section>")[0]
    summaries = re.findall(r"<summary>(.*?)</summary>", failing)
    assert len(summaries) == 2
    assert "503</strong> GET /a" in summaries[0]
    assert "at 1.2, 3.4, 5.6 s in main" in summaries[0]
    assert re.findall(r"Received at (\S+) s", failing) == ["1.2", "5.6"]
    assert failing.count(">A</pre>") == 3


def test_failures_come_before_what_the_generator_did():
    """And every section can be reached from the contents."""
    tracks = (Track("generator.cpu", (1.0, 2.0), (0.1, 0.2)),)
    text = html(replace(RESULTS["failing"], tracks=tracks), bundle="window.vegaEmbed = 1;")

    ids = re.findall(r'<h2 id="([^"]*)"', text)
    assert ids.index("charts") < ids.index("failures") < ids.index("machines")
    assert re.findall(r'<a href="#([^"]*)"', text) == ids


def test_what_changed_is_said_beside_what_it_is_compared_with():
    """The baseline or the run before; what is worse or better, and why not to trust it."""
    change = FigureChange("GET /a", "typical_p95", 0.1, 0.2, 1, 0.9, 1.1, ChangeOutcome.WORSE)
    same = replace(change, request="GET /b", change=0, outcome=ChangeOutcome.SAME)
    comparison = Comparison("old", "new", 0.05, (change, same), ("GET /c",), (), ("it `differs`",))
    earlier = EarlierRun(EarlierKind.BASELINE, "2026-11-20T12:00:00.000Z", comparison, ())
    text = html(replace(RESULTS["passing"], earlier=(earlier,)))

    section = text.partition('id="changed"')[2].partition("</section>")[0]
    assert "Compared with the baseline, run <code>old</code>" in section
    assert "<td>100 ms</td><td>200 ms</td>" in section
    assert "GET /b" not in section
    assert "Of other requests: 1 same." in section
    assert "it <code>differs</code>" in section
    assert "Gone: GET /c" in section


def test_the_same_result_gives_the_same_bytes(pages):
    """Reports can be compared and kept in version control."""
    assert html(RESULTS["failing"]) == pages["failing"]


def test_a_large_run_stays_small():
    """50 requests in three phases: under 300 KB."""
    assert len(html(make_large()).encode()) < 300_000


def test_one_phase_is_not_told_twice(pages):
    """The tables of the only phase would repeat those of the run."""
    tables = pages["passing"].partition('id="by-request"')[2]
    assert tables.count("<h3") == 0


def test_stages_of_all_phases_are_one_table(pages):
    """With their phases; a stage that is all of its phase would say the same again."""
    stages = pages["passing"].partition('id="by-stage"')[2].partition("</section>")[0]
    assert re.findall(r">([^<>]* · [^<>]*)<", stages) == ["main · ramp", "main · hold"]

    result = RESULTS["passing"]
    rows = tuple(row for row in result.rows if row.name != "ramp")
    assert 'id="by-stage"' not in html(replace(result, rows=rows))


def test_every_phase_of_several_has_its_table():
    """With the worst first, below the heading of the phase."""
    text = html(make_large(phases=2))

    assert re.findall(r"<h3[^>]*>In phase <bdi>(.*?)</bdi>", text) == ["phase 1", "phase 2"]


def test_phases_fold_away_where_they_are_many():
    """A screen of requests stays open; the rest is one click away, and in print is shown."""
    few, many = html(make_large(requests=8, phases=3)), html(make_large(requests=8, phases=4))

    assert few.count('<details class="phase" open>') == 3
    assert many.count('<details class="phase" open>') == 0
    assert many.count('<details class="phase">') == 4


def test_percentiles_of_few_requests_are_marked():
    """As in thresholds, `n too small` are those finer than one value in n."""
    row = RESULTS["passing"].rows[0]
    small = html(replace(RESULTS["passing"], rows=(replace(row, count=28),)))
    large = html(replace(RESULTS["passing"], rows=(replace(row, count=1000),)))

    assert re.findall(r'<td class="rough" title="(.*?)"', small) == [
        "n too small: p99 of 28",
        "n too small: p99.9 of 28",
    ]
    assert 'class="rough"' not in large


def test_lines_of_charts_stand_out(pages):
    """3 to 1 at least, and 4.5 where an axis is named in the same colour."""
    blocks = re.findall(r":root \{(.*?)\}", pages["passing"], re.DOTALL)
    for block in blocks[:2]:
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for name, color in colors.items():
            if re.fullmatch("[cf][1-6]", name):
                assert _contrast(color, colors["paper"]) >= (4.5 if name in {"c1", "c2"} else 3)


def _contrast(*colors):
    dark, light = sorted(map(_luminance, colors))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color):
    channels = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "pass", "warn", "fail"])
def test_text_has_enough_contrast(pages, scheme, ink):
    """4.5 to 1 at least, on each background that it stands on (WCAG 2.1, 1.4.3)."""
    blocks = re.findall(r":root \{(.*?)\}", pages["passing"], re.DOTALL)
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[scheme]))

    for ground in ("paper", "band", *([f"{ink}-band"] if f"{ink}-band" in colors else [])):
        assert _contrast(colors[ink], colors[ground]) >= 4.5


def test_charts_come_with_the_package() -> None:
    """Reports have them on a machine without vl-convert."""
    with hidden("vl_convert"):
        script = javascript_bundle()

    assert script.startswith("/*! Vega ")
    assert "window.vegaEmbed" in script


@pytest.mark.slow
def test_sources_that_were_never_built_make_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra; without it, the report says what to install."""
    monkeypatch.setattr(vega, "_SCRIPT", Path("no-such.js"))

    assert "window.vegaEmbed" in javascript_bundle()
    with hidden("vl_convert"):
        assert javascript_bundle() == ""
    assert "pip install &#39;planrunner[charts]&#39;" in html(RESULTS["passing"])
