"""`station bench`: what this computer reaches, as figures that can be compared from one computer to the next.

A benchmark is a function from `BenchPlan` to plain figures; `BENCHES` names it, and its name is its key in the JSON
document and the word for `--only`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from station.bench_acquisition import acquisition
from station.bench_plan import BenchPlan
from station.core.errors import ConfigError

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark: what it measures, in words, and the function that does."""

    measures: str
    run: Callable[[BenchPlan], Figures]


BENCHES = {
    "acquisition": Bench(
        "the way of a block from the camera to the station, paced by the line rate and free", acquisition
    )
}


def run_benches(only: Iterable[str], plan: BenchPlan) -> dict[str, Figures]:
    """The figures of these benchmarks, of all where none is named; blocks for minutes.

    Raises:
        ConfigError: There is no benchmark of this name.
        StationError: A benchmark could not be run.
    """
    names = list(only) or list(BENCHES)
    for name in names:
        if name not in BENCHES:
            raise ConfigError("config.invalid", f"there is no benchmark {name!r}; there are {', '.join(BENCHES)}")
    figures: dict[str, Figures] = {}
    for name in names:
        plan.say(f"{name}: {BENCHES[name].measures}")
        figures[name] = BENCHES[name].run(plan)
    return figures
