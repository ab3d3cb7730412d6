"""What makes one user's requests differ from the plan's: headers set on the way, and cookies."""

from __future__ import annotations

from planrunner.language.expressions.expression import EvaluationError
from planrunner.protocols.http.clients.request import DEFAULT_NAMES, WireRequest, header_line
from planrunner.protocols.http.clients.rewrite import add_cookies, add_lines, target_of, without
from planrunner.protocols.http.clients.signing.digest import Answers
from planrunner.protocols.http.clients.signing.signer import MessageSigner
from planrunner.protocols.http.cookies import CookieJar, cookie_line
from planrunner.protocols.http.headers import FRAMING
from planrunner.protocols.http.url import PRIVATE_HEADERS, Origin

__all__ = ["WireIdentity"]


class WireIdentity:
    """One user's headers and cookies, put into requests that are encoded already.

    Attributes:
        is_plain: Nothing to put in: requests go out as they are.
        answers: What the user has been challenged with.
    """

    __slots__ = ("_headers", "_lines", "_private_lines", "answers", "is_plain", "jar")

    def __init__(self, jar: CookieJar) -> None:
        self.jar = jar
        self.is_plain = True
        self._headers: dict[str, bytes] = {}
        self._lines = self._private_lines = b""
        self.answers: Answers = {}

    def set_header(self, name: str, value: str | None) -> None:
        """Set a header of every later request; None takes it out of them.

        Raises:
            EvaluationError: Name or value cannot stand in a header, or the name is one of those
                that say where a message ends.
        """
        key = name.lower()
        line = header_line(name, value or "")
        if key in FRAMING:
            raise EvaluationError(f"`{name}` cannot be set: the client sets it")
        self._headers[key] = b"" if value is None else line
        self._lines = b"".join(
            line for key, line in self._headers.items() if key not in PRIVATE_HEADERS
        )
        self._private_lines = b"".join(
            line for key, line in self._headers.items() if key in PRIVATE_HEADERS
        )
        self.is_plain = False

    def renew(self) -> None:
        """Forget all that this user was given or set."""
        self.jar.clear()
        self._headers.clear()
        self.answers.clear()
        self._lines = self._private_lines = b""
        self.is_plain = True

    def store(self, cookies: tuple[str, ...], origin: Origin, data: bytes) -> None:
        """Take the Set-Cookie values of the reply to `data`."""
        jar = self.jar
        for cookie in cookies:
            if not jar.replace(cookie, origin):
                jar.store(cookie, origin, target_of(data))
                self.is_plain = not self._headers and not len(jar)

    def redirected(self, status: int, location: str) -> None:
        """Do nothing: only a tap reports."""

    def dress(self, data: bytes, origin: Origin, bound: WireRequest, *, has_crossed: bool) -> bytes:
        """Return `data` as this user sends it.

        Args:
            data: An encoded request.
            origin: Where it goes.
            bound: What it was encoded from.
            has_crossed: A redirect led where credentials don't go.
        """
        cookie = self.jar.line(origin)
        if cookie is None:
            cookie = cookie_line(self.jar.header(origin, target_of(data)))
        if self._headers or "cookie" in bound.names:
            return self._dress_anew(data, bound, cookie, has_crossed=has_crossed)
        if not cookie:
            return data
        if data is bound.data and bound.halves is not None:
            start, rest = bound.halves
            return start + cookie + rest
        return add_lines(data, cookie)

    def _dress_anew(
        self, data: bytes, bound: WireRequest, cookie: bytes, *, has_crossed: bool
    ) -> bytes:
        """Put in what this user sends beside its cookies, or has another value of."""
        names, own_names = bound.names, bound.own_names
        if own_names.isdisjoint(self._headers):
            lines = self._lines if has_crossed else self._lines + self._private_lines
        else:
            kept = own_names | PRIVATE_HEADERS if has_crossed else own_names
            lines = b"".join(line for key, line in self._headers.items() if key not in kept)
        if cookie and ("cookie" in names or "cookie" in self._headers):
            dressed = add_lines(self._undress(data, names, own_names), lines)
            is_off = self._headers.get("cookie") == b"" and "cookie" not in own_names
            return dressed if is_off else add_cookies(dressed, cookie)
        if cookie:
            lines += cookie
        if self._headers:
            data = self._undress(data, names, own_names)
        return add_lines(data, lines) if lines else data

    def sign(
        self,
        data: bytes,
        origin: Origin,
        bound: WireRequest,
        *,
        has_crossed: bool,
        signer: MessageSigner,
        is_streamed: bool,
    ) -> bytes:
        """Return `data` as this user sends it, with the credentials that `signer` adds.

        A user that has set its own Authorization for all of its requests gets no other.

        Raises:
            WireFault: It can't be signed.
        """
        data = WireIdentity.dress(self, data, origin, bound, has_crossed=has_crossed)
        says_itself = "authorization" in self._headers and "authorization" not in bound.own_names
        if has_crossed or says_itself:
            return data
        wall_s = self.jar.wall_s()
        return signer.sign(data, origin, self.answers, wall_s, is_streamed=is_streamed)

    def _undress(self, data: bytes, names: frozenset[str], own_names: frozenset[str]) -> bytes:
        """Take out what this user sends another value of, or none."""
        replaced = (self._headers.keys() & (names | DEFAULT_NAMES)) - own_names
        return without(data, replaced) if replaced else data
