"""The helper `fake`: made-up names, addresses and the like, from the package faker, an extra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

from planrunner.extras import need
from planrunner.language.expressions.plain import plain

if TYPE_CHECKING:
    from faker import Generator

__all__ = ["draw_fake", "fake_names"]

_LOCALE: Final = "en_US"
"""Of every run, so that the same seed gives the same values on every machine."""


@cache
def fake_names() -> Sequence[str]:
    """Return what can be called as `fake.NAME(…)`.

    Raises:
        PackageMissing: The package is not installed.
    """
    return sorted(
        name
        for provider in _generator().get_providers()
        for name in dir(provider)
        if not name.startswith("_") and callable(getattr(provider, name))
    )


@cache
def _generator() -> Generator:
    need("faker", "`fake`")
    from faker import Factory  # noqa: PLC0415 - 130 ms that other plans need not pay

    return Factory.create(_LOCALE)


def draw_fake(name: str, rng: Random) -> Callable[..., object]:
    """Return the function `name`, to be called at once: it draws from `rng` until the next one."""
    generator = _generator()
    generator.random = rng
    function = getattr(generator, name)

    def draw(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the plan writes them
        return plain(function(*args, **kwargs))

    return draw
