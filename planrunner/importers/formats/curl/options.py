"""The options of curl: which take a value, and what each means for a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.importers.formats.curl.shell import ShellWord
from planrunner.values import dataclass

__all__ = ["IGNORED", "CurlOption", "read_options"]

_SHORT: Final = {
    "X": "request", "H": "header", "d": "data", "F": "form", "G": "get", "I": "head", "u": "user",
    "A": "user-agent", "e": "referer", "b": "cookie", "c": "cookie-jar", "L": "location",
    "k": "insecure", "m": "max-time", "x": "proxy", "T": "upload-file", "E": "cert",
    "o": "output", "O": "remote-name", "s": "silent", "S": "show-error", "v": "verbose",
    "i": "include", "w": "write-out", "f": "fail", "D": "dump-header", "#": "progress-bar",
    "0": "http1.0", "j": "junk-session-cookies", "N": "no-buffer", "g": "globoff", "r": "range",
    "U": "proxy-user", "n": "netrc", "4": "ipv4", "6": "ipv6", "K": "config", "Z": "parallel",
}  # fmt: skip
"""What the letters stand for."""

_WITH_VALUE: Final = frozenset(
    {
        *("request", "header", "data", "data-raw", "data-binary", "data-ascii", "data-urlencode"),
        *("json", "form", "form-string", "user", "user-agent", "referer", "cookie", "cookie-jar"),
        *("max-time", "connect-timeout", "proxy", "upload-file", "cert", "key", "cacert", "url"),
        *("output", "write-out", "dump-header", "range", "proxy-user", "config", "retry"),
        *("retry-delay", "retry-max-time", "resolve", "oauth2-bearer", "max-redirs", "ciphers"),
        *("interface", "limit-rate", "stderr", "trace", "trace-ascii", "aws-sigv4", "url-query"),
        *("unix-socket", "output-dir", "rate", "pass", "cert-type", "key-type", "capath"),
        *("connect-to", "noproxy", "socks5", "socks5-hostname", "socks4", "keepalive-time"),
    }
)

IGNORED: Final = frozenset(
    {
        *("silent", "show-error", "verbose", "include", "output", "remote-name", "write-out"),
        *("dump-header", "progress-bar", "no-progress-meter", "no-buffer", "stderr", "trace"),
        *(
            "trace-ascii",
            "trace-time",
            "output-dir",
            "create-dirs",
            "remote-header-name",
            "globoff",
        ),
        *("no-keepalive", "compressed", "path-as-is", "http1.1", "ipv4", "cookie-jar", "fail"),
        *("fail-with-body", "fail-early", "tcp-nodelay", "disable", "styled-output"),
    }
)
"""What a load test does anyway, or what is only about curl's own output."""


@dataclass(frozen=True, slots=True)
class CurlOption:
    """An option as it stands in a command; a URL is the option `url`."""

    name: str
    word: ShellWord
    value: ShellWord | None = None

    @property
    def text(self) -> str:
        """Its value as the script has it."""
        return self.value.text if self.value is not None else ""


def read_options(words: Sequence[ShellWord]) -> Iterator[CurlOption]:
    """Yield the options of the words behind `curl`."""
    pending = iter(words)
    for word in pending:
        text = word.text
        if text.startswith("--"):
            name, equals, rest = text[2:].partition("=")
            if equals and name in _WITH_VALUE:
                yield CurlOption(name, word, ShellWord(word.place, (rest,)))
            else:
                yield CurlOption(name, word, next(pending, None) if name in _WITH_VALUE else None)
        elif text.startswith("-") and len(text) > 1:
            yield from _letters(word, pending)
        else:
            yield CurlOption("url", word, word)


def _letters(word: ShellWord, pending: Iterator[ShellWord]) -> Iterator[CurlOption]:
    """Yield what letters in one word mean: `-sSL`, `-XPOST`, `-d x`."""
    text = word.text
    for at in range(1, len(text)):
        name = _SHORT.get(text[at], text[at])
        if name in _WITH_VALUE:
            yield CurlOption(name, word, _rest(word, at + 1) or next(pending, None))
            return
        yield CurlOption(name, word)


def _rest(word: ShellWord, at: int) -> ShellWord | None:
    """Return what stands in a word behind an option's letter."""
    first, *others = word.parts
    if not isinstance(first, str):
        return None
    kept = tuple(one for one in (first[at:], *others) if one)
    return ShellWord(word.place, kept) if kept else None
