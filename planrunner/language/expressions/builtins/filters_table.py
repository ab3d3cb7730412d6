"""Every filter: Jinja2's, within budgets and on plain data, and a few of our own.

The names of arguments are those of the functions: `x | default(default_value=1)` works.
"""

from __future__ import annotations

from typing import Final

from planrunner.language.expressions.described import Described

__all__ = ["FILTERS"]

FILTERS: Final = (
    Described("abs", "abs", "the absolute value", "-3 | abs", "3"),
    Described(
        "attr",
        "attr(name)",
        "the value of the key `name`, which may be computed",
        "{'id': 7} | attr('id')",
        "7",
    ),
    Described(
        "b64", "b64", "the text or bytes in Base64", "'user:secret' | b64", "dXNlcjpzZWNyZXQ="
    ),
    Described(
        "batch",
        "batch(linecount, fill_with)",
        "lists of `linecount` items each; the last is filled up with `fill_with`",
        "[1, 2, 3] | batch(2, 0)",
        "[[1,2],[3,0]]",
    ),
    Described("bytes", "bytes", "the text in UTF-8", "'a' | bytes | length", "1"),
    Described(
        "capitalize",
        "capitalize",
        "the first letter upper-case, all others lower-case",
        "'GOOD day' | capitalize",
        "Good day",
    ),
    Described(
        "center",
        "center(width = 80)",
        "the text with spaces around it",
        "'ab' | center(6)",
        "  ab  ",
    ),
    Described("count", "count", "the same as `length`", "[1, 2] | count", "2"),
    Described(
        "d",
        "d(default_value = '', boolean = false)",
        "the same as `default`",
        "missing | d('none')",
        "none",
    ),
    Described(
        "date",
        "date(format = 'ISO', offset = 0)",
        "the seconds since 1970, or the date, as text in UTC; `format` is that of `strftime`, and "
        "`offset`, in seconds or such as `'-1h'`, is added",
        "0 | date('%d/%m/%Y', '36h')",
        "02/01/1970",
    ),
    Described(
        "default",
        "default(default_value = '', boolean = false)",
        "the value, or `default_value` if there is none; with `boolean` also for a "
        "value that is empty, 0 or false",
        "missing | default(10)",
        "10",
    ),
    Described(
        "dictsort",
        "dictsort(case_sensitive = false, by = 'key', reverse = false)",
        "the mapping's pairs in order",
        "{'b': 1, 'a': 2} | dictsort",
        '[["a",2],["b",1]]',
    ),
    Described("e", "e", "the same as `escape`", "'<' | e", "&lt;"),
    Described(
        "escape",
        "escape",
        "the text with `&`, `<`, `>` and quotes as HTML entities",
        "'a < b' | escape",
        "a &lt; b",
    ),
    Described(
        "filesizeformat",
        "filesizeformat(binary = false)",
        "the number of bytes in a readable unit",
        "1500 | filesizeformat",
        "1.5 kB",
    ),
    Described("first", "first", "the first item", "[3, 4] | first", "3"),
    Described(
        "float",
        "float(default = 0.0)",
        "the value as a number; `default` if it isn't one",
        "'1.5' | float",
        "1.5",
    ),
    Described("forceescape", "forceescape", "the same as `escape`", "'<' | forceescape", "&lt;"),
    Described(
        "format",
        "format(values …)",
        "the text with its `%s`, `%d`, `%05.1f` … filled in",
        "'%s-%04d' | format('a', 7)",
        "a-0007",
    ),
    Described(
        "groupby",
        "groupby(attribute, default)",
        "the rows by the value of the key `attribute`: mappings with `grouper` and `list`",
        "[{'k': 1}, {'k': 1}] | groupby('k')",
        '[{"grouper":1,"list":[{"k":1},{"k":1}]}]',
    ),
    Described(
        "hash",
        "hash(algorithm = 'sha256', encoding = 'hex')",
        "the digest of the text or bytes: md5, sha1, sha224, sha256, sha384 or sha512, in hex, "
        "base64 or as bytes",
        "'a' | hash('md5')",
        "0cc175b9c0f1b6a831c399e269772661",
    ),
    Described(
        "hmac",
        "hmac(key, algorithm = 'sha256', encoding = 'hex')",
        "the same with a key (RFC 2104)",
        "'a' | hmac('key', 'md5')",
        "80ea44ccea14cc2263889567cfacccd7",
    ),
    Described(
        "indent",
        "indent(width = 4, first = false, blank = false)",
        "the text with each further line indented",
        "'a\\nb' | indent(2)",
        "a\n  b",
    ),
    Described(
        "int",
        "int(default = 0, base = 10)",
        "the value as a whole number; `default` if it isn't one",
        "'0x1f' | int(base=16)",
        "31",
    ),
    Described("items", "items", "the mapping's pairs", "{'a': 1} | items", '[["a",1]]'),
    Described(
        "join",
        "join(d = '', attribute)",
        "the items as one text, with `d` between them",
        "[1, 2, 3] | join('-')",
        "1-2-3",
    ),
    Described(
        "json", "json", "the value as compact JSON; a text gets its quotes", "'a' | json", '"a"'
    ),
    Described(
        "jwt",
        "jwt(key, algorithm = 'HS256', header = none)",
        "the mapping as the claims of a signed token (HS256, HS384 or HS512); the names of the "
        "mapping `header` go into its header",
        "({'sub': 'ada'} | jwt('secret')) | length",
        "99",
    ),
    Described("last", "last", "the last item", "[3, 4] | last", "4"),
    Described("length", "length", "the number of items, keys or characters", "'abc' | length", "3"),
    Described("list", "list", "the items; for a text, its characters", "'ab' | list", '["a","b"]'),
    Described("lower", "lower", "the text in lower case", "'AbC' | lower", "abc"),
    Described(
        "map",
        "map(filter, arguments …) or map(attribute = key)",
        "each item with a filter applied, or one of its keys",
        "[{'id': 1}, {'id': 2}] | map(attribute='id')",
        "[1,2]",
    ),
    Described(
        "max",
        "max(case_sensitive = false, attribute)",
        "the greatest item, or the item with the greatest `attribute`",
        "[1, 3, 2] | max",
        "3",
    ),
    Described(
        "min",
        "min(case_sensitive = false, attribute)",
        "the smallest item, or the item with the smallest `attribute`",
        "[1, 3, 2] | min",
        "1",
    ),
    Described(
        "pprint", "pprint", "the value as Python prints it, for `log`", "['a'] | pprint", "['a']"
    ),
    Described(
        "random",
        "random",
        "one item, drawn from the user's own random stream",
        "['a', 'b'] | random",
        "",
    ),
    Described(
        "reject",
        "reject(test, arguments …)",
        "the items for which the test fails",
        "[1, 2, 3] | reject('odd')",
        "[2]",
    ),
    Described(
        "rejectattr",
        "rejectattr(key, test, arguments …)",
        "the rows whose key fails the test",
        "[{'a': 1}, {'a': 2}] | rejectattr('a', 'odd')",
        '[{"a":2}]',
    ),
    Described(
        "replace",
        "replace(old, new, count)",
        "the text with `old` replaced, at most `count` times",
        "'a-b-c' | replace('-', '+', 1)",
        "a+b-c",
    ),
    Described(
        "reverse", "reverse", "the items or characters backwards", "[1, 2] | reverse", "[2,1]"
    ),
    Described(
        "round",
        "round(precision = 0, method = 'common')",
        "the rounded number; `method` is `common`, `ceil` or `floor`",
        "2.678 | round(1)",
        "2.7",
    ),
    Described("safe", "safe", "the text as it is", "'<b>' | safe", "<b>"),
    Described(
        "select",
        "select(test, arguments …)",
        "the items that pass the test; without a test, those that are true",
        "[1, 2, 3] | select('odd')",
        "[1,3]",
    ),
    Described(
        "selectattr",
        "selectattr(key, test, arguments …)",
        "the rows whose key passes the test",
        "[{'a': 1}, {'a': 2}] | selectattr('a', '>', 1)",
        '[{"a":2}]',
    ),
    Described(
        "slice",
        "slice(slices, fill_with)",
        "`slices` lists of about equal length",
        "[1, 2, 3] | slice(2)",
        "[[1,2],[3]]",
    ),
    Described(
        "sort",
        "sort(reverse = false, case_sensitive = false, attribute)",
        "the items in order, or rows in the order of a key",
        "[3, 1, 2] | sort",
        "[1,2,3]",
    ),
    Described(
        "string", "string", "the value as text, as `${…}` renders it", "true | string", "true"
    ),
    Described(
        "striptags",
        "striptags",
        "the text without tags, with single spaces",
        "'<b>a</b>' | striptags",
        "a",
    ),
    Described(
        "sum",
        "sum(attribute, start = 0)",
        "the sum of the numbers, or of the values of a key",
        "[1, 2, 3] | sum",
        "6",
    ),
    Described(
        "title", "title", "the text with each word capitalized", "'good day' | title", "Good Day"
    ),
    Described(
        "tojson",
        "tojson(indent)",
        "the value as JSON that is safe in HTML",
        "{'a': 1} | tojson",
        '{"a": 1}',
    ),
    Described(
        "trim",
        "trim(chars)",
        "the text without white space, or without these characters, at its ends",
        "'  a ' | trim",
        "a",
    ),
    Described(
        "truncate",
        "truncate(length = 255, killwords = false, end = '...', leeway = 5)",
        "the beginning of a longer text; one that is up to `leeway` characters longer stays whole",
        "'abcdefgh' | truncate(5, true, '…', 0)",
        "abcd…",
    ),
    Described(
        "unique",
        "unique(case_sensitive = false, attribute)",
        "each item once, in the order they come",
        "[1, 2, 1] | unique",
        "[1,2]",
    ),
    Described("upper", "upper", "the text in upper case", "'abc' | upper", "ABC"),
    Described(
        "urlencode",
        "urlencode",
        "one part of a URL encoded, slashes too; a mapping becomes a query",
        "'a/b c' | urlencode",
        "a%2Fb%20c",
    ),
    Described(
        "urlize", "urlize", "the text with its URLs as HTML links", "'see x' | urlize", "see x"
    ),
    Described("wordcount", "wordcount", "the number of words", "'a b c' | wordcount", "3"),
    Described(
        "wordwrap",
        "wordwrap(width = 79, break_long_words = true, wrapstring)",
        "the text in lines of at most that length",
        "'aa bb cc' | wordwrap(5)",
        "aa bb\ncc",
    ),
    Described(
        "xmlattr",
        "xmlattr(autospace = true)",
        "the mapping as attributes of an XML element",
        "{'id': 7} | xmlattr",
        ' id="7"',
    ),
)
"""In the order of the reference."""
