"""How time grows with size: the exponent of a power law, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, cos, log, pi, sin, sqrt
from typing import Final

__all__ = ["fit_exponent", "student_quantile"]

_FEWEST: Final = 3
"""Two points lie on a line whatever they are, so their exponent has no interval."""


def fit_exponent(
    sizes: Sequence[float], amounts: Sequence[float]
) -> tuple[float, float | None, float | None]:
    """Return the slope of log(amount) over log(size), and its 95 % interval.

    The slope is b = Sxy / Sxx with Sxy = Σ (x - x̄)(y - ȳ) and Sxx = Σ (x - x̄)². The interval is
    b ± t · s / √Sxx with s² = Σ (y - ŷ)² / (n - 2), and t the 97.5 % quantile of Student's
    distribution with n - 2 degrees of freedom. Source: Draper and Smith, Applied Regression
    Analysis, 3rd edition, section 1.4.

    Args:
        sizes: Above zero, at least two different ones.
        amounts: Above zero; one for each size.
    """
    xs, ys = [log(size) for size in sizes], [log(amount) for amount in amounts]
    count = len(xs)
    x_mean, y_mean = sum(xs) / count, sum(ys) / count
    sxx = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / sxx
    if count < _FEWEST:
        return slope, None, None
    residuals = [y - y_mean - slope * (x - x_mean) for x, y in zip(xs, ys, strict=True)]
    error = sqrt(sum(one**2 for one in residuals) / (count - 2) / sxx)
    reach = student_quantile(0.975, count - 2) * error
    return slope, slope - reach, slope + reach


def student_quantile(share: float, freedom: int) -> float:
    """Return what Student's t is below with a probability above one half, found by bisection."""
    low, high = 0.0, 1.0
    while _student_share(high, freedom) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _student_share(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return high


def _student_share(t: float, freedom: int) -> float:
    """Return the probability that Student's t is below `t`, which is positive.

    Source: Abramowitz and Stegun 26.7.3 and 26.7.4, which are finite sums.
    """
    angle = atan(t / sqrt(freedom))
    square = cos(angle) ** 2
    if freedom % 2:
        term, total = cos(angle), 0.0
        for n in range(1, freedom // 2 + 1):
            total += term
            term *= square * 2 * n / (2 * n + 1)
        within = (angle + sin(angle) * total) * 2 / pi
    else:
        term, total = 1.0, 0.0
        for n in range(1, freedom // 2 + 1):
            total += term
            term *= square * (2 * n - 1) / (2 * n)
        within = sin(angle) * total
    return (1 + within) / 2
