"""The one style of plans: what changes, what never does."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.formatting import WIDTH, format_plan
from planrunner.plan.formatting.printer import print_written
from planrunner.plan.formatting.reader import read_written
from planrunner.plan.yaml.document import parse
from tests.support.cpu_time import within_cpu
from tests.support.doc_pages import ROOT, blocks_of

STYLE = {
    "spaces and quotes": (
        "a:\t1\nb:    'x'   \nc: [1,2,{d: 'e f' , g: '${h}'}]\n",
        'a: 1\nb: x\nc: [1, 2, {d: e f, g: "${h}"}]\n',
    ),
    "quotes that are needed, for any reader of YAML": (
        "a: ['yes', '1:30', '0755', '2001-01-01', '', 'a, b', 'it''s', 'say \"x\"', '< 1s', "
        "'2xx/s']\n"
        "'b': ['http://x', \"\\u00e9\"]\nc: 'http://x'\nd: 'e: f'\ng: '<<'\nh: ' B'\n",
        'a: ["yes", "1:30", "0755", "2001-01-01", "", "a, b", it\'s, say "x", < 1s, 2xx/s]\n'
        'b: ["http://x", "\\u00e9"]\nc: http://x\nd: "e: f"\ng: "<<"\nh: " B"\n',
    ),
    "what is plain stays as it is": (
        "a: yes\nb: 1:30\nc: 0755\nd: 1_0\ne: http://x/y?z\nf: {g: http://x/y?z}\n",
        "a: yes\nb: 1:30\nc: 0755\nd: 1_0\ne: http://x/y?z\nf: {g: http://x/y?z}\n",
    ),
    "indentation": (
        "a:\n    b:\n    - c: 1\n      d:\n         - 2\n    -   - 3\n        - 4\n",
        "a:\n  b:\n    - c: 1\n      d:\n        - 2\n    - - 3\n      - 4\n",
    ),
    "brackets of several lines": (
        "a: [\n  1,\n  {b: 2}\n]\nc: {d: [use: e, use: f], g: {}, h: [], i: }\n",
        "a: [1, {b: 2}]\nc: {d: [use: e, use: f], g: {}, h: [], i}\n",
    ),
    "a comment inside brackets": (
        "a: [# 1\n  b, # 2\n  # 3\n  {c: d} # 4\n  # 5\n] # 6\n",
        "a:  # 1\n  - b  # 2\n  # 3\n  - {c: d}  # 4\n  # 5\n# 6\n",
    ),
    "brackets that don't fit": (
        f"a: {{b: {'x' * 90}, c: '${{d}}'}}\ne: [{'1, ' * 40}]\n",
        f"a:\n  b: {'x' * 90}\n  c: ${{d}}\n\ne:\n" + "  - 1\n" * 40,
    ),
    "a sentence is never folded": (
        f"a:\n- {'p95 < 1s ' * 30}\n",
        f"a:\n  - {('p95 < 1s ' * 30).strip()}\n",
    ),
    "comments go with what they stand at": (
        "a:\n    # of b\n    b:\n    - c\n    # - d\n      # of the list\n\n# of e\ne: 1\n",
        "a:\n  # of b\n  b:\n    - c\n  # - d\n    # of the list\n\n# of e\ne: 1\n",
    ),
    "comments keep their column": (
        "a: 1     # x\nb:   22  # y\nc: 333333 # z\n          # goes on\n",
        "a: 1     # x\nb: 22    # y\nc: 333333  # z\n           # goes on\n",
    ),
    "blank lines": (
        "\n\na: 1\n\n\n\nb:\n  c: 1\n\n  d: 2\ne: 1\nusers:\n  A:\n    g: 1\n  B:\n    h: 1\n\n",
        "a: 1\n\nb:\n  c: 1\n\n  d: 2\n\ne: 1\n\nusers:\n  A:\n    g: 1\n\n  B:\n    h: 1\n",
    ),
    "blocks of text": (
        "a: |   # b\n      x  \n\n        y\n      # z\n   # c\nd:\n- >2-\n     e\n",
        "a: |   # b\n  x  \n\n    y\n  # z\n\n# c\nd:\n  - >2-\n       e\n",
    ),
    "blank lines that are part of a text": (
        "a: |+\n  x\n\n\nb: 1\nc: |+\n  y\n",
        "a: |+\n  x\n\n\nb: 1\n\nc: |+\n  y\n",
    ),
    "a text that ends with the file": ("a: |\n    x", "a: |-\n  x\n"),
    "text over several lines": (
        "a: b\n     c\nd: \"e\\\n     f\"\ng: 'h\n\n  i'\n",
        "a: b\n  c\n\nd: \"e\\\n  f\"\n\ng: 'h\n\n  i'\n",
    ),
    "ends of lines that only YAML 1.1 has": (
        "a: | # c\n    b\u2028    c\nd: [e\u2028 f]\n",
        'a:   # c\n  "b\\Lc\\n"\n\nd: ["e\\Lf"]\n',
    ),
    "anchors, merges and tags": (
        "a:   &x # c\n   b: !!str   5\nf: {<<: *x}\nd:\n   - &z\n     e: 1\n   - *z\n",
        "a: &x   # c\n  b: !!str 5\n\nf: {<<: *x}\n\nd:\n  - &z\n    e: 1\n  - *z\n",
    ),
    "a document": ("%YAML 1.2\n---\n\na: 1\n...\n# b\n", "%YAML 1.2\n---\n\na: 1\n...\n# b\n"),
    "line ends and a byte order mark": (
        "\ufeffa:   1\r\n# b\r\nc: |\r\n    d\r\n",
        "a: 1\r\n\r\n# b\r\nc: |\r\n  d\r\n",
    ),
    "nothing": ("", ""),
    "only comments": ("\n# a  \n\n\n", "# a\n"),
    "any script": ("ключ:   'значение 😀'\n", "ключ: значение 😀\n"),
}


@pytest.mark.parametrize(("text", "formatted"), STYLE.values(), ids=STYLE)
def test_a_plan_gets_the_style(text: str, formatted: str) -> None:
    """And keeps it."""
    assert format_plan(text) == formatted
    assert format_plan(formatted) == formatted


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\nb: 'c\n", Code.YAML_SYNTAX, (2, 4)),
        ("a: 1\nb: {c: ${d}}\n", Code.UNQUOTED_EXPRESSION, (2, 8)),
        ("a: 1\na: 2\n", Code.DUPLICATE_KEY, (2, 1)),
        ("a: !foreign b\n", Code.FOREIGN_TAG, (1, 4)),
        ("- a\n", Code.WRONG_TYPE, (1, 1)),
        ("a:\n\tb: 1\n", Code.YAML_SYNTAX, (2, 1)),
    ],
)
def test_broken_yaml_is_refused_as_validate_does(
    text: str, code: Code, place: tuple[int, int]
) -> None:
    """With the place."""
    with pytest.raises(PlanError) as refused:
        format_plan(text, "p.yaml")

    fault = refused.value.diagnostics[0]
    assert (fault.code, fault.span.file) == (code, "p.yaml")
    assert (fault.span.line, fault.span.column) == place


def meaning(text: str) -> str:
    """Return what the plan says; types and the order of keys included."""
    return repr(parse(text, "plan.yaml").data)


SHIPPED = sorted(
    path
    for folder in ("plans", "planrunner", "docs", "tests")
    for path in (ROOT / folder).rglob("*.yaml")
)


def texts() -> list[str]:
    """Return every YAML text of the repository that is the YAML of a plan."""
    found = [path.read_text("utf-8", "replace") for path in SHIPPED]
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found += [block.text for page in pages for block in blocks_of(page) if block.language == "yaml"]
    return found


@pytest.mark.slow
def test_whatever_the_repository_has_means_the_same_formatted() -> None:
    """Plans, examples, golden inputs and pages."""
    count = 0
    for text in texts():
        try:
            before = meaning(text)
            formatted = format_plan(text)
        except PlanError:
            continue
        count += 1

        assert meaning(formatted) == before
        assert print_written(read_written(formatted)) == formatted

    assert count > 250


@pytest.mark.parametrize(
    "path", sorted((ROOT / "plans").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_parser_without_c_sees_the_same(path: Path) -> None:
    """Comments and ends of values are found by its places."""
    text = path.read_text("utf-8")

    assert print_written(read_written(text, pure=True)) == format_plan(text)


# -- plans that nobody wrote

SCALARS = (
    *("1", "0755", "yes", "text", "a:b", "< 1s", "${x}", "'quoted'", '"double"', '"${x}"', "~"),
    *(
        "'a: b'",
        '"a # b"',
        '"\\u00e9"',
        "''",
        "*base",
        "é😀",
        "http://x/y?z",
        'p95 of "GET /" < 1s',
    ),
)
IN_BRACKETS = [text for text in SCALARS if text not in ("${x}", "http://x/y?z")]


REMARK = re.compile(r"# \d+\.(?=\r?$)", re.MULTILINE)


class Writer:
    """Writes a plan with a comment, numbered, wherever one may be."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.remarks = 0

    def remark(self) -> str:
        self.remarks += 1
        return f"# {self.remarks}."

    def between(self) -> str:
        lines = [self.random.randrange(-6, 14) for _ in range(self.random.choice([0, 0, 1, 3]))]
        return "".join("\n" if at < 0 else " " * at + self.remark() + "\n" for at in lines)

    def beside(self) -> str:
        blanks = self.random.randrange(-15, 15)
        return " " * blanks + self.remark() if blanks > 0 else ""

    def flow(self, depth: int) -> str:
        if depth > 2 or self.random.random() < 0.4:
            return self.random.choice(IN_BRACKETS)
        count = self.random.randrange(4)
        items = [self.flow(depth + 1) for _ in range(count)]
        is_list = self.random.random() < 0.5
        if not is_list:
            items = [f"k{index}:  {item}" for index, item in enumerate(items)]
        between = f" {self.remark()}\n{' ' * 30}" if self.random.random() < 0.1 else ""
        text = between + ", ".join(items)
        return f"[{text}]" if is_list else f"{{ {text} }}"

    def block(self, margin: int) -> str:
        style = self.random.choice(["|", ">", "|-", ">-", "|+", "|2"])
        deep = 2 if style == "|2" else self.random.randrange(1, 6)
        lines = ["x", *self.random.choices(["x", "  y", "# z", "", "é "], k=3)]
        body = "".join(" " * (margin + deep) * bool(line) + f"{line}\n" for line in lines)
        return f" {style}{self.beside()}\n{body}"

    def value(self, margin: int, depth: int) -> str:
        match self.random.randrange(7 if depth < 4 else 4):
            case 0:
                return self.block(margin)
            case 1 | 2:
                return f" {self.random.choice(SCALARS)}{self.beside()}\n"
            case 3 | 4:
                return f" {self.flow(0)}{self.beside()}\n"
            case _:
                inner = margin + self.random.randrange(1, 5)
                return f"{self.beside()}\n{self.entries(inner, depth + 1)}"

    def entries(self, margin: int, depth: int) -> str:
        is_list, text = depth > 0 and self.random.random() < 0.5, ""
        for index in range(self.random.randrange(1, 5)):
            head = "-" if is_list else f"key{index}:"
            text += f"{self.between()}{' ' * margin}{head}{self.value(margin, depth)}"
        return text


@given(st.integers(0, 2**32))
def test_a_plan_means_the_same_formatted(seed: int) -> None:
    """Every comment is there, in its order; what is formatted stays as it is."""
    writer = Writer(seed)
    text = "base: &base 1\n" + writer.entries(0, 0) + writer.between()
    text = text.replace("\n", "\r\n" if seed % 3 == 0 else "\n")
    formatted = format_plan(text)

    assert meaning(formatted) == meaning(text)
    found = REMARK.findall(formatted)
    assert found == REMARK.findall(text)
    assert len(found) == writer.remarks
    assert format_plan(formatted) == formatted


def test_long_plans_take_little_time() -> None:
    """Formatting 2,000 lines, looking at the result included."""
    step = "      - get: '/items/${x}'  # a comment\n        expect: {status: 200, time: '< 1s'}\n"
    text = f"users:\n  A:\n    steps:\n{step * 1000}"

    formatted = within_cpu(1.0, lambda: format_plan(text))

    assert max(map(len, formatted.splitlines())) < WIDTH
