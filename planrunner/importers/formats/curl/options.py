"""The options of curl: which take a value, and what each means for a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.importers.formats.curl.shell import ShellWord
from planrunner.values import dataclass

__all__ = ["IGNORED", "INSTEAD", "CurlOption", "read_options"]

_SHORT: Final = {
    "X": "request", "H": "header", "d": "data", "F": "form", "G": "get", "I": "head", "u": "user",
    "A": "user-agent", "e": "referer", "b": "cookie", "c": "cookie-jar", "L": "location",
    "k": "insecure", "m": "max-time", "x": "proxy", "T": "upload-file", "E": "cert",
    "o": "output", "O": "remote-name", "s": "silent", "S": "show-error", "v": "verbose",
    "i": "include", "w": "write-out", "f": "fail", "D": "dump-header", "#": "progress-bar",
    "0": "http1.0", "j": "junk-session-cookies", "N": "no-buffer", "g": "globoff", "r": "range",
    "U": "proxy-user", "n": "netrc", "4": "ipv4", "6": "ipv6", "K": "config", "Z": "parallel",
    "1": "tlsv1", "2": "sslv2", "3": "sslv3", "a": "append", "B": "use-ascii", "C": "continue-at",
    "h": "help", "J": "remote-header-name", "l": "list-only", "M": "manual", "P": "ftp-port",
    "p": "proxytunnel", "q": "disable", "Q": "quote", "R": "remote-time", "t": "telnet-option",
    "V": "version", "y": "speed-time", "Y": "speed-limit", "z": "time-cond", ":": "next",
}  # fmt: skip
"""What the letters stand for."""

_VALUED: Final = """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config
    connect-timeout connect-to continue-at cookie cookie-jar create-file-mode crlfile curves data
    data-ascii data-binary data-raw data-urlencode delegation dns-interface dns-ipv4-addr
    dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine etag-compare etag-save
    expand-data expand-header expand-url expect100-timeout form form-string ftp-account
    ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms
    haproxy-clientip header help hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway json
    keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options
    mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer
    output output-dir parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy
    proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header
    proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers
    proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote random-file
    range rate referer request request-target resolve retry retry-delay retry-max-time
    sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname
    speed-limit speed-time stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers
    tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file url
    url-query user user-agent variable vlan-priority write-out
"""
_WITH_VALUE: Final = frozenset(_VALUED.split())
"""Options of curl 8 with a value: to take a value for a URL would make a request of it."""

_HARMLESS: Final = """
    basic compressed cookie-jar create-dirs create-file-mode disable dump-header etag-save fail
    fail-early fail-with-body http1.1 include ipv4 keepalive-cnt keepalive-time no-alpn no-buffer
    no-keepalive no-progress-meter no-sessionid
    output output-dir path-as-is proto proto-default proto-redir progress-bar proxy-basic
    remote-header-name remote-name remote-name-all remote-time remove-on-error show-error silent
    stderr styled-output suppress-connect-headers tcp-nodelay tls-max tlsv1 tlsv1.0 tlsv1.1 tlsv1.2
    tlsv1.3 trace trace-ascii trace-config trace-ids trace-time verbose write-out xattr
"""
IGNORED: Final = frozenset(_HARMLESS.split())
"""What a load test does anyway, or what is only about curl's own output."""

INSTEAD: Final = {
    "cert": "write it under `http.cert`",
    "connect-timeout": "write `timeout`, which has connecting in it",
    "http1.0": "planrunner speaks HTTP/1.1 and HTTP/2",
    "http3": "planrunner speaks HTTP/1.1 and HTTP/2",
    "interface": "write `http.source_addresses`",
    "key": "write it under `http.cert`",
    "limit-rate": "planrunner reads replies as fast as they come",
    "max-redirs": "planrunner has a limit of its own for redirects",
    "negotiate": "planrunner has `basic`, `bearer`, `digest` and `sigv4`",
    "ntlm": "planrunner has `basic`, `bearer`, `digest` and `sigv4`",
    "retry-delay": "write `retry: {times: 2, wait: 1s}`",
    "retry-max-time": "write `retry: {times: 2, wait: 1s}`",
    "aws-sigv4": "write `auth: {sigv4: {…}}`",
}
"""What to write for options that are left out."""


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
            name = _whole(name)
            if equals and name in _WITH_VALUE:
                yield CurlOption(name, word, ShellWord(word.place, (rest,)))
            else:
                yield CurlOption(name, word, next(pending, None) if name in _WITH_VALUE else None)
        elif text.startswith("-") and len(text) > 1:
            yield from _letters(word, pending)
        else:
            yield CurlOption("url", word, word)


def _whole(name: str) -> str:
    """Return an option's name, of which the beginning is enough where it says which one."""
    if name in _WITH_VALUE or name in IGNORED or name in _SHORT.values():
        return name
    meant = {one for one in {*_WITH_VALUE, *_SHORT.values()} if one.startswith(name)}
    return meant.pop() if len(meant) == 1 else name


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
