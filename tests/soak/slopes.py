"""How much of something comes with a thousand parts, over all runs that a soak was made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PER = 1_000
WARM_UP = 300
"""Parts at the beginning of each run that are left out: caches fill, libraries are loaded."""
FLAT = {"descriptors": 0.5, "threads": 0.5, "processes": 0.5, "segments": 0.5, "MB of its own": 1.0, "MB": 0.1}
"""What may come with a thousand parts where nothing is to grow, by the end of a figure's name; `MB` is of shared
memory."""
ENOUGH = 2_000
"""Parts in one run, after its beginning, from which a slope is judged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held when so many parts were through.

    Attributes:
        run: Which start of the cell it is of.
        parts: Through since this start.
        figures: By name.
    """

    run: int
    parts: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Slope:
    """How one figure goes.

    Attributes:
        name: Of the figure.
        first, last: The first and last value that were looked at.
        per_thousand: Least squares over all runs, each with a beginning of its own; NaN with too few samples.
        limit: What it may be where it is to stay flat, or None.
    """

    name: str
    first: float
    last: float
    per_thousand: float
    limit: float | None

    @property
    def grows(self) -> bool:
        """Whether it is to stay flat and does not."""
        return self.limit is not None and self.per_thousand > self.limit


def slopes(samples: Sequence[Sample], warm_up: int = WARM_UP) -> list[Slope]:
    """The slope of every figure.

    Args:
        samples: Of all runs.
        warm_up: Parts of each run that are left out.
    """
    warm = [one for one in samples if one.parts >= warm_up]
    names = sorted({name for one in warm for name in one.figures})
    return [_slope(name, [one for one in warm if name in one.figures]) for name in names]


def judged(samples: Sequence[Sample], warm_up: int = WARM_UP) -> bool:
    """Whether some run was long enough for its slopes to be believed."""
    return any(one.parts >= warm_up + ENOUGH for one in samples)


def _slope(name: str, samples: Sequence[Sample]) -> Slope:
    by_run: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for one in samples:
        by_run[one.run].append((one.parts / PER, one.figures[name]))
    above, below = np.sum([_moments(points) for points in by_run.values()], axis=0)
    rise = float(above / below) if below else float("nan")
    return Slope(name, samples[0].figures[name], samples[-1].figures[name], rise, limit_of(name))


def _moments(points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    parts, values = np.asarray(list(points), np.float64).T
    parts -= parts.mean()
    return float(parts @ (values - values.mean())), float(parts @ parts)


def limit_of(name: str) -> float | None:
    """How much of a figure may come with a thousand parts, or None where it is what parts leave."""
    where, _, what = name.partition(": ")
    return None if what == "MB" and where != "shared memory" else FLAT.get(what)
