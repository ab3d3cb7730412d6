"""The plans that `planrunner init` starts from: one YAML file each in this folder.

The first line of a file is a comment that says what it is for. A plan that has an embedded target
names it under `services:` and in `http.base_url`, in block style, as `aimed` takes it out again.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from planrunner.errors import UsageError

__all__ = [
    "DEFAULT",
    "FOR_URL",
    "aimed",
    "is_about_a_page",
    "is_url",
    "purpose_of",
    "template",
    "template_names",
]

DEFAULT: Final = "shop"
"""What `init` writes if nothing is asked for."""

FOR_URL: Final = "page"
"""The same, if only a URL is given."""

_SERVICES: Final = re.compile(r"(^#.*\n)*^services:\n(^ .*\n)+\n?", re.MULTILINE)
_BASE_URL: Final = re.compile(r"(?<=^  base_url: ).*$", re.MULTILINE)
_FIRST_PAGE: Final = re.compile(r"(?<=- get: )/$", re.MULTILINE)
_HOST_AND_PORT: Final = re.compile(r"[\w.-]+:\d+(/|$)|localhost(/|$)")


def template_names() -> tuple[str, ...]:
    """Return the names of all templates, the default first."""
    files = resources.files(__name__).iterdir()
    names = sorted(file.name.removesuffix(".yaml") for file in files if file.name[-5:] == ".yaml")
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def template(name: str) -> str:
    """Return the text of a plan to start from; it runs as it is."""
    return resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def purpose_of(name: str) -> str:
    """Return what a template is for, in a few words."""
    return template(name).partition("\n")[0].removeprefix("# ")


def is_url(text: str) -> bool:
    """Return whether a text is a URL.

    Raises:
        UsageError: It is one without its scheme, or with another than http and https.
    """
    if "://" not in text:
        if _HOST_AND_PORT.match(text):
            raise UsageError(f"`{text}` is not an http or https URL", hint=f"write `http://{text}`")
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"`{text}` is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"`{text}` is not an http or https URL")
    if "@" in parts.netloc:
        hint = "write the URL without it, and credentials as `http.auth` with a secret param"
        raise UsageError("the URL has a user name or password in it", hint=hint)
    return True


def is_about_a_page(text: str) -> bool:
    """Return whether a template requests one page, whose path its user chooses."""
    return _FIRST_PAGE.search(text) is not None


def aimed(text: str, url: str) -> str:
    """Return a template for a target of one's own in place of the embedded one.

    The path is requested if the template is about a page, and otherwise before all of its paths.
    """
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    page = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if is_about_a_page(text):
        text = _FIRST_PAGE.sub(lambda _: _quoted(page), text, count=1)
    else:
        base += parts.path.rstrip("/")
    text = _BASE_URL.sub(lambda _: _quoted(base), text, count=1)
    return _SERVICES.sub("", text, count=1)


def _quoted(text: str) -> str:
    """Return a text as YAML has it in double quotes, with nothing for planrunner to evaluate."""
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)
