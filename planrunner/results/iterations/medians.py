"""How sure figures of iterations are: there are few of them, and all that is kept is how many."""

from __future__ import annotations

from math import comb, log, sqrt
from statistics import NormalDist

from planrunner.metrics.histogram import Histogram
from planrunner.results.bootstrap import Estimate
from planrunner.units import NS_PER_S

__all__ = ["median_estimate", "share_estimate"]

_FEWEST = 5
"""With fewer, the ends of the interval are the least and the greatest of almost nothing."""


def median_estimate(latency: Histogram) -> Estimate:
    """Return the median in seconds, with its error from the order of the values.

    Source: Price and Bonett, Distribution-free confidence intervals for difference and ratio of
    medians, J. Statist. Comput. Simul. 72 (2002): with c = (n + 1) / 2 - √n the logarithm's error
    is (ln y[n - c + 1] - ln y[c]) / 2z, z the normal quantile of what the binomial distribution
    has between the two.
    """
    count = latency.count
    median = latency.percentile(50) / NS_PER_S if count else 0.0
    if count < _FEWEST or median <= 0:
        return Estimate(median, -1.0)
    low = max(round((count + 1) / 2 - sqrt(count)), 1)
    outside = sum(comb(count, n) for n in range(low)) / 2 ** (count - 1)
    quantile = NormalDist().inv_cdf(1 - outside / 2)
    first, last = latency.percentiles((100 * low / count, 100 * (count - low + 1) / count))
    spread = log(max(last, 1)) - log(max(first, 1))
    return Estimate(median, median * spread / (2 * quantile), count - 1)


def share_estimate(count: int, part: int) -> Estimate:
    """Return a share with its binomial error."""
    if count < _FEWEST:
        return Estimate(part / count if count else 0.0, -1.0)
    share = part / count
    return Estimate(share, sqrt(share * (1 - share) / count), count - 1)
