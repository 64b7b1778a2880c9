"""The way of the lines: camera, producer, camera process, shared memory, array in the station.

Paced: the simulated camera runs at its configured line rate for the whole time while the network scores every block, as
in a cell whose jig never stops; where the network falls behind, it leaves blocks out, and `scored_blocks` is less than
`blocks`: the line rate is not the network's to slow down. Free: the camera gives each block as soon as the one before
was taken, and nothing is scored.

A block's arrival is the time from the end of its last line's exposure, as the producer stamps it, to the moment at
which the station has its array. `cpu_percent` is the camera process's share of one core, the simulated camera included.
`copies` is how often a byte is moved after the producer has filled its buffer: once, into the memory that camera
process and station share; the station's array is a view into it.
"""

import asyncio
import resource
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from station.bench.plan import BenchPlan
from station.cell.judging import SurfaceJudge
from station.core.camera_settings import CameraSettings, FeatureSetting
from station.core.errors import CameraError
from station.core.geometry import Geometry
from station.core.part import Block, PartType, ScanRecipe
from station.core.ports.network import PatchClassifier
from station.core.priority import precedence
from station.core.settings import Settings
from station.core.wakefulness import cores_awake
from station.host.bundles import make_classifier
from station.host.devices import make_trial_camera, shown_recording
from station.host.recipes import lighting_of

FREE_BLOCKS = 2000
WAITING_BLOCKS = 8
COPIES = 1


@dataclass(frozen=True, slots=True)
class Flow:
    """What an acquisition gave.

    Attributes:
        asked: Blocks that were asked for.
        lines: Complete lines that arrived.
        blocks: Blocks that arrived whole.
        seconds: From the first block's arrival to the last's.
        arrivals_ms: From last line to array, block by block.
        cpu_s: Processor time of the camera process, its start included.
        run_s: Wall time of the camera process.
    """

    asked: int
    lines: int
    blocks: int
    seconds: float
    arrivals_ms: Sequence[float]
    cpu_s: float
    run_s: float


def acquisition(plan: BenchPlan) -> dict[str, Any]:
    """The figures of `station bench --only acquisition`; `cpu_percent` is of one core, for the camera process.

    Raises:
        CameraError: The simulated camera cannot be opened, or failed.
        ModelError: The network cannot be used.
    """
    settings = plan.settings
    kind = settings.known_types[0]
    geometry, lines = kind.geometry, kind.geometry.lines_per_block
    width = settings.camera.width_px
    rate = settings.camera.max_line_rate_hz
    blocks = max(2, round(plan.seconds * rate / lines))
    plan.say(f"paced: {width} px at {rate:.0f} lines/s for {plan.seconds:g} s, every block scored")
    classifier = make_classifier(settings)
    classifier.warm_up()
    recipe = replace(kind.recipe, line_rate_hz=rate, exposure_us=min(kind.exposure_us, 0.9e6 / rate))
    with ThreadPoolExecutor(1, thread_name_prefix="compute") as compute:
        scorer = BlockScoring(settings, kind, classifier, compute)
        awake = cores_awake(wanted=settings.model.keep_awake)
        with awake, shown_recording(settings, geometry.lines_per_turn / rate) as camera:
            paced = _measure(camera, Grabbing(geometry, blocks, recipe), scorer)
    plan.say(f"free: {FREE_BLOCKS} blocks as fast as they are taken")
    with shown_recording(settings, None) as camera:
        free = _measure(camera, Grabbing(geometry, FREE_BLOCKS, recipe), None)
    p50, p99 = (round(float(value), 3) for value in np.percentile(paced.arrivals_ms, [50, 99]))
    return {
        "mb_per_s": _mb_per_s(paced, lines, width),
        "lines_per_s": round((paced.lines - lines) / paced.seconds, 1),
        "blocks": paced.blocks,
        "lost_blocks": paced.asked - paced.blocks,
        "scored_blocks": scorer.scored,
        "cpu_percent": round(100 * paced.cpu_s / paced.run_s, 1),
        "arrival_ms": {"p50": p50, "p99": p99},
        "path_mb_per_s": _mb_per_s(free, lines, width),
        "copies": COPIES,
    }


@dataclass(frozen=True, slots=True)
class Grabbing:
    """What is asked of the camera: so many blocks of this geometry, set as the recipe says."""

    geometry: Geometry
    blocks: int
    recipe: ScanRecipe


def _measure(camera: CameraSettings, asked: Grabbing, scorer: "BlockScoring | None") -> Flow:
    with precedence():
        return asyncio.run(_flow(_endless(camera), asked, scorer))


class BlockScoring:
    """Has blocks scored beside the event loop, in order; one that finds too many waiting is left out.

    Args:
        settings: Crop and proofs, as in a cell.
        kind: What lies under the camera.
        classifier: Scores the patches, on the compute thread.
        compute: The one compute thread.
    """

    def __init__(self, settings: Settings, kind: PartType, classifier: PatchClassifier, compute: Executor) -> None:
        self._settings = settings
        self._kind = kind
        self._classifier = classifier
        self._compute = compute
        self._judge = self._fresh()
        self._waiting: deque[Future[Any]] = deque()
        self.scored = 0

    def take(self, block: Block) -> None:
        """Have a block scored; raises what an earlier one raised, and never blocks."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()
        if len(self._waiting) >= WAITING_BLOCKS:
            return
        place = block.frame_id % self._kind.geometry.blocks_per_turn
        if place == 0:
            self._judge = self._fresh()
        self.scored += 1
        numbered = replace(block, index=place)
        self._waiting.append(self._compute.submit(self._judge.take, numbered))

    async def finish(self) -> None:
        """Return when all are scored."""
        await asyncio.gather(*map(asyncio.wrap_future, self._waiting))

    def _fresh(self) -> SurfaceJudge:
        settings, kind = self._settings, self._kind
        lighting = lighting_of(settings, kind.name, self._classifier.light_level)
        return SurfaceJudge(kind, settings.crop, self._classifier, settings.turn, lighting)


async def _flow(settings: CameraSettings, asked: Grabbing, scorer: BlockScoring | None) -> Flow:
    camera = make_trial_camera(settings, asked.geometry, asked.blocks)
    cpu_s, begun_s = _children_cpu_s(), time.monotonic()
    arrived: list[int] = []
    arrivals_ms: list[float] = []
    lines = whole = 0
    try:
        await camera.open()
        await camera.prepare(asked.recipe)
        async with camera.turn() as turn:
            async for block in turn.blocks():
                arrived.append(block.arrived_ns)
                arrivals_ms.append((block.arrived_ns - block.last_line_ns) / 1e6)
                lines += block.delivered_lines
                whole += block.delivered_lines == asked.geometry.lines_per_block
                if scorer is not None:
                    scorer.take(block)
        if scorer is not None:
            await scorer.finish()
    finally:
        await camera.close()
    if len(arrived) < 2:
        raise CameraError("camera.timeout", f"{len(arrived)} of {asked.blocks} blocks came")
    seconds = (arrived[-1] - arrived[0]) / 1e9
    return Flow(asked.blocks, lines, whole, seconds, arrivals_ms, _children_cpu_s() - cpu_s, time.monotonic() - begun_s)


def _endless(camera: CameraSettings) -> CameraSettings:
    """The camera set to run continuously, from the moment it is armed."""
    rows = [row for row in camera.setup if not row.feature.startswith(("Acquisition", "Trigger"))]
    return camera.model_copy(update={"setup": [*rows, FeatureSetting(feature="AcquisitionMode", value="Continuous")]})


def _mb_per_s(flow: Flow, lines_per_block: int, width: int) -> float:
    """Of the lines behind the first block, whose arrival begins the time."""
    return round((flow.lines - lines_per_block) * width / flow.seconds / 1e6, 1)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
