"""How often, how long: the one way in which the benchmarks take times."""

import time
from collections.abc import Callable, Sequence

import numpy as np


def times_s(work: Callable[[], object], seconds: float, at_least: int = 3) -> list[float]:
    """How long each repetition of some work took, for about so many seconds in all, and once before uncounted."""
    work()
    taken: list[float] = []
    end_s = time.perf_counter() + seconds
    while len(taken) < at_least or time.perf_counter() < end_s:
        begun_s = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun_s)
    return taken


def median(values: Sequence[float]) -> float:
    """The middle one; what happened to a few repetitions, a page fault or a foreign process, does not count."""
    return float(np.median(values))


def percentiles(values: Sequence[float], *wanted: int, digits: int = 3) -> dict[str, float]:
    """Percentiles by name: `{"p50": …, "p99": …}`."""
    found = np.percentile(values, wanted)
    return {f"p{name}": round(float(value), digits) for name, value in zip(wanted, found, strict=True)}
