"""Lua, as wrk runs it: what is sent can be computed, what comes back can't be read in time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NoReturn

from planrunner.exporters.scripts.constants import form_text, is_constant, query_text
from planrunner.exporters.scripts.language import CanNotWrite, ScriptLanguage, is_identifier

__all__ = ["HELPERS", "Lua"]

HELPERS: Final = {
    "json": """\
local function json(value)
  if value == nil then return "null" end
  if type(value) == "table" then
    local parts, names = {}, {}
    if #value > 0 or next(value) == nil then
      for at, one in ipairs(value) do parts[at] = json(one) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names)
    for at, name in ipairs(names) do parts[at] = json(name) .. ":" .. json(value[name]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) ~= "string" then return tostring(value) end
  local escaped = value:gsub('["\\\\]', "\\\\%0"):gsub("%c", function(char)
    return string.format("\\\\u%04x", char:byte())
  end)
  return '"' .. escaped .. '"'
end
""",
    "text": """\
local function text(value)
  return type(value) == "string" and value or json(value)
end
""",
    "rand": """\
local rand = {}
function rand.int(low, high) return math.random(low, high) end
function rand.float(low, high) return low + math.random() * (high - low) end
function rand.choice(items) return items[math.random(#items)] end
function rand.of(letters, count)
  local found = {}
  for at = 1, count do
    local place = math.random(#letters)
    found[at] = letters:sub(place, place)
  end
  return table.concat(found)
end
function rand.place(weights)
  local left = 0
  for _, one in ipairs(weights) do left = left + one end
  left = math.random() * left
  for at, one in ipairs(weights) do
    left = left - one
    if left < 0 then return at - 1 end
  end
  return #weights - 1
end
function rand.exponential(mean) return -mean * math.log(1 - math.random()) end
function rand.pareto(least, shape) return least / (1 - math.random()) ^ (1 / shape) end
function rand.normal(mean, deviation)
  local far = math.sqrt(-2 * math.log(1 - math.random()))
  return math.max(0, mean + deviation * far * math.cos(2 * math.pi * math.random()))
end
function rand.lower(count) return rand.of("abcdefghijklmnopqrstuvwxyz", count) end
function rand.text(count)
  return rand.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count)
end
function rand.uuid()
  local shape = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"
  return (shape:gsub("x", function() return rand.of("0123456789abcdef", 1) end))
end
""",
    "now": "local function now() return os.time() end\n",
    "urlencode": """\
local function urlencode(value)
  return (tostring(value):gsub("[^%w_.~-]", function(char)
    return string.format("%%%02X", char:byte())
  end))
end
""",
    "query": """\
-- What stands behind the `?` of a URL, of pairs; those without a value are left out.
local function query(items)
  local found = {}
  for at = 1, #items do
    local name, value = items[at][1], items[at][2]
    if value ~= nil then found[#found + 1] = urlencode(name) .. "=" .. urlencode(value) end
  end
  return table.concat(found, "&")
end
""",
    "member": """\
-- A member, nothing where there is none; lists begin with 0.
local function member(value, key)
  if type(value) ~= "table" then return nil end
  return value[type(key) == "number" and key + 1 or key]
end
""",
    "truth": """\
-- Whether a value is true: nothing, 0 and what is empty are not.
local function truth(value)
  if type(value) == "table" then return next(value) ~= nil end
  return value ~= nil and value ~= false and value ~= 0 and value ~= ""
end
""",
    "choose": """\
local function choose(test, first, other)
  if test then return first end
  return other
end
""",
    "contains": """\
local function contains(whole, item)
  if type(whole) == "string" then return whole:find(item, 1, true) ~= nil end
  for _, one in ipairs(whole) do
    if one == item then return true end
  end
  return #whole == 0 and whole[item] ~= nil
end
""",
    "replace": """\
local function replace(value, old, new)
  local plain = old:gsub("%p", "%%%0")
  return (value:gsub(plain, (new:gsub("%%", "%%%%"))))
end
""",
    "trunc": """\
local function trunc(value)
  local number = tonumber(value)
  return number < 0 and math.ceil(number) or math.floor(number)
end
""",
    "csv": """\
-- The rows of a CSV file with a header.
local function csv(path)
  local file = assert(io.open(path))
  local content = file:read("*a"):gsub("\\r\\n", "\\n")
  file:close()
  local rows, row, at = {}, {}, 1
  while at <= #content do
    local value
    if content:sub(at, at) == '"' then
      local from = at + 1
      repeat at = content:find('"', at + 1, true) + 1 until content:sub(at, at) ~= '"'
      value = content:sub(from, at - 2):gsub('""', '"')
    else
      local stop = content:find("[,\\n]", at) or #content + 1
      value, at = content:sub(at, stop - 1), stop
    end
    row[#row + 1] = value
    if content:sub(at, at) ~= "," then rows[#rows + 1], row = row, {} end
    at = at + 1
  end
  local names = table.remove(rows, 1)
  for _, one in ipairs(rows) do
    for place, name in ipairs(names) do one[name] = one[place] end
  end
  return rows
end
""",
}
"""What scripts may need, by name, each after those that it calls."""


class Lua(ScriptLanguage):
    """Texts and numbers; a reply is known when the next requests are long sent."""

    equal: ClassVar[str] = "=="
    unequal: ClassVar[str] = "~="
    both: ClassVar[str] = "and"
    either: ClassVar[str] = "or"
    filters: ClassVar[Mapping[str, str]] = {
        "upper": "text({}):upper()",
        "lower": "text({}):lower()",
        "trim": "text({}):match('^%s*(.-)%s*$')",
        "length": "#{}",
        "count": "#{}",
        "int": "trunc({})",
        "float": "tonumber({})",
        "string": "text({})",
        "urlencode": "urlencode({})",
        "first": "member({}, 0)",
        "abs": "math.abs({})",
        "random": "rand.choice({})",
    }
    filters_of_one: ClassVar[Mapping[str, str]] = {
        "join": "table.concat({}, {})",
        "replace": "replace({}, {}, {})",
    }

    def literal(self, value: object) -> str:
        if isinstance(value, str):
            quote = "'" if '"' in value and "'" not in value else '"'
            written = "".join(map(_escaped, value))
            return quote + (written.replace('"', '\\"') if quote == '"' else written) + quote
        if isinstance(value, dict | list | tuple):
            return self.value(list(value) if isinstance(value, tuple) else value)
        return "nil" if value is None else json.dumps(value)

    def key(self, key: str) -> str:
        return key if is_identifier(key) and not _WORDS.fullmatch(key) else f"[{self.literal(key)}]"

    def mapping(self, pairs: Sequence[tuple[str, str]]) -> str:
        keys = (f"[{key}]" if key.startswith('"') else key for key, _ in pairs)
        written = (f"{key} = {value}" for key, (_, value) in zip(keys, pairs, strict=True))
        return "{ " + ", ".join(written) + " }"

    def listing(self, items: Sequence[str]) -> str:
        if "nil" in items:
            raise CanNotWrite("a list of Lua ends at the first place without a value")
        return "{ " + ", ".join(items) + " }"

    def joined(self, parts: list[tuple[str, bool]]) -> str:
        pieces = (self._piece(*part) for part in parts if part[0])
        return " .. ".join(pieces) or '""'

    def _piece(self, part: str, is_code: bool) -> str:  # noqa: FBT001 - one of a pair
        if not is_code:
            return self.literal(part)
        plain = part == self.base or part.startswith(_TEXTS)
        return part if plain else f"text({part})"

    def member(self, value: str, key: str) -> str:
        return f"member({value}, {key})"

    def choice(self, test: str, first: str, other: str) -> str:
        return f"choose({test}, {first}, {other})"

    def is_defined(self, value: str) -> str:
        return f"({value} ~= nil)"

    def truth(self, value: str) -> str:
        return f"truth({value})"

    def contains(self, item: str, whole: str) -> str:
        return f"contains({whole}, {item})"

    def negated(self, value: str) -> str:
        return f"not {value}" if value.startswith("(") else f"not ({value})"

    def appended(self, text: str, glue: str, more: str) -> str:
        if text.endswith('"') and more.startswith('"'):
            return f"{text[:-1]}{glue}{more[1:]}"
        return f"{text} .. {self.literal(glue)} .. {more}"

    def json_text(self, data: object) -> str:
        return self.joined(_merged(self._json_parts(data)))

    def _json_parts(self, data: object) -> list[tuple[str, bool]]:
        if is_constant(data):
            return [(json.dumps(data, ensure_ascii=False, separators=(",", ":")), False)]
        if isinstance(data, str):
            return [(f"json({self.value(data)})", True)]
        parts: list[tuple[str, bool]] = []
        if isinstance(data, dict):
            for key, value in data.items():
                parts += [(f"{',' if parts else ''}{json.dumps(key)}:", False)]
                parts += self._json_parts(value)
            return [("{", False), *parts, ("}", False)]
        assert isinstance(data, list)
        for value in data:
            parts += [(",", False)] if parts else []
            parts += self._json_parts(value)
        return [("[", False), *parts, ("]", False)]

    def query(self, values: object) -> str:
        if is_constant(values):
            return self.literal(query_text(values))
        return self._pairs(values)

    def form(self, fields: Mapping[str, object]) -> str:
        return self.literal(form_text(fields)) if is_constant(fields) else self._pairs(fields)

    def _pairs(self, values: object) -> str:
        if not isinstance(values, dict):
            raise CanNotWrite("what is computed as a whole has no translation; write its fields")
        pairs = (
            f"{{ {self.literal(key)}, {self.value(one)} }}"
            for key, value in values.items()
            for one in (value if isinstance(value, list) else [value])
        )
        return f"query({{ {', '.join(pairs)} }})"

    def env(self, name: str) -> str:
        return f"os.getenv({self.literal(name)})"

    @property
    def base(self) -> str:
        return "BASE"

    def url(self, written: str) -> str:
        if written.startswith(("http://", "https://", "${services.", *self.url_params)):
            raise CanNotWrite("wrk sends everything to the server of its command line")
        return super().url(written)

    def _refuse(self, *_: object) -> NoReturn:
        raise CanNotWrite("wrk does not look into replies; it counts statuses of 400 and above")

    reply = found = cookie = took_ms = or_default = _refuse  # type: ignore[assignment]  # whatever they are given


def _merged(parts: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return parts with no two literal ones in a row."""
    found: list[tuple[str, bool]] = []
    for part, is_code in parts:
        if found and not is_code and not found[-1][1]:
            found[-1] = (found[-1][0] + part, False)
        else:
            found.append((part, is_code))
    return found


_TEXTS: Final = ("rand.", "urlencode(", "text(", "json(", "query(")
"""What begins code that gives a text or a number."""

_WORDS: Final = re.compile(
    "and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|"
    "then|true|until|while"
)
_NAMED: Final = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escaped(char: str) -> str:
    return _NAMED.get(char) or (f"\\{ord(char):03d}" if ord(char) < 32 else char)
