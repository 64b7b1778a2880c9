"""Every benchmark by name, and what they give together.

A benchmark is a function from `BenchPlan` to plain figures; `BENCHES` names it, and its name is its key in the JSON
document and the word for `--only`.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from station.bench.acquisition import acquisition
from station.bench.cameras import cameras
from station.bench.ceiling import ceiling
from station.bench.end_to_end import end_to_end
from station.bench.lesser import lesser
from station.bench.machine import engine, machine
from station.bench.memory import memory
from station.bench.mix import mix
from station.bench.model_only import model_only
from station.bench.plan import BenchPlan
from station.bench.scaling import scaling
from station.bench.startup import startup_s
from station.bench.stream import stream
from station.bench.torch_eager import torch_eager
from station.core.errors import ConfigError

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark: what it measures, in words, and the function that does; None: it cannot be measured here."""

    measures: str
    run: Callable[[BenchPlan], Figures | None]


BENCHES = {
    "machine": Bench("the processor", machine),
    "engine": Bench("what runs the network", engine),
    "ceiling": Bench("large products and convolutions, as fast as the engine can", ceiling),
    "model_only": Bench("the network alone, a strip of two patches at a time", model_only),
    "end_to_end": Bench("raw scans in memory to decisions, by width", end_to_end),
    "mix": Bench("whole parts of the usual mix, by every network that there is", mix),
    "scaling": Bench("how the cost grows with patches and with fewer cores", scaling),
    "lesser": Bench("what fewer instructions and one core reach, in each arithmetic", lesser),
    "cameras": Bench("several such lines on this computer at once", cameras),
    "torch_eager": Bench("the same network in PyTorch, for comparison", torch_eager),
    "acquisition": Bench("the way of a block from camera to station, paced by the line rate and free", acquisition),
    "stream": Bench("the whole cell at the line rate: from the last line to the PLC's acknowledgement", stream),
    "memory": Bench("resident memory of the station's processes, part after part", memory),
    "startup_s": Bench("from the start of the process to Idle, cold and warm", startup_s),
}
"""In the order in which they run; `memory` takes what `stream` has seen."""


def wanted_of(only: Iterable[str]) -> frozenset[str]:
    """The benchmarks of these names, all where none is named.

    Raises:
        ConfigError: There is no benchmark of this name.
    """
    wanted = frozenset(only) or frozenset(BENCHES)
    if unknown := sorted(wanted - frozenset(BENCHES)):
        raise ConfigError("config.bad_option", f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}")
    return wanted


def run_benches(wanted: Container[str], plan: BenchPlan) -> dict[str, Figures | None]:
    """The figures of these benchmarks; blocks for minutes.

    Raises:
        StationError: A benchmark could not be run.
    """
    figures: dict[str, Figures | None] = {}
    for name, bench in BENCHES.items():
        if name in wanted:
            plan.say(f"{name}: {bench.measures}")
            figures[name] = bench.run(plan)
    return figures
