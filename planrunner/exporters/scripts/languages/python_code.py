"""Python, as Locust runs it: names of an iteration are variables, those of a user attributes."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Mapping
from typing import ClassVar, Final

from planrunner.exporters.scripts.language import ScriptLanguage

__all__ = ["HELPERS", "PythonCode", "plain_name"]

HELPERS: Final = {
    "text": '''\
def text(value):
    """Write a value as it reads in text: `true`, `null`, compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
''',
    "field": '''\
def field(value):
    """Write a value of a query or a form: `true`, and nothing where there is no value."""
    return text(value) if isinstance(value, bool) else value
''',
    "rand_text": """\
def rand_text(count, letters=string.ascii_letters + string.digits):
    return "".join(random.choices(letters, k=count))
""",
    "attempt": '''\
def attempt(code):
    """Return a value, None where there is none."""
    try:
        return code()
    except (AttributeError, LookupError, NameError, TypeError, ValueError):
        return None
''',
    "default": """\
def default(code, other):
    found = attempt(code)
    return other if found is None else found
""",
    "found": '''\
def found(pattern, body):
    """Return the first group of what a pattern finds, or all of it."""
    match = re.search(pattern, body)
    return None if match is None else match[match.re.groups and 1]
''',
    "needed": '''\
def needed(reply, name, code):
    """Return a value that later requests need; without it the iteration ends."""
    value = attempt(code)
    if value is None:
        reply.failure(f"nothing to extract for {name}")
        raise RescheduleTask
    return value
''',
    "expect": '''\
def expect(reply, expected):
    """Make a request a failure when its reply is not as expected."""
    for words, holds in expected.items():
        if not attempt(holds):
            reply.failure(f"expected {words}")
            return
''',
    "place": '''\
def place(weights):
    """Draw the place of a weight."""
    return random.choices(range(len(weights)), weights)[0]
''',
    "pareto": """\
def pareto(least, shape):
    return least * random.paretovariate(shape)
""",
    "take": '''\
def take(items, which):
    """Take an element out of a list; without one the iteration ends."""
    if not items:
        raise RescheduleTask
    place = {"first": 0, "last": -1}.get(which)
    return items.pop(random.randrange(len(items)) if place is None else place)
''',
}
"""What files may need, by name."""

_OWN: Final = frozenset(
    (
        *keyword.kwlist,
        *dir(builtins),
        *HELPERS,
        *("self", "reply", "os", "re", "random", "json", "string", "csv", "time", "uuid", "base64"),
        *("hashlib", "locust", "events", "task", "tag", "between", "constant", "quote", "Path"),
        *("cycle", "count", "takewhile", "partial", "HERE"),
    )
)


def plain_name(name: str) -> str:
    """Return a name of the plan as a variable that hides nothing."""
    return f"{name}_" if name in _OWN else name


class PythonCode(ScriptLanguage):
    equal: ClassVar[str] = "=="
    unequal: ClassVar[str] = "!="
    both: ClassVar[str] = "and"
    either: ClassVar[str] = "or"
    filters: ClassVar[Mapping[str, str]] = {
        "upper": "text({}).upper()",
        "lower": "text({}).lower()",
        "title": "text({}).title()",
        "capitalize": "text({}).capitalize()",
        "trim": "text({}).strip()",
        "length": "len({})",
        "count": "len({})",
        "int": "int({})",
        "float": "float({})",
        "string": "text({})",
        "json": 'json.dumps({}, separators=(",", ":"))',
        "tojson": 'json.dumps({}, separators=(",", ":"))',
        "urlencode": 'quote(text({}), safe="")',
        "b64": "base64.b64encode(text({}).encode()).decode()",
        "first": "{}[0]",
        "last": "{}[-1]",
        "abs": "abs({})",
        "max": "max({})",
        "min": "min({})",
        "sum": "sum({})",
        "sort": "sorted({})",
        "list": "list({})",
        "unique": "list(dict.fromkeys({}))",
        "round": "round({})",
        "random": "random.choice({})",
        "default": 'default(lambda: {}, "")',
    }
    types: ClassVar[Mapping[str, str]] = {
        "string": "isinstance({}, str)",
        "number": "(type({}) in (int, float))",
        "integer": "(type({}) is int)",
        "boolean": "isinstance({}, bool)",
        "array": "isinstance({}, list)",
        "object": "isinstance({}, dict)",
        "null": "({} is None)",
    }
    filters_of_one: ClassVar[Mapping[str, str]] = {
        "default": "default(lambda: {}, {})",
        "d": "default(lambda: {}, {})",
        "join": "{1}.join(map(text, {0}))",
        "replace": "text({}).replace({}, {})",
        "round": "round({}, {})",
        "hash": "hashlib.new({1}, text({0}).encode()).hexdigest()",
    }
    draws: ClassVar[Mapping[str, str]] = {
        "int": "random.randint({})",
        "float": "random.uniform({})",
        "choice": "random.choice({})",
        "text": "rand_text({})",
        "lower": "rand_text({}, string.ascii_lowercase)",
        "uuid": "str(uuid.UUID(int=random.getrandbits(128), version=4))",
        "place": "place({})",
        "normal": "max(0, random.gauss({}))",
        "exponential": "random.expovariate(1 / {})",
        "pareto": "pareto({})",
    }
    now: ClassVar[str] = "time.time()"

    def literal(self, value: object) -> str:
        if isinstance(value, str):
            return _quoted(value)
        if isinstance(value, dict | list | tuple):
            return self.value(list(value) if isinstance(value, tuple) else value)
        return repr(value)

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        if not any(is_code for _, is_code in parts):
            return self.literal("".join(part for part, _ in parts))
        if len(parts) == 1 and self._is_text(parts[0][0]):
            return parts[0][0]
        codes = [self._textual(part) if is_code else "" for part, is_code in parts]
        if any("\\" in code or ('"' in code and "'" in code) for code in codes):
            return " + ".join(
                (code if self._is_text(code) else f"text({code})") if code else self.literal(part)
                for code, (part, _) in zip(codes, parts, strict=True)
            )
        pieces = (
            "{" + code.replace('"', "'") + "}" if code else self._plain(part)
            for code, (part, _) in zip(codes, parts, strict=True)
        )
        return 'f"' + "".join(pieces) + '"'

    def _plain(self, part: str) -> str:
        return _escaped(part).replace("{", "{{").replace("}", "}}")

    def _textual(self, code: str) -> str:
        """Return code whose value reads the same in a text of Python as in one of a plan."""
        is_plain = code in self.numbers or code.startswith(_NUMBERS)
        return code if is_plain or self._is_text(code) else f"text({code})"

    def _is_text(self, code: str) -> bool:
        row, bracket, _ = code.partition("[")
        return code.startswith(_TEXTS) or code in self.texts or f"{row}{bracket}" in self.texts

    def member(self, value: str, key: str) -> str:
        return f"{value}[{key}]"

    def reply(self, name: str, keys: list[str]) -> str:
        whole = {
            "json": "reply.json()",
            "body": "reply.text",
            "status": "reply.status_code",
            "headers": "reply.headers",
        }[name]
        return self._members(whole, keys)

    def choice(self, test: str, first: str, other: str) -> str:
        return f"({first} if {test} else {other})"

    def is_defined(self, value: str) -> str:
        return f"(attempt(lambda: {value}) is not None)"

    def contains(self, item: str, whole: str) -> str:
        return f"({item} in {whole})"

    def negated(self, value: str) -> str:
        return f"(not {value})"

    def appended(self, text: str, glue: str, more: str) -> str:
        return f"{text} + {self.literal(glue)} + {more}"

    def json_text(self, data: object) -> str:
        return self.value(data)

    def query(self, values: object) -> str:
        return self.form(values) if isinstance(values, dict) else self.value(values)

    def form(self, fields: Mapping[str, object]) -> str:
        pairs = [(self.literal(key), self._field(value)) for key, value in fields.items()]
        return self.mapping(pairs)

    def _field(self, value: object) -> str:
        """Return a field; what JSON and Python write differently is written as JSON does."""
        if isinstance(value, bool):
            return self.literal(str(value).lower())
        if isinstance(value, list):
            return self.listing([*map(self._field, value)])
        code = self.value(value)
        if not isinstance(value, str) or "${" not in value or self._textual(code) == code:
            return code
        return f"field({code})"

    def found(self, pattern: str) -> str:
        return f"found({_raw(pattern)}, reply.text)"

    def as_text(self, value: str) -> str:
        return value if self._is_text(value) else f"text({value})"

    def matched(self, pattern: str, value: str) -> str:
        return f"found({_raw(pattern)}, text({value}))"

    def file(self, name: str) -> str:
        path = f"{self.folder}/{name}".removeprefix("./")
        return f"(HERE / {self.text(path)}).read_bytes()"

    def part(self, content: str, name: str, kind: str) -> str:
        shown = name or "None"
        return f"({shown}, {content}, {kind})" if kind else f"({shown}, {content})"

    def cookie(self, name: str) -> str:
        return f"reply.cookies[{self.literal(name)}]"

    def took_ms(self) -> str:
        return 'reply.request_meta["response_time"]'

    def or_default(self, value: str, default: str) -> str:
        return f"default(lambda: {value}, {default})"

    def env(self, name: str) -> str:
        return f"os.environ[{self.literal(name)}]"

    @property
    def base(self) -> str:
        return ""


_TEXTS: Final = ("text(", "rand_text(", "quote(", "str(uuid.", "json.dumps(", "base64.", "hashlib.")
_NUMBERS: Final = ("random.randint(", "random.uniform(", "len(", "int(", "next(", "time.time(")


def _quoted(text: str) -> str:
    """Return a text in double quotes, as formatters of Python want it."""
    if '"' in text and "'" not in text and "\\" not in text and text.isprintable():
        return f"'{text}'"
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Return a text as it stands between double quotes."""
    escaped = text.encode("unicode_escape").decode() if not text.isprintable() else text
    if escaped is text:
        escaped = text.replace("\\", "\\\\")
    return escaped.replace('"', '\\"')


def _raw(pattern: str) -> str:
    """Return a pattern as a raw text where that is possible."""
    if "\\" in pattern and pattern.isprintable() and '"' not in pattern and pattern[-1] != "\\":
        return f'r"{pattern}"'
    return _quoted(pattern)
