"""JavaScript, as k6 runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar

from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage, is_identifier

__all__ = ["HELPERS", "JavaScript"]

HELPERS = {
    "contains": """\
const contains = (whole, item) => (whole.includes ? whole.includes(item) : item in whole);
""",
    "rand": """\
const rand = {
  int: (low, high) => low + Math.floor(Math.random() * (high - low + 1)),
  float: (low, high) => low + Math.random() * (high - low),
  choice: (items) => items[Math.floor(Math.random() * items.length)],
  place: (weights) => {
    let left = Math.random() * weights.reduce((sum, one) => sum + one, 0);
    return weights.findIndex((one) => (left -= one) < 0);
  },
  exponential: (mean) => -mean * Math.log(1 - Math.random()),
  pareto: (least, shape) => least / (1 - Math.random()) ** (1 / shape),
  normal: (mean, deviation) => {
    const far = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return Math.max(0, mean + deviation * far * Math.cos(2 * Math.PI * Math.random()));
  },
  of: (letters, count) => Array.from({ length: count }, () => rand.choice(letters)).join(''),
  lower: (count) => rand.of('abcdefghijklmnopqrstuvwxyz', count),
  text: (count) =>
    rand.of('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', count),
  uuid: () =>
    'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => rand.of('0123456789abcdef', 1)),
};
""",
    "now": "const now = () => Date.now() / 1000;\n",
    "text": """\
const text = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
""",
    "truth": """\
// Whether a value is true: nothing, 0 and what is empty are not.
const truth = (value) =>
  value !== null && typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
""",
    "encoded": """\
// A value in a query, where k6 encodes nothing; what means something there stays.
const encoded = (value) =>
  text(value).replace(/[^!$&'()*+,./:;=?@[\\]\\w~%-]+|%(?![0-9A-Fa-f]{2})/g, encodeURIComponent);
""",
    "query": """\
// What stands behind the `?` of a URL; lists repeat their key, null leaves it out.
const query = (values) =>
  Object.entries(values)
    .flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((one) => [key, one]))
    .filter(([, value]) => value !== null)
    .map((pair) => pair.map((one) => encodeURIComponent(one)).join('='))
    .join('&');
""",
    "needed": """\
// A value that later requests need; without it the iteration ends.
function needed(value, name) {
  if (value === undefined || value === null) fail(`nothing to extract for ${name}`);
  return value;
}
""",
    "found": """\
function found(pattern, body) {
  const groups = new RegExp(pattern).exec(body ?? '');
  return groups === null ? undefined : (groups[1] ?? groups[0]);
}
""",
    "take": """\
// Takes an element out of a list; without one the iteration ends.
function take(items, which) {
  if (!items.length) fail('the list is empty');
  const places = { first: 0, last: items.length - 1 };
  return items.splice(places[which] ?? Math.floor(Math.random() * items.length), 1)[0];
}
""",
    "header": """\
function header(reply, name) {
  const found = Object.keys(reply.headers).find((one) => one.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : reply.headers[found];
}
""",
    "json_of": """\
// The reply as JSON, or nothing.
function json_of(reply) {
  try {
    return reply.json();
  } catch {
    return undefined;
  }
}
""",
    "csv": """\
// The rows of a CSV file with a header.
function csv(content) {
  const rows = [];
  let row = [''];
  let quoted = false;
  for (let at = 0; at < content.length; at += 1) {
    const char = content[at];
    if (quoted && char === '"' && content[at + 1] === '"') {
      row[row.length - 1] += content[(at += 1)];
    } else if (char === '"') quoted = !quoted;
    else if (!quoted && char === ',') row.push('');
    else if (!quoted && char === '\\n') rows.push(row), (row = ['']);
    else if (quoted || char !== '\\r') row[row.length - 1] += char;
  }
  if (row.length > 1 || row[0] !== '') rows.push(row);
  const [names, ...values] = rows;
  return values.map((one) => Object.fromEntries(names.map((name, at) => [name, one[at]])));
}
""",
}
"""What scripts may need, by name."""


class JavaScript(ScriptLanguage):
    """The language of k6.

    Attributes:
        files: Constants with the contents of files, by path.
    """

    def __init__(self, name_of: Callable[[str], str]) -> None:
        super().__init__(name_of)
        self.files: dict[str, str] = {}

    equal: ClassVar[str] = "==="
    unequal: ClassVar[str] = "!=="
    both: ClassVar[str] = "&&"
    either: ClassVar[str] = "||"
    filters: ClassVar[Mapping[str, str]] = {
        "upper": "{}.toUpperCase()",
        "lower": "{}.toLowerCase()",
        "trim": "{}.trim()",
        "length": "{}.length",
        "count": "{}.length",
        "int": "Math.trunc(Number({}))",
        "float": "Number({})",
        "string": "String({})",
        "json": "JSON.stringify({})",
        "tojson": "JSON.stringify({})",
        "urlencode": "encodeURIComponent({})",
        "b64": "encoding.b64encode({})",
        "first": "{}[0]",
        "last": "{}.slice(-1)[0]",
        "abs": "Math.abs({})",
        "random": "rand.choice({})",
        "default": "({} ?? '')",
    }
    checks_are_soft: ClassVar[bool] = True
    types: ClassVar[Mapping[str, str]] = {
        **{name: f"(typeof {{}} === '{name}')" for name in ("string", "number", "boolean")},
        "integer": "Number.isInteger({})",
        "array": "Array.isArray({})",
        "object": "(Object.prototype.toString.call({}) === '[object Object]')",
        "null": "({} === null)",
    }
    filters_of_one: ClassVar[Mapping[str, str]] = {
        "default": "({} ?? {})",
        "d": "({} ?? {})",
        "join": "{}.join({})",
        "replace": "{}.split({}).join({})",
        "hash": "crypto.hash({1}, {0}, 'hex')",
    }

    def literal(self, value: object) -> str:
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False).replace("\u2028", "\\u2028")
        return json.dumps(value, ensure_ascii=False)

    def key(self, key: str) -> str:
        return key if is_identifier(key) else self.literal(key)

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        if not any(is_code for _, is_code in parts):
            return self.literal("".join(part for part, _ in parts))
        return "`" + "".join(self._piece(*part) for part in parts) + "`"

    def in_query(self, value: str) -> str:
        is_safe = value.startswith(("rand.", "encodeURIComponent("))
        return value if is_safe else f"encoded({value})"

    def _piece(self, part: str, is_code: bool) -> str:  # noqa: FBT001 - one of a pair
        if not is_code:
            return part.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
        if part.startswith(
            (
                "BASE_URL",
                "rand.",
                "encoded(",
                "encodeURIComponent(",
                "params.",
                "exec.",
                "encoding.",
            )
        ):
            return f"${{{part}}}"
        return f"${{text({part})}}"

    def member(self, value: str, key: str) -> str:
        name = json.loads(key) if key.startswith('"') else ""
        return f"{value}?.{name}" if is_identifier(name) else f"{value}?.[{key}]"

    def reply(self, name: str, keys: list[str]) -> str:
        match name:
            case "headers" if keys:
                return f"header(reply, {keys[0]})"
            case "json":
                return self._members("json_of(reply)", keys)
            case "headers":
                return "reply.headers"
            case _:
                return self._members(f"reply.{name}", keys)

    def choice(self, test: str, first: str, other: str) -> str:
        return f"({test} ? {first} : {other})"

    def is_defined(self, value: str) -> str:
        return f"({value} !== undefined)"

    def contains(self, item: str, whole: str) -> str:
        if whole.startswith(("reply.body", "[", "`", '"', "'")):
            return f"{whole}.includes({item})"
        return f"contains({whole}, {item})"

    def negated(self, value: str) -> str:
        return f"!{value}" if value.startswith("(") else f"!({value})"

    def appended(self, text: str, glue: str, more: str) -> str:
        return f"{text} + {self.literal(glue)} + {more}"

    def json_text(self, data: object) -> str:
        return f"JSON.stringify({self.value(data)})"

    def found(self, pattern: str) -> str:
        return f"found({self.literal(pattern)}, reply.body)"

    def truth(self, value: str) -> str:
        return f"truth({value})"

    def matched(self, pattern: str, value: str) -> str:
        return f"found({self.literal(pattern)}, {self.as_text(value)})"

    def file(self, name: str) -> str:
        if "${" in name:
            raise CanNotWrite("k6 reads files before it knows what is computed")
        path = f"{self.folder}/{name}".removeprefix("./")
        self.files.setdefault(path, f"file_{len(self.files) + 1}")
        return self.files[path]

    def part(self, content: str, name: str, kind: str) -> str:
        if not (name or kind):
            return content
        more = [name or '""', *([kind] if kind else [])]
        return f"http.file({', '.join([content, *more])})"

    def cookie(self, name: str) -> str:
        return f"reply.cookies[{self.literal(name)}]?.[0]?.value"

    def took_ms(self) -> str:
        return "reply.timings.duration"

    def or_default(self, value: str, default: str) -> str:
        return f"({value} ?? {default})"

    def env(self, name: str) -> str:
        return f"__ENV.{name}"

    @property
    def base(self) -> str:
        return "BASE_URL"
