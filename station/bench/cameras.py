"""How many lines of the configured kind this computer carries: so many networks at once, each fed at the line's pace.

Each line has a process of its own, as its station would, and all of them share the cores. A block is due when its last
line was exposed, and must be judged before the next one is; a line that falls behind has its blocks wait, and the last
of a turn must be decided within the deadline. Cameras, PLC and records are left out: `acquisition` and `stream` say
what those take.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from station.bench.apart import apart
from station.bench.housings import raw_scans
from station.bench.plan import BenchPlan
from station.cell.judging import SurfaceJudge
from station.core.part import PartType, Pixels
from station.core.settings import Settings
from station.core.wakefulness import cores_awake
from station.flow.patch import blocks_of
from station.host.bundles import make_classifier
from station.host.recipes import lighting_of

LOADING_S = 10.0
"""What processes are given to load their networks before the first line begins to turn."""


class Line(NamedTuple):
    """What one of the lines came to.

    Attributes:
        after_ms: From the last line of each turn to the last score of it.
        behind: Blocks that were still waiting for their turn when the next one was due.
        blocks: Blocks in all.
    """

    after_ms: list[float]
    behind: int
    blocks: int


def cameras(plan: BenchPlan) -> dict[str, Any]:
    """For each number of lines up to `plan.cameras`: the times after the last line, and whether all of them kept up.

    `carries` is the largest number up to which every one did; 0 where not even one line did.

    Raises:
        ModelError: The network cannot be used.
    """
    carries, found = 0, {}
    for count in range(1, plan.cameras + 1):
        plan.say(f"  {count} at once")
        lines = list(_run(plan, count))
        after = [ms for line in lines for ms in line.after_ms]
        behind = sum(line.behind for line in lines)
        kept = not behind and max(after) <= plan.settings.decision.deadline_ms
        carries = count if kept and carries == count - 1 else carries
        p50, p99 = np.percentile(after, (50, 99))
        found[str(count)] = {
            "scored_ms_after_last_line": {"p50": round(p50, 2), "p99": round(p99, 2), "max": round(max(after), 2)},
            "blocks": sum(line.blocks for line in lines),
            "behind": behind,
            "kept_up": kept,
        }
    return {"lines_per_s": round(plan.settings.camera.max_line_rate_hz, 1), "carries": carries, "at_once": found}


def _run(plan: BenchPlan, count: int) -> Iterator[Line]:
    begins_s = time.monotonic() + LOADING_S
    with cores_awake(wanted=plan.settings.model.keep_awake), ThreadPoolExecutor(count) as waiting:
        jobs = [waiting.submit(apart, one_line, plan.settings, begins_s, plan.short_s) for _ in range(count)]
        yield from (job.result() for job in jobs)


def one_line(settings: Settings, begins_s: float, seconds: float) -> Line:
    """One line for some seconds, from a moment of the monotonic clock on, every type in turn; blocking.

    Raises:
        ModelError: The network cannot be used.
    """
    classifier = make_classifier(settings)
    classifier.warm_up()
    scans = list(raw_scans(settings).items())
    block_s = scans[0][0].geometry.lines_per_block / settings.camera.max_line_rate_hz
    after_ms: list[float] = []
    behind = blocks = turns = 0
    due_s = max(begins_s, time.monotonic())
    while not turns or due_s < begins_s + seconds:
        kind, scan = scans[turns % len(scans)]
        late = list(_turn(kind, scan, settings, classifier, due_s, block_s))
        due_s += block_s * (len(late) + 1)  # the next part is laid in meanwhile
        after_ms.append(1e3 * late[-1])
        behind += sum(one > block_s for one in late[:-1])
        blocks += len(late)
        turns += 1
    return Line(after_ms, behind, blocks)


def _turn(
    kind: PartType, scan: Pixels, settings: Settings, classifier: Any, begins_s: float, block_s: float
) -> Iterator[float]:
    """For each block of a turn how long after its last line it was scored, in seconds."""
    lighting = lighting_of(settings, kind.name, classifier.light_level)
    judge = SurfaceJudge(kind, settings.crop, classifier, settings.turn, lighting)
    for number, block in enumerate(blocks_of(scan, classifier.geometry), 1):
        due_s = begins_s + number * block_s
        time.sleep(max(0.0, due_s - time.monotonic()))
        judge.take(block)
        yield time.monotonic() - due_s
