"""What was measured on, and with what."""

import platform
import time
from pathlib import Path
from typing import Any

from models.engines.processor import instruction_set, usable_cores
from station.bench.plan import BenchPlan
from station.host.bundles import make_classifier

CPU_INFO, STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
NAMES = frozenset({"model name", "Hardware", "Model"})
"""How the kernel calls the processor's name, on x86-64 and on ARM."""


def machine(_plan: BenchPlan) -> dict[str, Any]:
    """The processor, the cores that this process may use, and its instruction set."""
    return {"cpu": processor_name(), "cores": usable_cores(), "isa": instruction_set()}


def engine(plan: BenchPlan) -> dict[str, Any]:
    """The engine as it really runs, and which bundle.

    Raises:
        ModelError: The network cannot be used.
    """
    classifier = make_classifier(plan.settings)
    runs = classifier.engine
    return {"name": runs.name, "precision": runs.precision, "model": str(classifier.model)}


def busy_share(seconds: float = 0.5) -> float:
    """Share of the processor that is in use now, 0 to 1, by whatever runs; waits so long to see it."""
    before = _ticks()
    time.sleep(seconds)
    all_ticks, idle = (after - earlier for after, earlier in zip(_ticks(), before, strict=True))
    return 1 - idle / all_ticks if all_ticks > 0 else 0.0


def _ticks() -> tuple[int, int]:
    """Processor time since the computer was started: all of it, and that in which there was nothing to do."""
    try:
        ticks = [int(word) for word in STAT.read_text(encoding="utf-8").splitlines()[0].split()[1:]]
    except (OSError, ValueError, IndexError):
        return 0, 0
    return sum(ticks[:8]), sum(ticks[3:5])


def processor_name(cpu_info: Path = CPU_INFO) -> str:
    """The processor as its maker calls it, or its architecture where Linux does not know."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in named if name.strip() in NAMES), platform.machine())
