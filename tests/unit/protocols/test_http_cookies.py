"""The cookie jar: RFC 6265 as far as a load test needs it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.cookies import MAX_COOKIES, CookieJar, cookie_line
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S

SHOP = Origin("http", "shop.example.org", 80)
SAFE_SHOP = Origin("https", "shop.example.org", 443)
WALL_S = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


class Time:
    def __init__(self) -> None:
        self.ns = 0

    def now_ns(self) -> int:
        return self.ns

    def wall_s(self) -> float:
        return WALL_S + self.ns / NS_PER_S


def jar_with(*headers: str, origin: Origin = SHOP, target: str = "/") -> CookieJar:
    time = Time()
    jar = CookieJar(time.now_ns, time.wall_s)
    for header in headers:
        jar.store(header, origin, target)
    return jar


def test_cookie_comes_back() -> None:
    """Name and value are sent as they came, in the order they were set."""
    jar = jar_with("a=1", ' b = "two" ; Path=/', "c=x=y")

    assert jar.header(SHOP, "/") == 'a=1; b="two"; c=x=y'


def test_new_value_replaces_the_old() -> None:
    """A cookie is its name, domain and path."""
    jar = jar_with("a=1", "a=2", "a=3; Path=/deep")

    assert jar.header(SHOP, "/") == "a=2"
    assert jar.header(SHOP, "/deep") == "a=3; a=2"


@pytest.mark.parametrize(
    ("cookie_path", "target", "is_sent"),
    [
        ("/", "/", True),
        ("/", "/any", True),
        ("/docs", "/docs", True),
        ("/docs", "/docs/", True),
        ("/docs", "/docs/a?x=1", True),
        ("/docs", "/docsets", False),
        ("/docs/", "/docs", False),
        ("/docs", "/?x=/docs", False),
        ("docs", "/any", True),
    ],
)
def test_path(cookie_path: str, target: str, is_sent: bool) -> None:  # noqa: FBT001
    """A path matches itself and what is below it (RFC 6265 §5.1.4)."""
    jar = jar_with(f"a=1; Path={cookie_path}")

    assert (jar.header(SHOP, target) == "a=1") == is_sent


@pytest.mark.parametrize(("target", "path"), [("/a/b", "/a"), ("/a/b/?x=/c/", "/a/b"), ("/a", "/")])
def test_default_path_is_the_directory(target: str, path: str) -> None:
    """Without Path a cookie is for the directory of the request."""
    jar = jar_with("a=1", target=target)

    assert jar.header(SHOP, path) == "a=1"
    assert path == "/" or jar.header(SHOP, "/") == ""


@pytest.mark.parametrize(
    ("domain", "host", "is_sent"),
    [
        ("", "shop.example.org", True),
        ("", "www.shop.example.org", False),
        ("example.org", "example.org", True),
        (".Example.ORG", "other.example.org", True),
        ("example.org", "badexample.org", False),
        ("shop.example.org", "www.shop.example.org", True),
        ("other.org", "other.org", False),
        ("shop.example.org.evil", "shop.example.org", False),
    ],
)
def test_domain(domain: str, host: str, is_sent: bool) -> None:  # noqa: FBT001
    """Domain widens to names below; a foreign one is refused."""
    jar = jar_with(f"a=1; Domain={domain}" if domain else "a=1")

    assert (jar.header(Origin("http", host, 80), "/") == "a=1") == is_sent


def test_addresses_have_no_subdomains() -> None:
    """A suffix of an IP address is no domain."""
    jar = jar_with("a=1; Domain=0.0.1", origin=Origin("http", "127.0.0.1", 80))

    assert len(jar) == 0


def test_secure_cookie_needs_tls() -> None:
    """It is neither taken from nor sent over plain HTTP; ports don't matter."""
    jar = jar_with("a=1; Secure", origin=SAFE_SHOP)

    assert jar.header(SAFE_SHOP, "/") == "a=1"
    assert jar.header(Origin("https", SHOP.host, 8443), "/") == "a=1"
    assert jar.header(SHOP, "/") == ""
    assert len(jar_with("a=1; Secure")) == 0


def test_secure_cookie_of_this_machine() -> None:
    """Loopback counts as safe, so that a target under test behaves as behind its proxy."""
    local = Origin("http", "localhost", 8000)

    assert jar_with("a=1; Secure", origin=local).header(local, "/") == "a=1"


def test_max_age_expires_on_the_clock() -> None:
    """A cookie lives exactly as long as it may, and Max-Age wins over Expires."""
    time = Time()
    jar = CookieJar(time.now_ns, time.wall_s)
    jar.store("a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", SHOP, "/")

    time.ns = 10 * NS_PER_S - 1
    assert jar.header(SHOP, "/") == "a=1"
    time.ns += 1
    assert jar.header(SHOP, "/") == ""


@pytest.mark.parametrize(
    "expires",
    [
        "Tue, 14 Nov 2023 22:13:30 GMT",
        "Tue, 14-Nov-2023 22:13:30 GMT",
        "Tue, 14 Nov 2023 23:13:30 +0100",
    ],
)
def test_expires_is_a_date(expires: str) -> None:
    """The wall clock translates it: ten seconds from now."""
    time = Time()
    jar = CookieJar(time.now_ns, time.wall_s)
    jar.store(f"a=1; Expires={expires}", SHOP, "/")

    time.ns = 9 * NS_PER_S
    assert jar.header(SHOP, "/") == "a=1"
    time.ns = 11 * NS_PER_S
    assert jar.header(SHOP, "/") == ""


@pytest.mark.parametrize(
    "deleting", ["a=; Max-Age=0", "a=; Max-Age=-5", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_expired_cookie_deletes(deleting: str) -> None:
    """That is how servers take cookies back."""
    jar = jar_with("a=1", "b=2", deleting)

    assert jar.header(SHOP, "/") == "b=2"
    assert len(jar) == 1


@pytest.mark.parametrize(
    "header", ["", "a", "=1", ";", "a=\x00", "a=1\x7f", "ü\u2028=1", "a=\r\nX: 1"]
)
def test_what_cannot_be_sent_back_is_not_kept(header: str) -> None:
    """Nothing of a cookie can end the Cookie header."""
    assert len(jar_with(header)) == 0


@pytest.mark.parametrize("age", ["x", "", "9" * 1_000_000, "\u0663"])
def test_strange_max_age_is_harmless(age: str) -> None:
    """What is no number is no age, and a huge one is just long."""
    assert jar_with(f"a=1; Max-Age={age}").header(SHOP, "/") == "a=1"


def test_what_is_repeated_is_never_stale() -> None:
    """The short way gives the same value, until a cookie comes, goes or has another path."""
    time = Time()
    jar = CookieJar(time.now_ns, time.wall_s)
    jar.store("a=1; Max-Age=10; Path=/", SHOP, "/")
    assert jar.line(SHOP) is None
    jar.header(SHOP, "/")

    assert jar.line(SHOP) == b"Cookie: a=1\r\n"
    assert jar.line(SAFE_SHOP) is None
    time.ns = 10 * NS_PER_S
    assert jar.line(SHOP) is None
    jar.store("b=2; Path=/", SHOP, "/")
    assert jar.header(SHOP, "/") == "b=2"
    assert jar.line(SHOP) == b"Cookie: b=2\r\n"
    jar.store("c=3; Path=/deep", SHOP, "/")
    assert jar.line(SHOP) is None
    jar.header(SHOP, "/")
    assert jar.line(SHOP) is None


def test_jar_has_an_end() -> None:
    """A server that makes up names cannot fill the memory; the oldest goes first."""
    jar = jar_with(*(f"n{number}=1" for number in range(MAX_COOKIES + 5)))

    assert len(jar) == MAX_COOKIES
    assert jar.header(SHOP, "/").startswith("n5=1; ")


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_header_breaks_the_jar(header: str, target: str) -> None:
    """Whatever a server writes, the Cookie header stays one line of Latin-1."""
    jar = jar_with(header, target=f"/{target}")

    sent = jar.header(SHOP, f"/{target}").encode("latin-1")

    assert not set(sent) & set(b"\r\n\x00")


def test_a_cookie_that_differs_in_its_value_only_is_replaced() -> None:
    """The attributes are not read again; an age begins anew, and the rest is as it was."""
    time = Time()
    jar = CookieJar(time.now_ns, time.wall_s)
    for header in ("a=1; Path=/; Max-Age=10", "b=1; Path=/; HttpOnly", "c=1"):
        assert not jar.replace(header, SHOP)
        jar.store(header, SHOP, "/deep/x")
    jar.header(SHOP, "/")

    time.ns = 9 * NS_PER_S
    assert jar.replace("a=2; Path=/; Max-Age=10", SHOP)
    assert jar.replace("b= 2 ; Path=/; HttpOnly", SHOP)
    assert not jar.replace("b=\x7f; Path=/; HttpOnly", SHOP)
    assert not jar.replace("b=3; Path=/", SHOP)
    assert not jar.replace("b=3; Path=/; HttpOnly", SAFE_SHOP)
    assert not jar.replace("c=2", SHOP)  # its path is that of the request
    time.ns = 18 * NS_PER_S

    assert jar.header(SHOP, "/") == "a=2; b=2"
    time.ns = 19 * NS_PER_S
    assert not jar.replace("a=3; Path=/; Max-Age=10", SHOP)


COOKIES = st.builds(
    lambda value, form: form.format(value),
    st.sampled_from(["1", "2", " 3 ", "\x7f"]),
    st.sampled_from(
        [
            *("a={}; Path=/", "b={}; Path=/", "a={}; Path=/; HttpOnly", "a={}", "a={}; Path=/deep"),
            *("a={}; Path=/; Secure", "a={}; Path=/; Domain=example.org"),
            *("a={}; Path=/; Max-Age=10", "a={}; Path=/; Max-Age=0"),
            "b={}; Path=/; Expires=Tue, 14 Nov 2023 22:13:30 GMT",
        ]
    ),
)
HOSTS = st.sampled_from([SHOP, SAFE_SHOP, Origin("http", "example.org", 80)])


@given(st.lists(st.tuples(COOKIES, HOSTS, st.integers(0, 8)), max_size=8))
def test_replacing_a_cookie_is_storing_it(taken: list[tuple[str, Origin, int]]) -> None:
    """Whatever comes before: a jar that replaces where it can sends what one sends that can't."""
    time = Time()
    quick, plain = (CookieJar(time.now_ns, time.wall_s) for _ in range(2))
    for header, origin, passed_s in taken:
        time.ns += passed_s * NS_PER_S
        plain.store(header, origin, "/deep/x")
        if not quick.replace(header, origin):
            quick.store(header, origin, "/deep/x")
        for where in (origin, SHOP):
            for target in ("/", "/deep"):
                sent = plain.header(where, target)
                line = quick.line(where)

                assert line is None or line == cookie_line(sent)
                assert quick.header(where, target) == sent
    assert len(quick) == len(plain)
