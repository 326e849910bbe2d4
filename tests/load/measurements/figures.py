"""Percentiles and what is reported of a set of times."""

from collections.abc import Iterable, Sequence
from math import ceil


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of values in rising order: the smallest with `share` at or below.

    Raises:
        ValueError: there are no values, or `share` is not within 0 to 1.
    """
    if not ordered or not 0 <= share <= 1:
        raise ValueError("a percentile needs values and a share from 0 to 1")
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def spread(seconds: Iterable[float]) -> dict[str, float]:
    """How many times there are, and their p50, p99 and maximum in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}
    return {
        "count": len(ordered),
        "p50_ms": round(percentile(ordered, 0.5) * 1000, 2),
        "p99_ms": round(percentile(ordered, 0.99) * 1000, 2),
        "max_ms": round(ordered[-1] * 1000, 2),
    }
