"""The site of the documentation: every page, no dead link, and nothing loaded from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from publishing.navigation import Page, pages
from publishing.site import build
from tests.support.browser import CHROMIUM, Browser

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = pages(ROOT)
STRUCTURE: Final = ("h1", "h2", "h3", "h4", "li", "pre", "table", "tr", "blockquote")
"""Elements of which a page has as many on the site as where Markdown is shown otherwise."""
LOADING: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
_OUTSIDE: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_SEARCHED: Final = """(async () => {
  const all = () => [document, ...[...document.querySelectorAll("*")].map((one) => one.shadowRoot)]
    .filter(Boolean);
  const found = async (select) => {
    for (let tries = 0; tries < 400; tries++) {
      const one = all().flatMap((root) => [...root.querySelectorAll(select)])[0];
      if (one) return one;
      await new Promise((done) => setTimeout(done, 25));
    }
    return null;
  };
  document.querySelector("[for=__search]").click();
  const input = await found("input[aria-label=Search]");
  input.value = "breaking point";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  return (await found("a[href*='find-the-breaking-point'][href*='h=']"))?.href ??
    [...all().flatMap((root) => [...root.querySelectorAll("[role=option] a, ol a")])]
      .map((one) => one.href).find((one) => one.includes("find-the-breaking-point"));
})()"""


class Elements(HTMLParser):
    """The elements of a page: their counts inside the article, links, ids, and what they load."""

    def __init__(self, html: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.loads: list[str] = []
        self.counts: Counter[str] = Counter()
        self._is_article = False
        self.feed(html.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids |= {has[name] for name in ("id", "name") if name in has}
        self._is_article |= tag == "article"
        self.counts[tag] += self._is_article
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if tag == "link" and has.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(has["href"])
        if LOADING.get(tag, "") in has:
            self.loads.append(has[LOADING[tag]])
        self.loads += re.findall(r"url\(([^)]*)\)", has.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._is_article &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy of what the checkout says."""
    folder = tmp_path_factory.mktemp("of the docs ü")
    for name in ("docs", "plans", "schema"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "zensical.toml", folder / "zensical.toml")
    return build(folder)


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Elements]:
    return {path: Elements(path) for path in sorted(site.rglob("*.html"))}


def html_of(page: Page) -> str:
    return re.sub(r"(^|/)README\.md$", r"\1index.md", page.path).removesuffix(".md") + ".html"


def test_the_navigation_has_every_page_once() -> None:
    """No orphan: a page that zensical.toml doesn't name is found by a pattern there."""
    found = sorted(path.relative_to(ROOT / "docs").as_posix() for path in _sources())

    assert sorted(page.path for page in PAGES) == found


def test_a_page_has_a_title_and_says_what_it_is_about() -> None:
    """Decisions begin with their status instead."""
    assert [page.path for page in PAGES if not page.title] == []
    assert [page.path for page in PAGES if not (page.summary or page.path.startswith("adr/"))] == []


@pytest.mark.parametrize(
    ("begins", "summary"),
    [
        ("With a\nbreak, here. And more.\n", "With a break, here."),
        ("It is this:\n\n- an item.\n", "It is this."),
        ("[Some](x.md) has **all**.\n", "Some has all."),
        ("- an item\n  that ends.\n\n| a | table. |\n\n`This` is.\n", "`This` is."),
        ("```bash\nmake\n```\n", ""),
    ],
)
def test_a_summary_is_the_first_sentence_of_the_text(begins: str, summary: str) -> None:
    """Whole, and not what an example, a list or the middle of a paragraph begins with."""
    assert Page("a.md", "", f"# A page.\n\n<!-- Made. -->\n\n{begins}").summary == summary


@pytest.mark.slow
def test_every_page_is_reached_from_the_first_one(site: Path, built: dict[Path, Elements]) -> None:
    """By links alone, from page to page; and the site has no page besides."""
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in built:
            continue
        reached.add(page)
        waiting += [target for target, _ in _local(page, built[page].links, site)]

    assert {path.relative_to(site).as_posix() for path in reached} == {*map(html_of, PAGES)}
    assert {*built} - reached == {site / "404.html"}


@pytest.mark.slow
def test_no_link_is_dead(site: Path, built: dict[Path, Elements]) -> None:
    """Files exist, and anchors exist in them."""
    dead = [
        f"{page.relative_to(site)}: {target.name}#{anchor}"
        for page, elements in built.items()
        for target, anchor in _local(page, [*elements.links, *elements.loads], site)
        if not target.is_file() or (anchor and target in built and anchor not in built[target].ids)
    ]

    assert dead == []


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site: Path, built: dict[Path, Elements]) -> None:
    """No script, style, font or picture of another host."""
    loads = [
        (page.name, address)
        for page, elements in built.items()
        for address in elements.loads
        if _OUTSIDE.match(address)
    ]
    styles = {
        path.name: re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", text)
        for path in site.rglob("*.css")
        for text in [path.read_text("utf-8")]
    }
    inline = [
        path.name for path in built if re.search(r"<style[^>]*>[^<]*//", path.read_text("utf-8"))
    ]

    assert (loads, inline) == ([], [])
    assert {name: found for name, found in styles.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_reads_on_the_site_as_elsewhere(
    page: Page, site: Path, built: dict[Path, Elements]
) -> None:
    """The site's Markdown wants four spaces and a blank line where CommonMark is content with less.

    A list or block that it takes for text changes the number of elements.
    """
    plain = Counter(
        token.tag
        for token in MarkdownIt("commonmark").enable("table").parse(page.text)
        if token.nesting >= 0 and not token.hidden
    )
    plain["pre"] = plain.pop("code", 0) + plain["pre"]
    shown = built[site / html_of(page)].counts

    assert {name: shown[name] for name in STRUCTURE} == {name: plain[name] for name in STRUCTURE}


@pytest.mark.slow
def test_language_models_find_every_page(site: Path) -> None:
    """llms.txt lists it, its link leads to the page as it is written, and llms-full.txt has it."""
    index = (site / "llms.txt").read_text("utf-8")
    whole = (site / "llms-full.txt").read_text("utf-8")
    links = re.findall(r"^- \[.+\]\((\S+)\)", index, re.MULTILINE)

    assert links == [page.path for page in PAGES]
    assert [page.path for page in PAGES if (site / page.path).read_text("utf-8") != page.text] == []
    assert [page.path for page in PAGES if page.text not in whole] == []


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_the_search_works_from_a_folder(site: Path, tmp_path: Path) -> None:
    """Without a server, in silence, and without a request to any host."""
    browser = Browser(tmp_path)
    try:
        browser.visit((site / "index.html").as_uri())
        found = browser.evaluate(_SEARCHED)
        hosts = [address for address in browser.requests if re.match("http|ws", address)]
        said = browser.console
    finally:
        browser.close()

    assert found is not None
    assert "how-to/find-the-breaking-point.html" in found
    assert (hosts, said) == ([], [])


def _sources() -> Iterator[Path]:
    yield from (ROOT / "docs").rglob("*.md")


def _local(page: Path, addresses: list[str], site: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each address that doesn't leave the site."""
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        path = unquote(parts.path)
        start = site if path.startswith("/") else page.parent
        target = (start / path.lstrip("/")).resolve() if path else page
        yield (target / "index.html" if target.is_dir() else target), unquote(parts.fragment)
