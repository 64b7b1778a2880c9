"""How the cost grows: with the patches of a part, and with fewer cores.

More patches than one part has are those of several parts, one after the other. Each number of cores has a process of
its own, which may use no others; the numbers are powers of two up to the cores there are.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from models.engines.processor import usable_cores
from station.bench.apart import apart_on
from station.bench.housings import middle_scan
from station.bench.plan import BenchPlan
from station.bench.timing import median, times_s
from station.bench.works import judging
from station.core.settings import Settings
from station.host.bundles import make_classifier

BLOCKS = (1, 2, 4, 8, 16, 32)
ROUNDS = 4


def scaling(plan: BenchPlan) -> dict[str, Any]:
    """Times by patches, images a second by cores, and the largest ratios between neighbours.

    `twice_the_patches` is by how much longer twice the patches take, `half_the_cores` by how much longer a part takes
    on half the cores; None on one core.

    Raises:
        ModelError: The network cannot be used.
    """
    by_patches = _ms_by_patches(plan)
    by_cores: dict[int, float] = {}
    for cores in core_counts(usable_cores()):
        plan.say(f"  on {cores} of the cores")
        by_cores[cores] = 1 / apart_on(cores, image_s, plan.settings, cores, plan.short_s / ROUNDS)
    return {
        "ms_by_patches": {str(patches): round(ms, 2) for patches, ms in by_patches.items()},
        "twice_the_patches": round(max(two / one for one, two in pairwise(by_patches.values())), 2),
        "images_per_s_by_cores": {str(cores): round(rate, 2) for cores, rate in by_cores.items()},
        "half_the_cores": _slower(by_cores),
    }


def core_counts(usable: int) -> list[int]:
    """1, 2, 4 … up to all cores, whatever their number."""
    powers = [1 << bit for bit in range(usable.bit_length()) if 1 << bit <= usable]
    return powers if powers[-1] == usable else [*powers, usable]


def image_s(settings: Settings, threads: int, seconds: float) -> float:
    """Time of one part of middle width from raw scan to decision, with so many threads."""
    model = settings.model.model_copy(update={"threads": threads})
    classifier = make_classifier(settings.model_copy(update={"model": model}))
    kind, scan = middle_scan(settings)
    return median(times_s(judging(kind, scan, settings, classifier), seconds))


def _ms_by_patches(plan: BenchPlan) -> dict[int, float]:
    """The sizes take turns, so that what else the computer does meets all of them alike."""
    kind, scan = middle_scan(plan.settings)
    classifier = make_classifier(plan.settings)
    geometry = classifier.geometry
    taken: dict[int, list[float]] = {blocks: [] for blocks in BLOCKS}
    for _ in range(ROUNDS):
        for blocks in BLOCKS:
            one_part = judging(kind, scan, plan.settings, classifier, min(blocks, geometry.blocks_per_turn))
            parts = max(1, blocks // geometry.blocks_per_turn)
            seconds = plan.short_s / ROUNDS / len(BLOCKS)
            taken[blocks] += times_s(_repeated(one_part, parts), seconds, 1)
    return {geometry.patches_per_strip * blocks: 1e3 * median(seconds) for blocks, seconds in taken.items()}


def _repeated(work: Callable[[], object], times: int) -> Callable[[], object]:
    return lambda: [work() for _ in range(times)]


def _slower(rates: dict[int, float]) -> float | None:
    halves = [rates[cores] / rates[cores // 2] for cores in rates if cores % 2 == 0 and cores // 2 in rates]
    return round(max(halves), 2) if halves else None
